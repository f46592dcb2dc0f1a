"""Batches in which nothing comes twice, so that no sample's positive is another's negative."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_contrastive.data.batches import Batches


class NoDuplicateBatches(Batches):
    """Batches no two samples of which share a text, be it anchor, positive or negative.

    With in-batch negatives, a text that comes twice is a negative of what it is positive for. Each
    sample comes once an epoch, and all batches but the last are full: samples that would bring a
    text twice wait for a later batch. A text may come twice in one sample.

    Args:
        inputs: Token ids `(N, T)`, or a tuple of such arrays of one shape: what `prepare` of
            `keras_contrastive.SimCSE` makes of sentences. Two texts are equal if their ids are.
        labels: Array `(N, ...)`, such as scores of pairs, or `None`.
        batch_size: Samples a batch.
        shuffle: Draw a new order for every epoch.
        seed: Of the orders.
        drop_remainder: Leave out the last batch of an epoch where it is smaller.

    Raises:
        ValueError: On arrays of different shapes, or a text in more samples than there are batches.

    Example:

    >>> anchors = np.array([[5], [5], [6], [7]])
    >>> batches = NoDuplicateBatches((anchors, 10 * anchors), batch_size=2)
    >>> for (first, second), in (batches[0], batches[1]):
    ...     assert len(np.unique(first)) == 2  # the two 5 are apart

    Differs from the sampler of that name in sentence-transformers: no batch but the last is smaller
    than the others, and what cannot be kept apart is an error.
    """

    def __init__(
        self,
        inputs: Any,
        labels: Any = None,
        batch_size: int = 64,
        shuffle: bool = True,
        seed: int = 0,
        drop_remainder: bool = False,
    ):
        self.together = isinstance(inputs, (tuple, list))
        self.columns = [np.asarray(part) for part in (inputs if self.together else [inputs])]
        self.labels = None if labels is None else np.asarray(labels)
        shapes = [column.shape for column in self.columns]
        if len(set(shapes)) > 1 or len(shapes[0]) != 2 or 0 in shapes[0]:
            raise ValueError(f"Expected arrays of one shape (N, T). Received: shapes {shapes}.")
        if self.labels is not None and len(self.labels) != len(self.columns[0]):
            raise ValueError(
                f"Expected a label for each of {len(self.columns[0])} samples. "
                f"Received: {len(self.labels)}."
            )
        super().__init__(len(self.columns[0]), batch_size, shuffle, seed, drop_remainder)
        rows, numbers = np.unique(np.concatenate(self.columns), axis=0, return_inverse=True)
        by_sample = numbers.reshape(len(self.columns), -1).T  # (N, columns)
        self._texts = [frozenset(texts) for texts in by_sample.tolist()]
        self._check_counts(rows)
        self.order()  # complains now rather than in training

    def _check_counts(self, rows: np.ndarray) -> None:
        counts = Counter(text for texts in self._texts for text in texts)
        (text, count), num_batches = counts.most_common(1)[0], -(-self.num_rows // self.batch_size)
        if count > num_batches:
            raise ValueError(
                f"Expected each text in at most as many samples as there are batches, "
                f"{num_batches}. Received: {count} samples with {rows[text].tolist()}. Choose a "
                "smaller batch_size, or leave some of them out."
            )

    def draw(self) -> np.ndarray:
        """Return the rows of this epoch, batch after batch."""
        batches = _Batches(self._texts, self.num_rows, self.batch_size)
        waiting = [row for row in super().draw().tolist() if not batches.add(row)]
        for row in waiting:
            batches.make_room(row)
        return np.array([row for members in batches.members for row in members])

    def read(self, rows: np.ndarray) -> Any:
        """Return the batch of these rows, as Keras takes it."""
        parts = tuple(column[rows] for column in self.columns)
        inputs = parts if self.together else parts[0]
        return (inputs,) if self.labels is None else (inputs, self.labels[rows])


class _Batches:
    """Batches that are being filled."""

    def __init__(self, texts: Sequence[frozenset[int]], num_rows: int, batch_size: int) -> None:
        self.texts = texts
        sizes = [min(batch_size, num_rows - start) for start in range(0, num_rows, batch_size)]
        self.free = sizes
        self.members: list[list[int]] = [[] for _ in sizes]
        self.taken: list[set[int]] = [set() for _ in sizes]
        self._first_free = 0

    def add(self, row: int) -> bool:
        """Put a row into the first batch that has room for it, if there is one."""
        while self._first_free < len(self.free) and not self.free[self._first_free]:
            self._first_free += 1
        for number in range(self._first_free, len(self.free)):
            if self.free[number] and self.taken[number].isdisjoint(self.texts[row]):
                self._put(row, number)
                return True
        return False

    def make_room(self, row: int) -> None:
        """Put a row into a full batch, and one of its members where there is room."""
        if self.add(row):
            return
        open_ones = [number for number, free in enumerate(self.free) if free]
        for number, members in enumerate(self.members):
            for other in members:
                rest = self.taken[number] - self.texts[other]
                if not rest.isdisjoint(self.texts[row]):
                    continue
                for target in open_ones:
                    if target != number and self.taken[target].isdisjoint(self.texts[other]):
                        self._remove(other, number)
                        self._put(row, number)
                        self._put(other, target)
                        return
        raise ValueError(
            "Expected texts that can be kept apart in full batches. Received: samples that share "
            f"too many, one of which is sample {row}. Choose a smaller batch_size."
        )

    def _put(self, row: int, number: int) -> None:
        self.members[number].append(row)
        self.taken[number] |= self.texts[row]
        self.free[number] -= 1

    def _remove(self, row: int, number: int) -> None:
        self.members[number].remove(row)
        self.taken[number] -= self.texts[row]
        self.free[number] += 1
