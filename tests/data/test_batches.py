import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.data import Batches, indexed


class Rows(Batches):
    def read(self, rows):
        return rows


def epoch(batches):
    return [batches[i] for i in range(len(batches))]


def test_every_row_once_an_epoch_in_a_new_order():
    batches = Rows(10, batch_size=4, seed=3)
    first = np.concatenate(epoch(batches))
    assert sorted(first) == list(range(10))
    assert [len(batch) for batch in epoch(batches)] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(epoch(batches)), first)
    batches.on_epoch_end()
    assert batches.epoch == 1
    second = np.concatenate(epoch(batches))
    assert sorted(second) == list(range(10))
    assert second.tolist() != first.tolist()
    batches.epoch = 0  # as a run that goes on does
    np.testing.assert_array_equal(np.concatenate(epoch(batches)), first)


def test_orders_follow_the_seed():
    orders = [np.concatenate(epoch(Rows(50, seed=seed))).tolist() for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert np.concatenate(epoch(Rows(50, shuffle=False))).tolist() == list(range(50))


def test_the_remainder_is_dropped_on_request():
    batches = Rows(10, batch_size=4, drop_remainder=True)
    assert [len(batch) for batch in epoch(batches)] == [4, 4]


def test_refuses():
    with pytest.raises(ValueError, match="batch_size of at least 1"):
        Rows(10, batch_size=0)
    with pytest.raises(ValueError, match="at most the 10 rows with drop_remainder"):
        Rows(10, batch_size=11, drop_remainder=True)
    with pytest.raises(IndexError, match=r"0\.\.2. Received: 3"):
        Rows(10, batch_size=4)[3]


def test_indexed_batches_belong_together():
    images = np.arange(7, dtype="uint8")[:, None, None, None] * np.ones((1, 2, 2, 1), "uint8")
    labels = np.arange(7) % 3
    for batch, y in epoch(indexed(images, labels, batch_size=3)):
        assert batch["index"].dtype == np.int32
        np.testing.assert_array_equal(batch["inputs"][:, 0, 0, 0], batch["index"])
        np.testing.assert_array_equal(y, batch["index"] % 3)


def test_indexed_refuses_what_the_checks_refuse():
    with pytest.raises(ValueError, match=r"float images in \[0, 1\]"):
        indexed(np.full((2, 4, 4, 3), 255.0))
    with pytest.raises(ValueError, match=r"one label an image \(2\)"):
        indexed(np.zeros((2, 4, 4, 3), "uint8"), np.arange(3))


class Counter(keras.Model):
    """Counts in a table how often `fit` shows it each row."""

    def __init__(self, rows):
        super().__init__()
        self.table = self.add_weight(shape=(rows,), initializer="zeros", trainable=False)
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, x):
        seen = ops.one_hot(x["index"], self.table.shape[0], dtype="float32")
        self.table.assign(self.table + ops.sum(seen, 0))
        return self.scale * ops.mean(ops.cast(x["inputs"], "float32"), (1, 2, 3))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("labels", [None, np.arange(29)])
@pytest.mark.parametrize("threads", [0, 3])
def test_fit_sees_every_row_once_an_epoch(labels, threads, shuffle):
    images = np.ones((29, 2, 2, 1), "uint8")
    model = Counter(29)
    model.compile("sgd")
    batches = indexed(images, labels, batch_size=4, threads=threads)
    for runs in (1, 2):
        model.fit(batches, epochs=3, shuffle=shuffle, verbose=0)
        np.testing.assert_array_equal(np.asarray(model.table), np.full(29, 3.0 * runs))
        assert batches.epoch == 3 * runs


def test_an_epoch_that_is_left_begins_again():
    """As `fit` leaves one after its first batch, to build the model."""
    batches = Rows(10, batch_size=4)
    first = batches[0]
    batches.on_epoch_end()
    assert batches.epoch == 0
    np.testing.assert_array_equal(batches[0], first)


def test_threads_read_ahead_and_change_nothing():
    plain, threaded = Rows(50, batch_size=4, seed=1), Rows(50, batch_size=4, seed=1, threads=2)
    for _ in range(3):
        for a, b in zip(epoch(plain), epoch(threaded), strict=True):
            np.testing.assert_array_equal(a, b)
        plain.on_epoch_end()
        threaded.on_epoch_end()
    for index in (7, 0, 3, 3, 12, 1):  # in no order
        np.testing.assert_array_equal(plain[index], threaded[index])


def test_what_was_read_ahead_in_vain_is_let_go():
    batches = Rows(12, batch_size=4, threads=2)
    epoch(batches)
    batches[0]  # reads the others ahead once more
    batches.on_epoch_end()
    assert batches._ahead == {}


def test_errors_of_the_threads_arrive():
    class Broken(Rows):
        def read(self, rows):
            if 9 in rows:
                raise ValueError("row 9")
            return rows

    batches = Broken(12, batch_size=3, shuffle=False, threads=2)
    assert [batches[i].tolist() for i in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    with pytest.raises(ValueError, match="row 9"):
        batches[3]
