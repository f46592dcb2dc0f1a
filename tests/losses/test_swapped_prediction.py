"""Swapped prediction against loops over views, samples and prototypes."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import SwappedPrediction, swapped_prediction
from tests.gradients import value_and_gradients

RNG = np.random.default_rng(0)
SCORES = [RNG.uniform(-1, 1, size=(5, 4)).astype("float32") for _ in range(4)]
CODES = [RNG.dirichlet(np.ones(4), size=5).astype("float32") for _ in range(2)]


def by_loops(codes, scores, temperature):
    losses = np.zeros(len(codes[0]))
    for a, code in enumerate(codes):
        for v, score in enumerate(scores):
            for i in range(len(losses) if a != v else 0):
                exp = np.exp(score[i].astype("float64") / temperature)
                losses[i] -= (code[i] * np.log(exp / exp.sum())).sum()
    return losses / (len(codes) * (len(scores) - 1))


@pytest.mark.parametrize(("num_codes", "num_scores"), [(2, 4), (2, 2), (1, 3)])
def test_agrees_with_loops(num_codes, num_scores):
    codes, scores = CODES[:num_codes], SCORES[:num_scores]
    ours = ops.convert_to_numpy(swapped_prediction(codes, scores, 0.2))
    np.testing.assert_allclose(ours, by_loops(codes, scores, 0.2), rtol=1e-5)
    loss = float(SwappedPrediction(0.2)(codes, scores))
    assert loss == pytest.approx(by_loops(codes, scores, 0.2).mean(), rel=1e-5)


def test_no_view_predicts_its_own_code():
    """With codes of the first view alone, its scores have no gradient; the codes never have one."""
    names = ["code", "first", "second"]
    _, gradients = value_and_gradients(
        lambda x: ops.mean(swapped_prediction([x["code"]], [x["first"], x["second"]])),
        dict(zip(names, [CODES[0], SCORES[0], SCORES[1]])),
        names,
    )
    assert (np.abs(gradients["first"]) < 1e-7).all()
    assert (gradients["code"] == 0).all()
    assert (np.abs(gradients["second"]) > 0).any()


def test_half_precision_is_finite():
    scores = [ops.cast(20 * view, "float16") for view in SCORES]
    loss = swapped_prediction(CODES, scores)
    assert "float32" in str(loss.dtype)
    assert np.isfinite(ops.convert_to_numpy(loss)).all()


def test_config_round_trip():
    loss = SwappedPrediction(0.3, reduction="sum", name="other")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize(("codes", "scores"), [([], SCORES), (CODES, SCORES[:1])])
def test_too_few_views(codes, scores):
    with pytest.raises(ValueError, match=r"Expected codes of at least one view.*Received"):
        swapped_prediction(codes, scores)


def test_temperature_is_checked():
    with pytest.raises(ValueError, match="positive `temperature`"):
        SwappedPrediction(0.0)
