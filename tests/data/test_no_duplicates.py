"""Batches in which no text comes twice."""

import collections

import numpy as np
import pytest

from keras_contrastive.data import NoDuplicateBatches
from tests.methods.parts import compiled
from tests.methods.test_simcse import TRIPLETS, simcse

RNG = np.random.default_rng(0)
# 60 samples of 3 texts; some texts come eight times, also in different columns.
COLUMNS = tuple(RNG.integers(0, 60, (60, 1)) for _ in range(3))
SCORES = np.arange(60, dtype="float32")


def make(columns=COLUMNS, labels=SCORES, **kwargs):
    return NoDuplicateBatches(columns, labels, **{"batch_size": 6, **kwargs})


def epoch(batches):
    return [batches[i] for i in range(len(batches))]


def rows(batches):
    return [labels.astype(int).tolist() for _, labels in epoch(batches)]


def test_no_text_is_in_two_samples_of_a_batch_and_every_sample_comes_once():
    batches = make()
    for _ in range(20):
        for columns, labels in epoch(batches):
            texts = [set(sample) for sample in np.concatenate(columns, axis=1).tolist()]
            counts = collections.Counter(text for sample in texts for text in sample)
            assert max(counts.values()) == 1
            for column, whole in zip(columns, COLUMNS, strict=True):
                np.testing.assert_array_equal(column, whole[labels.astype(int)])
        seen = rows(batches)
        assert sorted(row for batch in seen for row in batch) == list(range(60))
        assert {len(batch) for batch in seen} == {6}
        batches.on_epoch_end()
    assert batches.epoch == 20


def test_the_rest_is_last_or_dropped():
    columns, labels = tuple(part[:57] for part in COLUMNS), SCORES[:57]
    assert [len(batch) for batch in rows(make(columns, labels))] == [6] * 9 + [3]
    dropped = rows(make(columns, labels, drop_remainder=True))
    assert [len(batch) for batch in dropped] == [6] * 9


def test_orders_follow_the_seed_and_the_epoch():
    first = rows(make())
    assert first == rows(make()) != rows(make(seed=1))
    batches = make()
    rows(batches)
    batches.on_epoch_end()
    second = rows(batches)
    assert first != second
    batches.epoch = 0  # as a run that goes on does
    assert rows(batches) == first


def test_without_duplicates_the_order_is_that_of_other_batches():
    ids = np.arange(20)[:, None]
    assert rows(make((ids,), np.arange(20), shuffle=False)) == [
        [*range(start, min(start + 6, 20))] for start in range(0, 20, 6)
    ]


def test_a_full_batch_makes_room():
    """When the second 1 comes, only the batch of the first has a place."""
    ids = np.array([2, 3, 4, 5, 1, 1])[:, None]
    found = rows(make((ids,), np.arange(6), batch_size=2, shuffle=False))
    assert found == [[1, 5], [2, 3], [4, 0]]


def test_a_text_may_come_twice_in_one_sample():
    ids = np.arange(8)[:, None]
    assert len(make((ids, ids), None, batch_size=4)) == 2


def test_batches_without_labels_are_what_fit_takes():
    ((first, second),) = make(COLUMNS[:2], None)[0]
    assert first.shape == second.shape == (6, 1)
    (alone,) = make(np.arange(9)[:, None], None)[0]
    assert alone.shape == (6, 1)


def test_simcse_fits_them():
    method = compiled(simcse())
    twice = tuple(2 * part for part in TRIPLETS)  # every sentence of it
    batches = NoDuplicateBatches(method.prepare(twice), batch_size=8)
    history = method.fit(batches, epochs=1, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": (COLUMNS[0], COLUMNS[1][:5])}, r"one shape \(N, T\).*\(5, 1\)"),
        ({"columns": (SCORES,)}, r"one shape \(N, T\)"),
        ({"labels": SCORES[:5]}, "each of 60 samples. Received: 5"),
        ({"columns": np.full((60, 1), 7)}, r"batches, 10. Received: 60 samples with \[7\]"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_what_cannot_be_kept_apart_is_refused():
    """Each two of the three samples share a text, which no count of one text shows."""
    columns = np.array([[1], [2], [1]]), np.array([[2], [3], [3]])
    with pytest.raises(ValueError, match="can be kept apart"):
        make(columns, None, batch_size=2)
