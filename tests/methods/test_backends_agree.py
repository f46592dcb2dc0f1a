"""The same weights and views give the same loss and gradients on the three backends."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from tests.methods.parts import METHODS

BACKENDS = ("tensorflow", "jax", "torch")


def one_step(name, weights=None):
    """Loss, gradients (a step of plain SGD at rate 1) and the weights that the step began with."""
    method = METHODS[name](shuffle_splits=1) if name == "moco_symmetric" else METHODS[name]()
    if weights is not None:
        for variable, value in zip(method.weights, weights, strict=True):
            variable.assign(value)
    before = [ops.convert_to_numpy(v).copy() for v in method.weights]
    rng = np.random.default_rng(0)
    views = tuple(rng.uniform(size=(16, 4, 4, 3)).astype("float32") for _ in range(2))
    method.compile(optimizer=keras.optimizers.SGD(1.0))
    loss = method.fit(views, batch_size=16, verbose=0).history["loss"][0]
    trainable = [
        (i, v)
        for i, v in enumerate(method.weights)
        if any(v is t for t in method.trainable_weights)
    ]
    gradients = [before[i] - ops.convert_to_numpy(v) for i, v in trainable]
    return loss, gradients, before


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compared from one backend")
@pytest.mark.parametrize("name", ["simclr", "moco", "moco_symmetric", "byol"])
def test_loss_and_gradients_agree(name, tmp_path):
    loss, gradients, weights = one_step(name)
    np.savez(tmp_path / "weights.npz", *weights)
    compared = 0
    for backend in BACKENDS:
        if backend == keras.backend.backend() or not importlib.util.find_spec(backend):
            continue
        subprocess.run(
            [sys.executable, "-m", "tests.methods.test_backends_agree", name, str(tmp_path)],
            env={**os.environ, "KERAS_BACKEND": backend},
            check=True,
        )
        other = np.load(tmp_path / "result.npz")
        np.testing.assert_allclose(other["loss"], loss, rtol=1e-5)
        # A bias before batch normalisation has a gradient of zero, of which only rounding is left:
        # so no gradient is measured by less than a hundredth of the largest.
        floor = 0.01 * max(np.abs(gradient).max() for gradient in gradients)
        for position, gradient in enumerate(gradients):
            theirs = other[f"gradient_{position}"]
            scale = max(np.abs(gradient).max(), floor)
            np.testing.assert_allclose(theirs / scale, gradient / scale, rtol=1e-4, atol=1e-4)
        compared += 1
    if not compared:
        pytest.skip("no second backend is installed")


if __name__ == "__main__":
    folder = sys.argv[2]
    with np.load(f"{folder}/weights.npz") as file:
        stored = [file[key] for key in file.files]
    loss, gradients, _ = one_step(sys.argv[1], stored)
    named = {f"gradient_{i}": gradient for i, gradient in enumerate(gradients)}
    np.savez(f"{folder}/result.npz", loss=loss, **named)
