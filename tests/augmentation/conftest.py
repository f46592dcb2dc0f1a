"""How the tests of this folder call layers and functions."""

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.datasets import load_sample_image


@pytest.fixture
def run():
    """Calls a layer or a function of tensors, NumPy in and out; compiled under JAX, for speed."""
    compiled = {}

    def run(function, *arrays):
        tensors = [ops.convert_to_tensor(array) for array in arrays]
        if keras.backend.backend() != "jax":
            results = function(*tensors)
        else:
            results = run_in_jax(compiled, function, *tensors)
        return keras.tree.map_structure(np.asarray, results)

    return run


def run_in_jax(compiled, function, *tensors):
    import jax

    variables = function.variables if isinstance(function, keras.layers.Layer) else []

    def call(state, *tensors):
        if not variables:
            return function(*tensors), state
        return function.stateless_call([], state, *tensors)

    if function not in compiled:  # without optimisation: it would take most of the time
        options = {"xla_backend_optimization_level": 0}
        compiled[function] = jax.jit(call, compiler_options=options)
    results, state = compiled[function]([v.value for v in variables], *tensors)
    for variable, value in zip(variables, state):
        variable.assign(value)
    return results


@pytest.fixture
def photos():
    """Six different 48 x 40 parts of a photograph, uint8."""
    image = load_sample_image("china.jpg")
    return np.stack([image[40 * i : 40 * i + 48, 60 * i : 60 * i + 40] for i in range(6)])
