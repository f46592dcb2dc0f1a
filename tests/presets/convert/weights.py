"""Weights and images that follow from names and shapes: both sides of a comparison make them."""

import zlib

import numpy as np

SIZE = 64


def images(size=SIZE):
    return np.random.default_rng(0).random((3, size, size, 3), "float32")


def weights(shapes):
    """Name in PyTorch -> array, with statistics of batch normalisation that are not trivial."""
    return {name: _weight(name, tuple(shape)) for name, shape in shapes.items()}


def _weight(name, shape):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        array = rng.uniform(0.5, 2.0, shape)
    elif name.endswith("running_mean"):
        array = rng.normal(0, 0.2, shape)
    elif name.endswith("bias"):
        array = rng.normal(0, 0.1, shape)
    elif len(shape) == 1:
        array = rng.uniform(0.3, 0.7, shape)  # scales of a normalisation
    elif "token" in name or "pos_embed" in name:
        array = rng.normal(0, 0.5, shape)
    else:
        array = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    return array.astype("float32")
