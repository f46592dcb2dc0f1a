"""Mixtures of hard negatives, each traced back to what it was mixed from."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.ops import matching_accuracy, mix_hard_negatives
from tests.gradients import value_and_gradients


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def vectors(num, seed, dim=8):
    return unit(np.random.default_rng(seed).normal(size=(num, dim))).astype("float32")


QUERIES, NEGATIVES = vectors(4, 0), vectors(12, 1)


def mixtures(num_hardest, num_mixed, num_query_mixed, seed=None, queries=QUERIES):
    seed = seed or keras.random.SeedGenerator(3)
    hard = mix_hard_negatives(queries, NEGATIVES, num_hardest, num_mixed, num_query_mixed, seed)
    return ops.convert_to_numpy(hard)


def shares(h, first, second):
    """The shares of two vectors in `h`, scaled to a sum of 1, or `None` if it is no mixture."""
    basis = np.stack([first, second], axis=1).astype("float64")
    weights, *_ = np.linalg.lstsq(basis, h, rcond=None)
    if np.abs(basis @ weights - h).max() > 1e-5 or weights.min() < -1e-5:
        return None
    return weights / weights.sum()


def hardest(query, num):
    return NEGATIVES[np.argsort(-(NEGATIVES @ query))[:num]]


def test_pairs_come_from_the_hardest_and_have_unit_length():
    hard = mixtures(3, 20, 0)
    assert hard.shape == (4, 20, 8)
    np.testing.assert_allclose(np.linalg.norm(hard, axis=2), 1, rtol=1e-5)
    used = set()
    for query, row in zip(QUERIES, hard, strict=True):
        candidates = hardest(query, 3)
        for h in row:
            pairs = itertools.combinations_with_replacement(range(3), 2)
            found = [
                pair for pair in pairs if shares(h, *(candidates[i] for i in pair)) is not None
            ]
            assert found
            used.update(*found)
    assert used == {0, 1, 2}


def test_mixtures_with_the_query_hold_less_than_half_of_it():
    hard = mixtures(3, 0, 40, queries=5 * QUERIES)  # of any length
    of_query = []
    for query, row in zip(QUERIES, hard, strict=True):
        for h in row:
            found = [shares(h, query, n) for n in hardest(query, 3)]
            of_query += [share[0] for share in found if share is not None]
    assert len(of_query) == 160
    assert min(of_query) < 0.1
    assert 0.4 < max(of_query) <= 0.5 + 1e-5


def test_they_are_harder_than_what_they_were_mixed_from():
    hard = mixtures(2, 0, 10)
    for query, row in zip(QUERIES, hard, strict=True):
        assert (row @ query).min() >= (hardest(query, 2) @ query).min() - 1e-6


def test_draws_follow_the_seed():
    np.testing.assert_array_equal(mixtures(3, 4, 4), mixtures(3, 4, 4))
    generator = keras.random.SeedGenerator(3)
    first, second = (mixtures(3, 4, 4, seed=generator) for _ in range(2))
    np.testing.assert_array_equal(first, mixtures(3, 4, 4))
    assert np.abs(first - second).max() > 1e-2


def test_they_are_constants():
    _, gradients = value_and_gradients(
        lambda x: ops.sum(
            mix_hard_negatives(x["q"], x["n"], 3, 4, 4, keras.random.SeedGenerator(0))
        ),
        {"q": QUERIES, "n": NEGATIVES},
        ["q", "n"],
    )
    assert (gradients["q"] == 0).all()
    assert (gradients["n"] == 0).all()


@pytest.mark.parametrize(("order", "expected"), [([0, 1, 2, 3], 1.0), ([1, 0, 2, 3], 0.5)])
def test_matching_accuracy(order, expected):
    assert float(matching_accuracy(3 * QUERIES, QUERIES[order])) == expected
