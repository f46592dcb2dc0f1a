"""How the tests of this folder call layers and functions."""

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.datasets import load_sample_image


@pytest.fixture
def run():
    """Calls a layer or a function of tensors, NumPy in and out; compiled under JAX, for speed."""

    def run(function, *arrays):
        tensors = [ops.convert_to_tensor(array) for array in arrays]
        if keras.backend.backend() != "jax":
            results = function(*tensors)
        elif isinstance(function, keras.layers.Layer):
            results = run_layer_in_jax(function, *tensors)
        else:
            import jax

            results = jax.jit(function)(*tensors)
        return keras.tree.map_structure(np.asarray, results)

    return run


def run_layer_in_jax(layer, *tensors):
    import jax

    def call(state, *tensors):
        return layer.stateless_call([], state, *tensors)

    results, state = jax.jit(call)([v.value for v in layer.variables], *tensors)
    for variable, value in zip(layer.variables, state):
        variable.assign(value)
    return results


@pytest.fixture
def photos():
    """Six different 48 x 40 parts of a photograph, uint8."""
    image = load_sample_image("china.jpg")
    return np.stack([image[40 * i : 40 * i + 48, 60 * i : 60 * i + 40] for i in range(6)])
