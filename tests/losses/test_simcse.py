"""SimCSE's loss against a double loop and cases whose answer is seen by eye."""

import math

import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import LearnedTemperature
from keras_contrastive.losses import InfoNCE, SimCSELoss, simcse
from tests.gradients import value_and_gradients


def embeddings(num, dim=6, seed=0):
    return np.random.default_rng(seed).normal(size=(num, dim)).astype("float32")


def by_hand(queries, keys, hard, temperature, log_weight):
    """One value a sample, by a double loop in float64."""
    q, k, h = (z.astype("float64") for z in (queries, keys, hard))
    q, k, h = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (q, k, h))
    losses = []
    for i in range(len(q)):
        total = 0.0
        for j in range(len(q)):
            weight = math.exp(log_weight) if i == j else 1.0
            total += math.exp(q[i] @ k[j] / temperature)
            total += weight * math.exp(q[i] @ h[j] / temperature)
        losses.append(-math.log(math.exp(q[i] @ k[i] / temperature) / total))
    return losses


@pytest.mark.parametrize("num", [1, 2, 5])
@pytest.mark.parametrize("log_weight", [0.0, 1.5, -2.0])
def test_it_is_the_double_loop(num, log_weight):
    q, k, h = (embeddings(num, seed=seed) for seed in (1, 2, 3))
    got = SimCSELoss(0.2, log_weight, reduction=None)((k, h), q)
    expected = by_hand(q, k, h, 0.2, log_weight)
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, rtol=1e-5, atol=1e-6)


def test_without_hard_negatives_it_is_info_nce():
    q, k = embeddings(4, seed=1), embeddings(4, seed=2)
    got = float(SimCSELoss(0.2, hard_negative_log_weight=3.0)(k, q))
    np.testing.assert_allclose(got, float(InfoNCE(0.2)(k, q)), rtol=1e-5)


@pytest.mark.parametrize("with_hard", [False, True])
def test_both_directions(with_hard):
    """Keys are told from queries alone: hard negatives have none."""
    q, k, h = (embeddings(4, seed=seed) for seed in (1, 2, 3))
    keys = (k, h) if with_hard else k
    forth = ops.convert_to_numpy(SimCSELoss(0.2, reduction=None)(keys, q))
    back = ops.convert_to_numpy(InfoNCE(0.2, reduction=None)(q, k))
    loss = SimCSELoss(0.2, symmetric=True, reduction=None)
    np.testing.assert_allclose(ops.convert_to_numpy(loss(keys, q)), (forth + back) / 2, rtol=1e-5)


def test_all_equal_embeddings_give_the_log_of_the_candidates():
    z = np.ones((8, 4), "float32")
    np.testing.assert_allclose(float(SimCSELoss()((z, z), z)), math.log(16), rtol=1e-5)
    np.testing.assert_allclose(float(SimCSELoss()(z, z)), math.log(8), rtol=1e-5)


def test_a_sentence_is_pushed_from_its_own_hard_negative_the_more_it_weighs():
    arrays = {name: embeddings(4, seed=seed) for seed, name in enumerate(("q", "k", "h"))}

    def pull(log_weight):
        """How the loss of query 0 grows with its cosine to its own hard negative."""
        _, gradients = value_and_gradients(
            lambda t: simcse(t["q"], t["k"], t["h"], 0.5, log_weight)[0], arrays, ["h"]
        )
        return np.abs(gradients["h"]).max(axis=1)

    light, even, heavy = pull(-3.0), pull(0.0), pull(3.0)
    assert light[0] < even[0] < heavy[0]
    assert heavy[1:].max() < even[1:].max()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite(dtype):
    q, k, h = (ops.cast(100 * embeddings(4, seed=seed), dtype) for seed in (1, 2, 3))
    assert np.isfinite(float(SimCSELoss()((k, h), q)))


def test_config_round_trip():
    loss = SimCSELoss(0.3, 1.5, symmetric=True, name="mine", reduction="sum")
    again = SimCSELoss.from_config(loss.get_config())
    assert again.get_config() == loss.get_config()
    q, k, h = (embeddings(3, seed=seed) for seed in (1, 2, 3))
    assert float(again((k, h), q)) == float(loss((k, h), q))


def test_a_learned_temperature_fits():
    loss = SimCSELoss(LearnedTemperature(0.2))
    q, k, h = (embeddings(3, seed=seed) for seed in (1, 2, 3))
    expected = np.mean(by_hand(q, k, h, 0.2, 0.0))
    got = float(ops.convert_to_numpy(ops.stop_gradient(loss((k, h), q))))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_what_does_not_fit():
    z = embeddings(4)
    with pytest.raises(ValueError, match="same shape"):
        SimCSELoss()((z, z[:3]), z)
    with pytest.raises(ValueError, match="temperature=0"):
        SimCSELoss(0.0)
