"""Fused batch normalisation is Keras' own, only quicker."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.training import fused_batch_norm
from tests.gradients import value_and_gradients

if keras.backend.backend() == "jax":
    pytest.skip("XLA fuses the stock layer", allow_module_level=True)

MAPS = np.random.default_rng(0).normal(2.0, 3.0, (6, 4, 5, 3)).astype("float32")
TARGET = np.random.default_rng(1).normal(0.0, 1.0, MAPS.shape).astype("float32")


def layer(**kwargs):
    keras.utils.set_random_seed(0)
    made = keras.layers.BatchNormalization(
        gamma_initializer="random_normal", beta_initializer="random_normal", **kwargs
    )
    made.build((None, *MAPS.shape[1:]))
    return made


def outcome(made, training=True):
    """Output, gradient to the input, and what the layer remembers."""

    def loss(tensors):
        return ops.sum(ops.multiply(made(tensors["maps"], training=training), TARGET))

    _, gradients = value_and_gradients(loss, {"maps": MAPS}, ["maps"])
    output = made(MAPS, training=training)
    return [*map(ops.convert_to_numpy, (output, *made.weights)), gradients["maps"]]


@pytest.mark.parametrize(
    "kwargs", [{}, {"scale": False}, {"center": False}, {"epsilon": 1e-5}, {"momentum": 0.9}]
)
def test_fused_equals_stock_in_output_gradient_and_statistics(kwargs):
    stock = outcome(layer(**kwargs))
    with fused_batch_norm():
        fused = outcome(layer(**kwargs))
    for ours, theirs in zip(fused, stock, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("kwargs", [{"axis": 1}, {"trainable": False}])
def test_what_the_kernel_cannot_do_runs_as_it_is(kwargs):
    stock = outcome(layer(**kwargs))
    with fused_batch_norm():
        fused = outcome(layer(**kwargs))
    for ours, theirs in zip(fused, stock, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_inference_uses_the_moving_statistics():
    made = layer()
    with fused_batch_norm():
        outcome(made, training=False)
    np.testing.assert_array_equal(ops.convert_to_numpy(made.moving_mean), np.zeros(3))
    np.testing.assert_array_equal(ops.convert_to_numpy(made.moving_variance), np.ones(3))


def test_half_precision_is_kept_and_statistics_stay_float32():
    made = layer(dtype="mixed_bfloat16")
    with fused_batch_norm():
        output = made(MAPS, training=True)
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    np.testing.assert_allclose(
        ops.convert_to_numpy(made.moving_mean), 0.01 * MAPS.mean((0, 1, 2)), rtol=5e-3
    )


def test_keras_is_left_as_it_was_even_after_an_error():
    before = keras.layers.BatchNormalization.call
    with pytest.raises(RuntimeError), fused_batch_norm():
        raise RuntimeError
    assert keras.layers.BatchNormalization.call is before
