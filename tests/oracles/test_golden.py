"""Values and gradients agree with those that other implementations computed."""

import json
import pathlib

import numpy as np
import pytest
from keras import ops

from tests.gradients import value_and_gradients
from tests.oracles.adapters import ADAPTERS

GOLDEN = pathlib.Path(__file__).parent / "golden"
FILES = sorted(path for path in GOLDEN.glob("*.npz") if path.stem.rsplit("-", 1)[0] in ADAPTERS)
# Two of its four views repeat the others: the norm of a matrix without full rank has a kink, where
# any subgradient is right, and decompositions differ in theirs.
KINKED = {"mmcr"}
RESULTS = {"predictions_ranked", "kernels", "biases", "values"}


def test_there_is_a_golden_file_for_every_adapter():
    assert {path.stem.rsplit("-", 1)[0] for path in FILES} == set(ADAPTERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_agrees(path):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    params = json.loads(str(arrays.pop("params")))
    adapter = ADAPTERS[path.stem.rsplit("-", 1)[0]]
    if "loss" not in arrays:
        expected = {name: arrays.pop(name) for name in RESULTS & set(arrays)}
        results = adapter({k: ops.convert_to_tensor(v) for k, v in arrays.items()}, params)
        assert set(results) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(results[name], value, rtol=1e-5, atol=1e-7)
        return
    loss = arrays.pop("loss")
    if loss.ndim:  # a matrix of codes, which has no gradient
        value = adapter({k: ops.convert_to_tensor(v) for k, v in arrays.items()}, params)
        np.testing.assert_allclose(ops.convert_to_numpy(value), loss, rtol=1e-5, atol=1e-7)
        return
    gradients = {k.removeprefix("grad_"): v for k, v in arrays.items() if k.startswith("grad_")}
    inputs = {k: v for k, v in arrays.items() if not k.startswith("grad_")}
    value, ours = value_and_gradients(lambda x: adapter(x, params), inputs, list(gradients))
    np.testing.assert_allclose(value, loss, rtol=1e-5)
    kinked = path.stem.rsplit("-", 1)[0] in KINKED
    for name, expected in gradients.items():
        scale = np.abs(expected).max()
        tolerance = 1e-2 if kinked else 1e-5
        np.testing.assert_allclose(ours[name] / scale, expected / scale, rtol=1e-4, atol=tolerance)
