"""Prototypes: cosines, unit length, and no gradient while frozen."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import Prototypes, WeightNormPrototypes
from tests.gradients import value_and_gradients

KINDS = [Prototypes, WeightNormPrototypes]
Z = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")


def lengths(layer):
    return np.linalg.norm(ops.convert_to_numpy(layer.rows), axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_cosines_in_float32(kind):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = kind(5, 3, seed=1)
        scores = layer(ops.convert_to_tensor(Z))
    finally:
        keras.config.set_dtype_policy("float32")
    rows = ops.convert_to_numpy(layer.rows)
    cosines = Z @ rows.T / np.linalg.norm(Z, axis=1)[:, None]
    np.testing.assert_allclose(ops.convert_to_numpy(scores), cosines, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lengths(layer), 1, rtol=1e-5)


def trained(layer):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.fit(Z, np.ones((6, layer.num)), verbose=0)
    return layer


def test_a_step_ends_at_unit_length_or_leaves_the_length_to_the_optimizer():
    before = ops.convert_to_numpy(Prototypes(5, 3).rows)
    layer = trained(Prototypes(5, 3))
    assert np.abs(ops.convert_to_numpy(layer.rows) - before).max() > 1e-3
    np.testing.assert_allclose(lengths(layer), 1, rtol=1e-5)
    assert (lengths(trained(WeightNormPrototypes(5, 3))) > 1 + 1e-6).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_rows_get_a_gradient_of_exactly_zero(kind, frozen):
    layer = kind(5, 3)

    def loss(tensors):
        with keras.StatelessScope(state_mapping=[(layer.rows, tensors["rows"])]):
            scores = layer(tensors["z"], frozen=ops.convert_to_tensor(frozen))
        return ops.sum(ops.square(scores - 1.0))

    inputs = {"rows": ops.convert_to_numpy(layer.rows), "z": Z}
    _, gradients = value_and_gradients(loss, inputs, ["rows", "z"])
    assert (gradients["rows"] == 0).all() == frozen
    assert (np.abs(gradients["z"]) > 0).any()


def test_weight_normalisation_turns_rows_and_never_stretches_them():
    layer = WeightNormPrototypes(5, 3)

    def loss(tensors):
        with keras.StatelessScope(state_mapping=[(layer.rows, tensors["rows"])]):
            return ops.sum(ops.square(layer(Z) - 1.0))

    rows = 2 * ops.convert_to_numpy(layer.rows)
    _, gradients = value_and_gradients(loss, {"rows": rows}, ["rows"])
    np.testing.assert_allclose((gradients["rows"] * rows).sum(axis=1), 0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_config_round_trip_and_bad_sizes(kind):
    layer = kind(5, 3, seed=2, name="other")
    again = kind.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    with pytest.raises(ValueError, match="positive `num`"):
        kind(0, 3)
