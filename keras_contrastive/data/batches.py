"""Batches in a seeded order, read in threads while the model trains."""

import math
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from keras_contrastive.data.checks import check_images, check_labels
from keras_contrastive.ops.collectives import own_rows


class Batches(keras.utils.PyDataset):
    """Base of the data sets here: rows in an order that depends on the seed and the epoch alone.

    Where several processes train together, a batch is that of all of them, and each reads its part.

    A subclass implements `read(rows)`. While batch `i` is in use, threads read those after it.
    They expect batches to be asked for in order: call `fit(shuffle=False)`, since Keras otherwise
    shuffles the batches once more, and reading ahead has to wait until it knows which comes next.

    Args:
        num_rows: Number of rows.
        batch_size: Rows a batch.
        shuffle: Draw a new order for every epoch.
        seed: Of the orders.
        drop_remainder: Leave out the last batch of an epoch where it is smaller.
        threads: Number of threads that read ahead; each is given two batches. 0 for none.

    Attributes:
        epoch: Number of complete passes so far, which the order depends on. Set it before a run
            that goes on where another one stopped.
    """

    def __init__(
        self,
        num_rows: int,
        batch_size: int = 256,
        shuffle: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
        threads: int = 0,
    ):
        # Not Keras's own workers: what they have read when `fit` builds the model, or `predict`
        # looks at the first batch, comes again later, in place of other batches.
        super().__init__(workers=1)
        if not batch_size >= 1:
            raise ValueError(
                f"Expected batch_size of at least 1. Received: batch_size={batch_size}."
            )
        if drop_remainder and batch_size > num_rows:
            raise ValueError(
                f"Expected batch_size of at most the {num_rows} rows with drop_remainder=True. "
                f"Received: batch_size={batch_size}."
            )
        self.num_rows = num_rows
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.drop_remainder = drop_remainder
        self.epoch = 0
        self._drawn: tuple[int, np.ndarray] | None = None  # the epoch, and its order
        self._asked: set[int] = set()  # batches of this epoch
        self._ahead: dict[tuple[int, int], Future] = {}  # (epoch, batch) -> what a thread reads
        self._num_ahead = 2 * threads
        self._pool = ThreadPoolExecutor(max(threads, 1))
        self._lock = threading.Lock()  # TensorFlow asks from a thread of its own

    def read(self, rows: np.ndarray) -> Any:
        """Return the batch of these rows; called in several threads at once."""
        raise NotImplementedError

    def order(self) -> np.ndarray:
        """Return the rows of this epoch, batch after batch."""
        drawn = self._drawn
        if drawn is None or drawn[0] != self.epoch:
            drawn = self._drawn = (self.epoch, self.draw())
        return drawn[1]

    def draw(self) -> np.ndarray:
        """Draw the order of this epoch."""
        if not self.shuffle:
            return np.arange(self.num_rows)
        return np.random.default_rng((self.seed, self.epoch)).permutation(self.num_rows)

    def __len__(self) -> int:
        batches = self.num_rows / self.batch_size
        return math.floor(batches) if self.drop_remainder else math.ceil(batches)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"Expected a batch in 0..{len(self) - 1}. Received: {index}.")
        batches = self.order()
        rows = [
            own_rows(batches[i * self.batch_size :][: self.batch_size]) for i in self._next(index)
        ]
        with self._lock:
            ready = self._ahead.pop((self.epoch, index), None)
            for i, part in zip(self._next(index)[1:], rows[1:]):
                if (self.epoch, i) not in self._ahead:
                    self._ahead[self.epoch, i] = self._pool.submit(self.read, part)
            self._asked.add(index)
        return self.read(rows[0]) if ready is None else ready.result()

    def _next(self, index: int) -> range:
        """The batch that is asked for and, where they are asked for in order, those after it."""
        in_order = index == 0 or index - 1 in self._asked
        return range(index, min(index + 1 + self._num_ahead * in_order, len(self)))

    def on_epoch_end(self) -> None:
        """Go on to the next epoch's order, if this one is complete: Keras calls more often.

        TensorFlow looks at two batches before the first epoch; a data set of no more than these
        is taken for complete then, and begins with the order of epoch 1.
        """
        with self._lock:
            if len(self._asked) == len(self):
                self.epoch += 1
                self._asked.clear()
                self._ahead.clear()


class Indexed(Batches):
    """Batches `{"inputs": images, "index": rows}`, with labels where given."""

    def __init__(self, images: Any, labels: Any = None, **kwargs: Any):
        super().__init__(len(images), **kwargs)
        self.images = images
        self.labels = labels

    def read(self, rows: np.ndarray) -> Any:
        """Return the batch of these rows."""
        inputs = {"inputs": self.images[rows], "index": rows.astype("int32")}
        return inputs if self.labels is None else (inputs, self.labels[rows])


def indexed(images: Any, labels: Any = None, batch_size: int = 256, **kwargs: Any) -> Indexed:
    """Batches that also carry the number of each image in the data set.

    For methods that keep a value a sample (SogCLR, false-negative detection).

    Args:
        images: Array `(N, H, W, C)`, uint8 in 0..255 or float in [0, 1].
        labels: Integer array `(N,)`, or `None`.
        batch_size: Images a batch.
        **kwargs: `shuffle`, `seed` and `drop_remainder` of `Batches`.

    Returns:
        A `keras.utils.PyDataset` of `{"inputs": images, "index": int32 numbers}`, or of pairs of
        that and the labels.

    Raises:
        ValueError: On images or labels that `check_images` or `check_labels` refuses.

    Example:

    >>> batches = indexed(np.zeros((5, 8, 8, 1), "uint8"), batch_size=2, shuffle=False)
    >>> [batch["index"].tolist() for batch in (batches[0], batches[1], batches[2])]
    [[0, 1], [2, 3], [4]]
    """
    images = np.asarray(images)
    check_images(images)
    if labels is not None:
        labels = np.asarray(labels)
        check_labels(labels, num_images=len(images))
    return Indexed(images, labels, batch_size=batch_size, **kwargs)


class Rows(Batches):
    """Batches of arrays as `fit` takes them.

    Args:
        arrays: A nested structure of arrays of the same first dimension.
        **kwargs: As in `Batches`.

    Example:

    >>> import numpy as np
    >>> batches = Rows((np.zeros((3, 4)), np.arange(3)), batch_size=2, shuffle=False)
    >>> batches[1][1].tolist()
    [2]
    """

    def __init__(self, arrays: Any, **kwargs: Any):
        super().__init__(len(keras.tree.flatten(arrays)[0]), **kwargs)
        self.arrays = arrays

    def read(self, rows: np.ndarray) -> Any:
        """Return the batch of these rows."""
        return keras.tree.map_structure(lambda array: array[rows], self.arrays)
