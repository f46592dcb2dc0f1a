"""The same weights and views give the same loss and gradients on the three backends."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from tests.methods.parts import METHODS, ready

BACKENDS = ("tensorflow", "jax", "torch")


# What a step draws at random differs between backends.
OVERRIDES = {"moco_symmetric": {"shuffle_splits": 1}}
NAMES = sorted(set(METHODS) - {"mochi"})


def one_step(name, weights=None):
    """Loss, gradients (a step of plain SGD at rate 1) and the weights that the step began with."""
    method = METHODS[name](**OVERRIDES.get(name, {}))
    if weights is not None:
        for variable, value in zip(method.weights, weights, strict=True):
            variable.assign(value)
    before = [ops.convert_to_numpy(v).copy() for v in method.weights]
    rng = np.random.default_rng(0)
    labels = np.arange(16) % 4
    views = [rng.uniform(size=(16, 4, 4, 3)).astype("float32") for _ in range(method.num_views)]
    method.compile(optimizer=keras.optimizers.SGD(1.0), run_eagerly=True)  # compiling takes longest
    # In order: guided stop-gradient pairs neighbours.
    fitted = method.fit(
        ready(method, views, labels),
        labels if method.uses_labels else None,
        batch_size=16,
        shuffle=False,
        verbose=0,
    )
    loss = fitted.history["loss"][0]
    trainable = [
        (i, v)
        for i, v in enumerate(method.weights)
        if any(v is t for t in method.trainable_weights)
    ]
    gradients = [before[i] - ops.convert_to_numpy(v) for i, v in trainable]
    return loss, gradients, before


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """One step of every method here, and in one process for each other backend."""
    folder = tmp_path_factory.mktemp("steps")
    ours = {}
    for name in NAMES:
        loss, gradients, weights = one_step(name)
        np.savez(folder / f"{name}.npz", *weights)
        ours[name] = loss, gradients
    theirs = []
    for backend in BACKENDS:
        if backend == keras.backend.backend() or not importlib.util.find_spec(backend):
            continue
        subprocess.run(
            [sys.executable, "-m", "tests.methods.test_backends_agree", str(folder), backend],
            env={**os.environ, "KERAS_BACKEND": backend},
            check=True,
        )
        theirs.append(folder / backend)
    return ours, theirs


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compared from one backend")
@pytest.mark.parametrize("name", NAMES)
def test_loss_and_gradients_agree(name, steps):
    ours, theirs = steps
    if not theirs:
        pytest.skip("no second backend is installed")
    loss, gradients = ours[name]
    for folder in theirs:
        other = np.load(folder / f"{name}.npz")
        np.testing.assert_allclose(other["loss"], loss, rtol=1e-5)
        # A bias before batch normalisation has a gradient of zero, of which only rounding is left:
        # so no gradient is measured by less than a hundredth of the largest.
        floor = 0.01 * max(np.abs(gradient).max() for gradient in gradients)
        for position, gradient in enumerate(gradients):
            scale = max(np.abs(gradient).max(), floor)
            found = other[f"gradient_{position}"] / scale
            np.testing.assert_allclose(found, gradient / scale, rtol=1e-4, atol=2e-4)


if __name__ == "__main__":
    folder, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[1], sys.argv[2])
    results.mkdir()
    for name in NAMES:
        with np.load(folder / f"{name}.npz") as file:
            stored = [file[key] for key in file.files]
        loss, gradients, _ = one_step(name, stored)
        named = {f"gradient_{i}": gradient for i, gradient in enumerate(gradients)}
        np.savez(results / f"{name}.npz", loss=loss, **named)
