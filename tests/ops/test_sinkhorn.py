"""Sinkhorn-Knopp: samples are whole, prototypes share them."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive.ops import sinkhorn
from tests.gradients import value_and_gradients


def cosines(num=256, prototypes=32, dim=128, seed=0):
    rng = np.random.default_rng(seed)
    z, c = rng.normal(size=(num, dim)), rng.normal(size=(prototypes, dim))
    z, c = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (z, c))
    return (z @ c.T).astype("float32")


def codes_of(scores, **kwargs):
    return ops.convert_to_numpy(sinkhorn(scores, **kwargs))


def by_the_paper(scores, epsilon, iterations):
    """Algorithm of the paper in float64, with its constants and its K x B layout."""
    q = np.exp(scores.astype("float64") / epsilon).T
    num_prototypes, num_samples = q.shape
    q /= q.sum()
    for _ in range(iterations):
        q /= q.sum(axis=1, keepdims=True) * num_prototypes
        q /= q.sum(axis=0, keepdims=True) * num_samples
    return (q * num_samples).T


@pytest.mark.parametrize(("epsilon", "iterations"), [(0.05, 3), (0.05, 1), (0.5, 7), (0.03, 2)])
def test_agrees_with_the_papers_algorithm(epsilon, iterations):
    scores = cosines()
    codes = codes_of(scores, epsilon=epsilon, iterations=iterations)
    expected = by_the_paper(scores, epsilon, iterations)
    np.testing.assert_allclose(codes, expected, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_samples_sum_to_one_and_prototypes_to_their_share(seed):
    scores = cosines(num=2048, seed=seed)
    codes = codes_of(scores)
    np.testing.assert_allclose(codes.sum(axis=1), 1, rtol=1e-5)
    share = len(scores) / codes.shape[1]
    np.testing.assert_allclose(codes.sum(axis=0), share, rtol=0.1)


def test_constant_scores_are_shared_equally():
    np.testing.assert_allclose(codes_of(np.full((6, 4), 0.3, "float32")), 0.25, rtol=1e-5)


def test_samples_that_all_like_one_prototype_are_spread():
    scores = np.array([[1.0, 0.2], [1.0, 0.4], [1.0, 0.6], [1.0, 0.8]], "float32")
    assert codes_of(scores, iterations=50).argmax(axis=1).tolist() == [0, 0, 1, 1]


def test_huge_and_half_precision_scores_are_finite():
    scores = 30 * np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
    assert np.isfinite(codes_of(scores)).all()
    half = ops.cast(ops.convert_to_tensor(cosines(16, 8)), "float16")
    codes = sinkhorn(half)
    assert "float32" in str(codes.dtype)
    assert np.isfinite(ops.convert_to_numpy(codes)).all()


def test_codes_are_constants():
    weights = ops.convert_to_tensor(np.random.default_rng(1).normal(size=(16, 8)), "float32")
    _, gradients = value_and_gradients(
        lambda x: ops.sum(ops.multiply(sinkhorn(x["scores"]), weights)) + ops.sum(x["scores"]),
        {"scores": cosines(16, 8)},
        ["scores"],
    )
    np.testing.assert_array_equal(gradients["scores"], 1.0)


@pytest.mark.parametrize("arguments", [{"epsilon": 0.0}, {"iterations": 0}])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=r"positive `epsilon`.*Received"):
        sinkhorn(cosines(4, 2), **arguments)
