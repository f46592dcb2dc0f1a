"""Weighted kNN against a double loop, cases seen by eye, and bad input."""

import json
import pathlib

import numpy as np
import pytest

from keras_contrastive.evaluation import knn_accuracy, knn_predict

GOLDEN = pathlib.Path(__file__).parents[1] / "oracles" / "golden" / "knn-v.npz"


def by_loops(bank, labels, queries, num_classes, k, temperature):
    ranked = []
    for query in queries:
        similar = [q @ query / np.linalg.norm(q) / np.linalg.norm(query) for q in bank]
        scores = np.zeros(num_classes)
        for j in sorted(range(len(bank)), key=lambda j: -similar[j])[:k]:
            scores[labels[j]] += np.exp(similar[j] / temperature)
        ranked.append(sorted(range(num_classes), key=lambda c: -scores[c]))
    return np.array(ranked)


@pytest.mark.parametrize("k", [1, 7, 60])
def test_equals_double_loop_over_several_tiles(k):
    rng = np.random.default_rng(0)
    bank, queries = rng.normal(size=(60, 5)), rng.normal(size=(300, 5))
    labels = rng.integers(0, 4, 60)
    ranked = knn_predict(bank, labels, queries, k=k, temperature=0.3, num_classes=6)
    np.testing.assert_array_equal(ranked, by_loops(bank, labels, queries, 6, k, 0.3))


def test_golden_file():
    with np.load(GOLDEN) as file:
        params = json.loads(str(file["params"]))
        ranked = knn_predict(file["bank"], file["labels"], file["query"], **params)
        np.testing.assert_array_equal(ranked, file["predictions_ranked"])


def test_two_distant_votes_beat_one_near_only_at_a_high_temperature():
    bank = [[1.0, 0.0], [0.8, 0.6], [0.8, -0.6]]  # cosines 1, 0.8, 0.8 with the query
    arguments = {"bank": bank, "bank_labels": [0, 1, 1], "queries": [[3.0, 0.0]], "k": 3}
    assert knn_predict(**arguments, temperature=10.0)[0, 0] == 1
    assert knn_predict(**arguments, temperature=0.1)[0, 0] == 0
    # exp(1 / 0.0001) overflows even in float64.
    assert knn_predict(**arguments, temperature=1e-4)[0, 0] == 0


def test_scale_of_features_does_not_matter():
    rng = np.random.default_rng(1)
    bank, queries, labels = rng.normal(size=(30, 4)), rng.normal(size=(9, 4)), np.arange(30) % 3
    scaled = bank * rng.uniform(0.01, 100, (30, 1)), labels, queries * 1e4
    np.testing.assert_array_equal(
        knn_predict(bank, labels, queries, k=5), knn_predict(*scaled, k=5)
    )


def test_accuracy_counts_first_places():
    bank, labels = np.eye(3), [2, 0, 1]
    queries = [[1, 0.1, 0], [0, 1, 0.1], [0, 0, 1.0], [1, 0, 0.0]]
    assert knn_accuracy(bank, labels, queries, [2, 0, 1, 1], k=1) == 0.75


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 4}, "Expected k from 1 to the size of the bank, 3. Received: k=4"),
        ({"k": 0}, "Received: k=0"),
        ({"temperature": 0.0}, "Expected `temperature` to be positive. Received: temperature=0.0"),
        ({"bank": [[1.0], [2.0], [np.nan]]}, "NaN or infinity in 1 of 3 rows"),
        ({"bank": [1.0, 2.0, 3.0]}, r"Expected bank of shape \(N, D\)"),
        ({"queries": [[1.0, 2.0]]}, "same dimension.*Received: 1 and 2"),
        ({"bank_labels": [0, 1]}, r"Expected bank labels of shape \(3,\)"),
        ({"bank_labels": [0.0, 1.0, 1.0]}, "integer class indices. Received: dtype float"),
        ({"bank_labels": [0, 1, -1]}, "Received: labels from -1 to 1"),
        ({"num_classes": 1}, "Expected bank labels to be 0 to 0. Received: labels from 0 to 1"),
    ],
)
def test_bad_input(changes, message):
    arguments = {
        "bank": [[1.0], [2.0], [3.0]],
        "bank_labels": [0, 1, 1],
        "queries": [[1.0]],
        "k": 1,
    }
    with pytest.raises(ValueError, match=message):
        knn_predict(**arguments | changes)


def test_query_class_that_the_bank_lacks():
    with pytest.raises(ValueError, match=r"among the classes of the bank. Received: \[1, 5\]"):
        knn_accuracy(np.eye(2), [0, 2], np.eye(2)[[0, 1, 1]], [5, 1, 2], k=1)
