"""TiCo's loss against loops, and its moving second moment."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import TiCoLoss, tico_covariance


def embeddings(num, seed, dim=6):
    return np.random.default_rng(seed).normal(size=(num, dim)).astype("float32")


Z, T = embeddings(5, 0), embeddings(5, 1)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def moment(z):
    return sum(np.outer(row, row) for row in unit(z)) / len(z)


def by_hand(z, t, covariance, rho):
    return np.mean(
        [1 - a @ b + rho * a @ covariance @ a for a, b in zip(unit(z), unit(t), strict=True)]
    )


def test_the_first_step_has_no_past():
    expected = by_hand(Z, T, 0.3 * moment(Z), 2.0)
    np.testing.assert_allclose(float(TiCoLoss(beta=0.7, rho=2.0)(T, Z)), expected, rtol=1e-5)


def test_the_past_joins():
    past = moment(embeddings(9, 2)).astype("float32")
    expected = by_hand(Z, T, 0.7 * past + 0.3 * moment(Z), 2.0)
    found = float(TiCoLoss(beta=0.7, rho=2.0)((T, past), Z))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_moment_moves_as_an_average():
    past = np.zeros((6, 6), "float32")
    batches = [embeddings(4, seed) for seed in range(5)]
    for batch in batches:
        past = ops.convert_to_numpy(tico_covariance(batch, past, 0.8))
    expected = sum(0.2 * 0.8**age * moment(b) for age, b in enumerate(reversed(batches)))
    np.testing.assert_allclose(past, expected, rtol=1e-5, atol=1e-7)


def test_equal_projections_cost_more_than_spread_ones():
    same, spread = np.ones((6, 6), "float32"), np.eye(6, dtype="float32")
    assert float(TiCoLoss()(same, same)) > float(TiCoLoss()(spread, spread)) + 0.5


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite(dtype):
    t, z = (ops.cast(100 * x, dtype) for x in (T, Z))
    assert np.isfinite(float(TiCoLoss()(t, z)))


@pytest.mark.parametrize("arguments", [{"beta": 1.5}, {"rho": 0.0}, {"rho": -1.0}])
def test_settings_out_of_range(arguments):
    with pytest.raises(ValueError, match="Received: beta="):
        TiCoLoss(**arguments)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"\(5, 6\) and \(2, 6\)"):
        TiCoLoss()(T, Z[:2])


def test_config_round_trip():
    loss = TiCoLoss(0.8, 20.0, reduction="sum", name="other")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
