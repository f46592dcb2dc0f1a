"""Mined hard negatives against a sorted matrix."""

import numpy as np
import pytest

from keras_contrastive.data import mine_hard_negatives
from keras_contrastive.ops import tiles
from keras_contrastive.ops.streaming import most_similar

RNG = np.random.default_rng(0)
CANDIDATES = RNG.normal(size=(40, 5)).astype("float32")
ANCHORS = (CANDIDATES[:30] + 0.4 * RNG.normal(size=(30, 5))).astype("float32")


def cosines(anchors, candidates):
    unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in (anchors, candidates)]
    return unit[0].astype("float64") @ unit[1].T.astype("float64")


def by_hand(positives, ranks, margin, relative_margin):
    s, found = cosines(ANCHORS, CANDIDATES), []
    for row, own in zip(s, np.reshape(positives, (30, -1)), strict=True):
        nearness = row[own].min()
        bound = nearness - margin - relative_margin * abs(nearness)
        order = [j for j in np.argsort(-row) if j not in own and row[j] < bound]
        found.append((order[ranks[0] : ranks[1]] + [-1] * ranks[1])[: ranks[1] - ranks[0]])
    return np.array(found)


@pytest.mark.parametrize("tile", [7, 1024])
@pytest.mark.parametrize("ranks", [(0, 1), (3, 9), (0, 40)])
@pytest.mark.parametrize("margins", [(0.0, 0.05), (0.3, 0.0)])
def test_they_are_the_nearest_below_the_bound(monkeypatch, tile, ranks, margins):
    monkeypatch.setattr(tiles, "_tile_size", tile)
    got = mine_hard_negatives(
        ANCHORS, CANDIDATES, ranks=ranks, margin=margins[0], relative_margin=margins[1]
    )
    np.testing.assert_array_equal(got, by_hand(np.arange(30), ranks, *margins))


def test_the_largest_of_all_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "_tile_size", 4)
    value, index = (np.asarray(part) for part in most_similar(ANCHORS, CANDIDATES, 11))
    products = ANCHORS @ CANDIDATES.T
    np.testing.assert_array_equal(index, np.argsort(-products, axis=1)[:, :11])
    np.testing.assert_allclose(value, -np.sort(-products, axis=1)[:, :11], rtol=1e-5)


def test_several_positives():
    positives = np.stack([np.arange(30), (np.arange(30) + 7) % 40], axis=1)
    got = mine_hard_negatives(ANCHORS, CANDIDATES, positives, ranks=(0, 3))
    np.testing.assert_array_equal(got, by_hand(positives, (0, 3), 0.0, 0.05))


def test_copies_of_a_sentence_are_no_negatives_of_it():
    """Among sentences without pairs; and a paraphrase is kept away by the margin."""
    near = CANDIDATES + 0.01 * RNG.normal(size=CANDIDATES.shape)
    everything = np.concatenate([CANDIDATES, CANDIDATES, near])
    found = mine_hard_negatives(everything, everything)[:, 0]
    assert (found % 40 != np.arange(120) % 40).all()
    without = mine_hard_negatives(everything, everything, relative_margin=0.0)[:40, 0]
    assert (without % 40 == np.arange(40)).mean() > 0.9  # the paraphrase


def test_no_candidate_counts():
    assert mine_hard_negatives([[1.0, 0.0]], [[1.0, 0.0]], ranks=(0, 2)).tolist() == [[-1, -1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ANCHORS, CANDIDATES[:, :3]), "Received: 5 and 3"),
        ((ANCHORS[0], CANDIDATES), r"finite anchors of shape \(N, D\)"),
        ((np.full((2, 5), np.nan), CANDIDATES), "10 values that are not finite"),
        ((ANCHORS, CANDIDATES[:5]), "each of 30 anchors"),
        ((ANCHORS, CANDIDATES, np.full(30, 40)), "from 40 to 40"),
        ((ANCHORS, CANDIDATES, np.zeros(30)), "dtype float64"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        mine_hard_negatives(*arguments)


@pytest.mark.parametrize("arguments", [{"ranks": (2, 2)}, {"ranks": (-1, 2)}, {"margin": -0.1}])
def test_refuses_ranges(arguments):
    with pytest.raises(ValueError, match="0 <= first < last, and margins"):
        mine_hard_negatives(ANCHORS, CANDIDATES, **arguments)
