"""NT-Xent and InfoNCE against double loops and cases whose answer is seen by eye."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import (
    InfoNCE,
    NTXent,
    info_nce,
    info_nce_accuracy,
    nt_xent,
    nt_xent_accuracy,
)
from keras_contrastive.ops.detection import Detection
from tests.gradients import value_and_gradients


def embeddings(num, dim=6, seed=0):
    return np.random.default_rng(seed).normal(size=(num, dim)).astype("float32")


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def nt_xent_by_hand(z1, z2, temperature):
    """The mean over all 2N anchors, by a double loop in float64."""
    z = unit(np.concatenate([z1, z2]).astype("float64"))
    n = len(z1)
    losses = []
    for i in range(2 * n):
        positive = (i + n) % (2 * n)
        terms = [math.exp(z[i] @ z[k] / temperature) for k in range(2 * n) if k != i]
        losses.append(-math.log(math.exp(z[i] @ z[positive] / temperature) / sum(terms)))
    return np.mean(losses)


def info_nce_by_hand(queries, keys, negatives, temperature):
    q, k, m = unit(queries), unit(keys), None if negatives is None else unit(negatives)
    losses = []
    for i in range(len(q)):
        positive = math.exp(q[i] @ k[i] / temperature)
        others = [k[j] for j in range(len(k)) if j != i] if m is None else m
        total = positive + sum(math.exp(q[i] @ other / temperature) for other in others)
        losses.append(-math.log(positive / total))
    return np.mean(losses)


@pytest.mark.parametrize("num", [1, 2, 5])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_nt_xent_is_the_double_loop(num, temperature):
    z1, z2 = embeddings(num, seed=1), embeddings(num, seed=2)
    expected = nt_xent_by_hand(z1, z2, temperature)
    np.testing.assert_allclose(float(NTXent(temperature)(z1, z2)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("num_negatives", [None, 1, 7])
def test_info_nce_is_the_double_loop(num_negatives):
    q, k = embeddings(4, seed=1), embeddings(4, seed=2)
    negatives = None if num_negatives is None else embeddings(num_negatives, seed=3)
    keys = k if negatives is None else (k, negatives)
    expected = info_nce_by_hand(q, k, negatives, 0.2)
    np.testing.assert_allclose(float(InfoNCE(0.2)(keys, q)), expected, rtol=1e-5)


def test_symmetric_is_the_mean_of_the_directions():
    q, k = embeddings(4, seed=1), embeddings(4, seed=2)
    expected = (info_nce_by_hand(q, k, None, 0.2) + info_nce_by_hand(k, q, None, 0.2)) / 2
    np.testing.assert_allclose(float(InfoNCE(0.2, symmetric=True)(k, q)), expected, rtol=1e-5)


def test_all_equal_embeddings_give_the_log_of_the_candidates():
    z = np.ones((8, 4), "float32")
    np.testing.assert_allclose(float(NTXent()(z, z)), math.log(15), rtol=1e-5)
    np.testing.assert_allclose(float(InfoNCE()((z, z[:5]), z)), math.log(6), rtol=1e-5)


def test_nt_xent_of_orthogonal_pairs_by_hand():
    z = np.eye(2, dtype="float32")  # positive at 1, two negatives at 0, temperature 1
    expected = math.log(math.e + 2) - 1
    np.testing.assert_allclose(float(NTXent(1.0)(z, z)), expected, rtol=1e-5)


def test_order_of_the_samples_does_not_matter():
    z1, z2 = embeddings(6, seed=1), embeddings(6, seed=2)
    order = np.random.default_rng(0).permutation(6)
    once, again = (
        ops.convert_to_numpy(nt_xent(z1, z2)),
        ops.convert_to_numpy(nt_xent(z1[order], z2[order])),
    )
    np.testing.assert_allclose(once[order], again, rtol=1e-5)


def test_random_embeddings_are_near_the_log_of_the_candidates():
    # Independent unit vectors: ln(2N - 1) + 1 / (2 d t^2), for d large.
    z1, z2 = embeddings(256, 128, seed=1), embeddings(256, 128, seed=2)
    expected = math.log(511) + 1 / (2 * 128 * 0.5**2)
    np.testing.assert_allclose(float(NTXent(0.5)(z1, z2)), expected, atol=0.02)


def test_length_of_the_embeddings_does_not_matter():
    z1, z2 = embeddings(4, seed=1), embeddings(4, seed=2)
    np.testing.assert_allclose(float(NTXent()(z1, z2)), float(NTXent()(9 * z1, z2)), rtol=1e-5)


def test_gradient_reaches_both_views_and_every_row():
    z1, z2 = embeddings(4, seed=1), embeddings(4, seed=2)
    _, gradients = value_and_gradients(
        lambda x: NTXent(0.5)(x["z1"], x["z2"]), {"z1": z1, "z2": z2}, ["z1", "z2"]
    )
    for gradient in gradients.values():
        assert (np.abs(gradient).sum(axis=1) > 1e-4).all()


def test_zero_vectors_give_finite_gradients():
    z = np.zeros((3, 4), "float32")
    value, gradients = value_and_gradients(
        lambda x: NTXent(0.1)(x["z1"], x["z2"]), {"z1": z, "z2": z}, ["z1", "z2"]
    )
    assert math.isfinite(value)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_inputs_are_computed_in_float32(dtype):
    z1, z2 = (ops.cast(embeddings(8, seed=s) * 50, dtype) for s in (1, 2))
    loss = NTXent(temperature=0.01)(z1, z2)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    exact = NTXent(temperature=0.01)(ops.cast(z1, "float32"), ops.cast(z2, "float32"))
    np.testing.assert_allclose(float(loss), float(exact), rtol=1e-5)


def test_sample_weight_and_reduction():
    z1, z2 = embeddings(4, seed=1), embeddings(4, seed=2)
    each = ops.convert_to_numpy(NTXent(reduction=None)(z1, z2))
    assert each.shape == (4,)
    weighted = float(NTXent()(z1, z2, sample_weight=np.array([1.0, 0, 0, 0], "float32")))
    np.testing.assert_allclose(weighted, each[0] / 4, rtol=1e-5)


def test_accuracies_by_eye():
    z = np.eye(4, dtype="float32")
    assert float(nt_xent_accuracy(z, z)) == 1.0
    assert float(nt_xent_accuracy(z, z[::-1].copy())) == 0.0
    queries = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    keys = np.array([[1.0, 0.1], [1.0, 0.0]], "float32")  # the second query misses its key
    assert float(info_nce_accuracy(queries, keys, np.array([[0.1, 1.0]], "float32"))) == 0.5


@pytest.mark.parametrize("loss", [NTXent(0.3, name="a"), InfoNCE(0.3, symmetric=True)])
def test_config_round_trip(loss):
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert again.temperature == 0.3


def test_bad_input_is_refused():
    z = embeddings(4)
    with pytest.raises(ValueError, match=r"positive `temperature`.*Received: temperature=0"):
        NTXent(temperature=0)
    with pytest.raises(ValueError, match=r"same shape \(N, D\).*\(4, 6\) and \(3, 6\)"):
        NTXent()(z, z[:3])
    with pytest.raises(ValueError, match=r"same shape \(N, D\)"):
        InfoNCE()(z[None], z[None])
    with pytest.raises(ValueError, match="symmetric=True"):
        InfoNCE(symmetric=True)((z, z), z)


def test_pure_functions_give_one_value_a_sample():
    z = embeddings(5)
    assert tuple(nt_xent(z, z).shape) == (5,)
    assert tuple(info_nce(z, z).shape) == (5,)


def test_a_false_negative_counts_in_neither_direction():
    q, k = embeddings(3, seed=1), embeddings(3, seed=2)
    found = Detection(lambda query, key: ops.logical_and(query == 0, key == 1))
    got = ops.convert_to_numpy(InfoNCE(0.5, symmetric=True, reduction=None).call(k, q, None, found))
    logits = unit(q) @ unit(k).T / 0.5
    logits[0, 1] = -np.inf
    expected = [np.log(np.exp(scores).sum(1)) - np.diag(scores) for scores in (logits, logits.T)]
    np.testing.assert_allclose(got, sum(expected) / 2, rtol=1e-5)
