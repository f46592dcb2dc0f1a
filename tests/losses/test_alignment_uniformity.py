"""Alignment and uniformity as losses."""

import keras
import numpy as np
import pytest

from keras_contrastive.losses import Alignment, Uniformity

Z = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
PAIRS = [(i, j) for i in range(5) for j in range(i)]


def unit(z):
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_values_by_hand():
    x, y = unit(Z[0]), unit(Z[1])
    distances = np.linalg.norm(x - y, axis=1)
    np.testing.assert_allclose(float(Alignment()(*Z)), (distances**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(float(Alignment(alpha=1.0)(*Z)), distances.mean(), rtol=1e-5)
    potentials = [
        np.log(
            np.mean([np.exp(-3 * np.sum((z[i] - z[j]) ** 2)) for i in range(5) for j in range(i)])
        )
        for z in (x, y)
    ]
    np.testing.assert_allclose(float(Uniformity(t=3.0)(*Z)), np.mean(potentials), rtol=1e-5)


@pytest.mark.parametrize("loss", [Alignment(1.5, name="a"), Uniformity(1.0, reduction="sum")])
def test_config_round_trip(loss):
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"positive `alpha`.*alpha=0"):
        Alignment(0)
    with pytest.raises(ValueError, match=r"positive `t`.*t=-1"):
        Uniformity(-1)
    with pytest.raises(ValueError, match=r"same shape \(N, D\)"):
        Alignment()(Z[0], Z[1][:2])
