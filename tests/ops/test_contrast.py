"""Masked sums and batch statistics against NumPy."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive.ops import (
    as_unit_range,
    l2_normalize,
    masked_logsumexp,
    pairwise_cosine,
    participation_ratio,
    positive_is_nearest,
    representation_std,
)
from tests.gradients import value_and_gradients

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 3)).astype("float32"), RNG.normal(size=(7, 3)).astype("float32")


def test_masked_logsumexp_is_the_loop():
    def keep(row, column):
        return (row + column) % 3 != 0

    expected = [
        np.log(sum(np.exp(X[i] @ Y[j]) for j in range(7) if (i + j) % 3 != 0)) for i in range(5)
    ]
    np.testing.assert_allclose(
        ops.convert_to_numpy(masked_logsumexp(X, Y, keep)), expected, rtol=1e-5
    )


def test_masked_logsumexp_of_huge_logits_is_finite():
    result = ops.convert_to_numpy(masked_logsumexp(X * 1e4, Y, lambda row, column: row != column))
    assert np.isfinite(result).all()


def test_pairwise_cosine():
    expected = (X / np.linalg.norm(X, axis=1, keepdims=True)) @ (
        Y / np.linalg.norm(Y, axis=1, keepdims=True)
    ).T
    np.testing.assert_allclose(ops.convert_to_numpy(pairwise_cosine(X, Y)), expected, atol=1e-6)


def test_positive_is_nearest_respects_the_mask():
    z = np.eye(3, dtype="float32")
    with_itself = positive_is_nearest(z, z, np.array([1, 1, 2]))
    assert ops.convert_to_numpy(with_itself).tolist() == [0, 1, 1]
    queries = np.array([[1.0, 0.9, 0.1]] * 3, "float32")
    apart = positive_is_nearest(queries, z, np.array([1, 0, 0]), lambda row, column: row != column)
    assert ops.convert_to_numpy(apart).tolist() == [1, 1, 1]


def test_participation_ratio_is_that_of_the_covariance():
    eigenvalues = np.linalg.eigvalsh(np.cov(X.T))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    np.testing.assert_allclose(float(participation_ratio(X)), expected, rtol=1e-5)
    assert float(participation_ratio(np.ones((4, 3), "float32"))) == 0


def test_representation_std_is_one_on_the_sphere_and_zero_when_collapsed():
    z = RNG.normal(size=(4000, 16)).astype("float32")
    np.testing.assert_allclose(float(representation_std(z)), 1, atol=0.02)
    assert float(representation_std(np.ones((8, 4), "float32"))) < 1e-6


def test_l2_normalize_keeps_zero_at_zero_and_gives_it_no_gradient():
    zeros = np.zeros((1, 3), "float16")
    assert ops.convert_to_numpy(l2_normalize(zeros)).tolist() == [[0, 0, 0]]
    _, gradients = value_and_gradients(
        lambda x: ops.sum(l2_normalize(x["z"])), {"z": zeros.astype("float32")}, ["z"]
    )
    assert gradients["z"].tolist() == [[0, 0, 0]]


def test_unit_range():
    pixels = np.array([0, 51, 255], "uint8")
    np.testing.assert_allclose(ops.convert_to_numpy(as_unit_range(pixels)), [0, 0.2, 1], rtol=1e-6)
    floats = np.array([0.5], "float32")
    assert ops.convert_to_numpy(as_unit_range(floats)).tolist() == [0.5]
    with pytest.raises(ValueError, match="int32"):
        as_unit_range(np.array([1], "int32"))
