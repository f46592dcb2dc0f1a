"""Batches of P classes and K samples."""

import numpy as np
import pytest

from keras_contrastive.data import ClassBatches

# Classes of 40, 10, 7, 5 and 2 samples.
LABELS = np.repeat(np.arange(5), [40, 10, 7, 5, 2])
IMAGES = np.arange(64, dtype="uint8")[:, None, None, None] * np.ones((1, 2, 2, 1), "uint8")


def make(**kwargs):
    return ClassBatches(IMAGES, LABELS, **{"classes_per_batch": 3, "samples_per_class": 4} | kwargs)


def rows(batches):
    return [images[:, 0, 0, 0] for images, _ in (batches[i] for i in range(len(batches)))]


def test_every_batch_has_p_classes_of_k_samples():
    batches = make()
    assert len(batches) == 64 // 12
    for i in range(len(batches)):
        images, labels = batches[i]
        classes, counts = np.unique(labels, return_counts=True)
        assert len(classes) == 3
        assert (counts == 4).all()
        np.testing.assert_array_equal(labels, LABELS[images[:, 0, 0, 0]])


def test_classes_come_equally_often():
    batches = make(batches_per_epoch=20)
    labels = np.concatenate([batches[i][1] for i in range(20)])
    counts = np.bincount(labels) // 4
    assert counts.sum() == 60
    assert counts.max() - counts.min() <= 1


def test_samples_of_a_class_come_once_before_one_comes_again():
    seen = np.concatenate(rows(make(batches_per_epoch=20)))
    counts = np.bincount(seen, minlength=64)
    for label in range(5):
        own = counts[label == LABELS]
        assert own.max() - own.min() <= 1


def test_a_small_class_repeats_samples_within_a_batch():
    for batch in rows(make(batches_per_epoch=10)):
        own = batch[LABELS[batch] == 4]
        if len(own):
            assert sorted(own) == [62, 62, 63, 63]
        others = batch[LABELS[batch] != 4]
        assert len(set(others)) == len(others) or (LABELS[others] > 1).any()


def test_orders_follow_the_seed_and_the_epoch():
    first = np.concatenate(rows(make()))
    np.testing.assert_array_equal(first, np.concatenate(rows(make())))
    assert (first != np.concatenate(rows(make(seed=1)))).any()
    batches = make()
    rows(batches)
    batches.on_epoch_end()
    second = np.concatenate(rows(batches))
    assert (first != second).any()
    batches.epoch = 0
    np.testing.assert_array_equal(first, np.concatenate(rows(batches)))


def test_threads_change_nothing():
    plain, threaded = rows(make()), rows(make(threads=2))
    np.testing.assert_array_equal(np.concatenate(plain), np.concatenate(threaded))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes_per_batch": 6}, "at least classes_per_batch=6 classes. Received: 5"),
        ({"classes_per_batch": 1}, "two classes a batch"),
        ({"samples_per_class": 1}, "samples_per_class=1"),
        ({"batches_per_epoch": 0}, "batches_per_epoch of at least 1"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_refuses_unlabelled_samples():
    with pytest.raises(ValueError, match="labels from -1"):
        ClassBatches(IMAGES, np.where(LABELS == 4, -1, LABELS), classes_per_batch=2)


def test_no_sample_repeats_within_a_batch_where_its_class_is_large_enough():
    labels = np.repeat(np.arange(4), 5)
    batches = ClassBatches(IMAGES[:20], labels, 2, samples_per_class=4, batches_per_epoch=50)
    for batch in rows(batches):
        assert len(set(batch)) == len(batch)
