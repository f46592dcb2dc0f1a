"""Rank correlations of sentence pairs: by hand, and the three ways to put data sets together."""

import numpy as np
import pytest

from keras_contrastive.evaluation import sts, sts_correlations, sts_geometry


def ranks(values):
    """Ranks from 1, ties at their mean."""
    values = np.asarray(values)
    return np.array(
        [np.sum(values < value) + (np.sum(values == value) + 1) / 2 for value in values]
    )


def spearman(first, second):
    return np.corrcoef(ranks(first), ranks(second))[0, 1]


def pairs(num=40, seed=0):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, num, 5)).astype("float32")
    return first, second, rng.integers(0, 11, num) / 2  # with ties


def cosines(first, second):
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.sum(first * second, axis=1) / lengths


def test_all_mean_and_wmean_are_what_they_are_called():
    first, second, scores = pairs()
    groups = ["a"] * 10 + ["b"] * 25 + ["c"] * 5
    got = sts_correlations(first, second, scores, groups)
    similarities = cosines(first, second)
    each = [spearman(similarities[i:j], scores[i:j]) for i, j in [(0, 10), (10, 35), (35, 40)]]
    expected = {
        "all": spearman(similarities, scores),
        "mean": np.mean(each),
        "wmean": (10 * each[0] + 25 * each[1] + 5 * each[2]) / 40,
    }
    assert got.keys() == expected.keys()
    np.testing.assert_allclose([*got.values()], [*expected.values()], rtol=1e-6)
    assert len({round(value, 3) for value in got.values()}) == 3


def test_one_data_set_has_no_mean():
    first, second, scores = pairs()
    assert sts_correlations(first, second, scores).keys() == {"all"}


def test_lengths_of_vectors_and_the_scale_of_scores_do_not_count():
    first, second, scores = pairs()
    lengths = np.random.default_rng(1).uniform(0.1, 9, (40, 1)).astype("float32")
    expected = sts_correlations(first, second, scores)["all"]
    got = sts_correlations(first * lengths, second, np.exp(scores))["all"]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_every_sentence_is_encoded_once():
    seen = []

    def encode(sentences):
        seen.extend(sentences)
        return [[len(sentence), 1.0] for sentence in sentences]

    first, second = ["a", "bb", "a", "ccc"], ["bb", "bb", "dddd", "a"]
    got = sts(encode, first, second, [3, 5, 1, 2])
    assert seen == ["a", "bb", "ccc", "dddd"]
    vectors = {text: np.array([[len(text), 1.0]]) for text in seen}
    similarities = [cosines(vectors[x], vectors[y])[0] for x, y in zip(first, second, strict=True)]
    np.testing.assert_allclose(got["all"], spearman(similarities, [3, 5, 1, 2]), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": [1.0] * 40}, "40 equal scores in all pairs"),
        ({"scores": [1.0, 2.0]}, r"Received: 40, 40 and scores of shape \(2,\)"),
        ({"scores": [np.nan] * 40}, "Received: 40 that are not"),
        ({"second": np.ones((39, 5))}, "Received: 40, 39"),
        ({"second": np.ones((40, 4))}, "same dimension"),
        ({"first": np.full((40, 5), np.nan)}, "NaN or infinity"),
        ({"groups": ["a"] * 39}, "a group for each of 40 pairs"),
        ({"groups": ["a"] * 39 + ["b"]}, "1 equal similarities in group 'b'"),
    ],
)
def test_what_has_no_correlation(change, message):
    first, second, scores = pairs()
    arguments = {"first": first, "second": second, "scores": scores, **change}
    with pytest.raises(ValueError, match=message):
        sts_correlations(**arguments)


def test_the_geometry_is_that_of_alike_pairs_and_of_distinct_sentences():
    vectors = dict(zip("abcde", np.random.default_rng(0).normal(size=(5, 3)), strict=True))
    first, second, scores = list("aabc"), list("bcde"), [4.0, 3.9, 1.0, 5.0]
    found = sts_geometry(lambda texts: [vectors[text] for text in texts], first, second, scores)
    unit = {text: vector / np.linalg.norm(vector) for text, vector in vectors.items()}
    alike = [np.sum((unit[x] - unit[y]) ** 2) for x, y in ("ab", "ce")]
    apart = [
        np.exp(-2 * np.sum((unit[x] - unit[y]) ** 2)) for x in "abcde" for y in "abcde" if x < y
    ]
    assert found["alignment"] == pytest.approx(np.mean(alike), rel=1e-5)
    assert found["uniformity"] == pytest.approx(np.log(np.mean(apart)), rel=1e-5)


def test_geometry_needs_alike_pairs():
    with pytest.raises(ValueError, match=r"at_least=4\.0. Received: scores up to 2"):
        sts_geometry(lambda texts: np.eye(2)[: len(texts)], ["a"], ["b"], [2.0])
