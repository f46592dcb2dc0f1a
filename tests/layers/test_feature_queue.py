"""The queue against a NumPy list."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.layers import FeatureQueue


def batch(num, start):
    return np.arange(start, start + num, dtype="float32")[:, None] * np.ones((1, 3), "float32")


@pytest.mark.parametrize("sizes", [[2, 2, 2], [3, 1, 4], [5], [7, 2], [1] * 11])
def test_the_last_rows_remain_and_the_oldest_are_overwritten(sizes):
    queue = FeatureQueue(size=5, dim=3)
    expected = ops.convert_to_numpy(queue.read()).copy()
    position, value = 0, 100
    for size in sizes:
        rows = batch(size, value)
        queue.enqueue(rows)
        for row in rows:  # one at a time: what FIFO means
            expected[position] = row
            position = (position + 1) % 5
        value += size
    np.testing.assert_array_equal(ops.convert_to_numpy(queue.read()), expected)
    assert int(queue.position) == position


def test_starts_with_seeded_random_unit_rows():
    rows = ops.convert_to_numpy(FeatureQueue(50, 8, seed=1).read())
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(rows, ops.convert_to_numpy(FeatureQueue(50, 8, seed=1).read()))
    assert np.abs(rows - ops.convert_to_numpy(FeatureQueue(50, 8, seed=2).read())).max() > 0.1


def test_is_saved_with_a_model(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model.queue = FeatureQueue(5, 3)
    model.queue.enqueue(batch(3, 7))
    other = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    other.queue = FeatureQueue(5, 3, seed=9)
    model.save_weights(tmp_path / "a.weights.h5")
    other.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(other.queue.read()), ops.convert_to_numpy(model.queue.read())
    )
    assert int(other.queue.position) == 3


def test_nothing_in_it_trains_and_bad_sizes_are_refused():
    assert FeatureQueue(5, 3).trainable_variables == []
    with pytest.raises(ValueError, match="positive `size`"):
        FeatureQueue(0, 3)


def test_is_full_once_every_row_was_written():
    queue = FeatureQueue(5, 3)
    full = []
    for size in (2, 2, 2, 7):
        queue.enqueue(batch(size, 0))
        full.append(bool(queue.is_full()))
    assert full == [False, False, True, True]
    assert int(queue.num_filled) == 5
