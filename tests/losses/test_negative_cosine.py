"""Negative cosine similarity and its stop-gradient."""

import keras
import numpy as np
import pytest

from keras_contrastive.losses import NegativeCosine
from tests.gradients import value_and_gradients

Z = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
P = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")


def test_value_by_hand():
    cosines = [z @ p / np.linalg.norm(z) / np.linalg.norm(p) for z, p in zip(Z, P, strict=True)]
    np.testing.assert_allclose(float(NegativeCosine()(Z, P)), -np.mean(cosines), rtol=1e-5)


def test_the_target_gets_no_gradient_at_all():
    _, gradients = value_and_gradients(
        lambda x: NegativeCosine()(x["z"], x["p"]), {"z": Z, "p": P}, ["z", "p"]
    )
    assert (gradients["z"] == 0).all()
    assert (np.abs(gradients["p"]) > 0).any()


def test_config_round_trip():
    loss = NegativeCosine(reduction="sum", name="other")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"\(4, 6\) and \(2, 6\)"):
        NegativeCosine()(Z, P[:2])
