"""ReSSL's loss against a double loop, and what it must not move."""

import keras
import numpy as np
import pytest

from keras_contrastive.losses import ReSSLLoss
from tests.gradients import value_and_gradients


def embeddings(num, seed, dim=6):
    return np.random.default_rng(seed).normal(size=(num, dim)).astype("float32")


Q, K, OTHERS = embeddings(4, 0), embeddings(4, 1), embeddings(7, 2)


def unit(x):
    return x / np.linalg.norm(x)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def test_it_is_the_double_loop():
    losses = []
    for q, k in zip(Q, K, strict=True):
        student = softmax(np.array([unit(q) @ unit(n) / 0.1 for n in OTHERS]))
        teacher = softmax(np.array([unit(k) @ unit(n) / 0.04 for n in OTHERS]))
        losses.append(-sum(t * np.log(s) for t, s in zip(teacher, student, strict=True)))
    np.testing.assert_allclose(float(ReSSLLoss()((K, OTHERS), Q)), np.mean(losses), rtol=1e-5)


def test_no_loss_is_below_the_entropy_of_the_teacher():
    teacher = np.stack([softmax(np.array([unit(k) @ unit(n) / 0.04 for n in OTHERS])) for k in K])
    entropy = -np.mean(np.sum(teacher * np.log(teacher), axis=1))
    assert float(ReSSLLoss()((K, OTHERS), Q)) > entropy


def test_only_the_queries_get_a_gradient():
    _, gradients = value_and_gradients(
        lambda x: ReSSLLoss()((x["k"], x["others"]), x["q"]),
        {"q": Q, "k": K, "others": OTHERS},
        ["q", "k", "others"],
    )
    assert (gradients["k"] == 0).all()
    assert (gradients["others"] == 0).all()
    assert np.abs(gradients["q"]).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite(dtype):
    k, others, q = (keras.ops.cast(100 * x, dtype) for x in (K, OTHERS, Q))
    assert np.isfinite(float(ReSSLLoss()((k, others), q)))


def test_the_teacher_must_be_sharper():
    with pytest.raises(ValueError, match=r"target_temperature=0\.1, temperature=0\.1"):
        ReSSLLoss(0.1, 0.1)


def test_keys_without_others_are_refused():
    with pytest.raises(ValueError, match=r"\(keys, others\).*Received: one tensor"):
        ReSSLLoss()(K, Q)


def test_config_round_trip():
    loss = ReSSLLoss(0.2, 0.1, reduction="sum", name="other")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
