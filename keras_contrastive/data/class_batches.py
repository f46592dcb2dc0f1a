"""Batches of P classes with K samples of each, for losses that need positives in the batch."""

from typing import Any

import numpy as np

from keras_contrastive.data.batches import Batches
from keras_contrastive.data.checks import check_images, check_labels


class ClassBatches(Batches):
    """Batches `(images, labels)` of P different classes and K samples of each.

    Classes come equally often, whatever their size, give or take one. Each class gives its samples
    in a random order that begins anew when all of them have come: a class of fewer than K samples
    repeats some within a batch (their views differ where there is an augmentation), and of a large
    class an epoch may show a part only; the next one draws another order.

    Args:
        images: Array `(N, H, W, C)`, uint8 in 0..255 or float in [0, 1].
        labels: Integer array `(N,)` of classes from 0 on; leave unlabelled samples out.
        classes_per_batch: P, at least 2, default 16.
        samples_per_class: K, at least 2, default 4.
        batches_per_epoch: Default `None` for as many as hold N samples, rounded down, at least 1.
        seed: Of the orders.
        threads: Number of threads that read ahead; each is given two batches. 0 for none.

    Raises:
        ValueError: On images or labels that `check_images` or `check_labels` refuse, fewer than P
            classes, or less than two classes or samples a batch.

    Example:

    >>> batches = ClassBatches(
    ...     np.zeros((12, 8, 8, 1), "uint8"), np.arange(12) % 3,
    ...     classes_per_batch=2, samples_per_class=3,
    ... )
    >>> images, labels = batches[0]
    >>> len(batches), images.shape, np.unique(labels, return_counts=True)[1].tolist()
    (2, (6, 8, 8, 1), [3, 3])

    Reference:
        Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification", 2017,
        section 2.
    """

    def __init__(
        self,
        images: Any,
        labels: Any,
        classes_per_batch: int = 16,
        samples_per_class: int = 4,
        batches_per_epoch: int | None = None,
        seed: int = 0,
        threads: int = 0,
    ):
        labels = None if labels is None else np.asarray(labels)
        check_images(images)
        check_labels(labels, num_images=len(images))
        classes = np.unique(labels)
        if classes_per_batch < 2 or samples_per_class < 2:
            raise ValueError(
                "Expected at least two classes a batch, for negatives, and two samples a class, "
                f"for positives. Received: classes_per_batch={classes_per_batch}, "
                f"samples_per_class={samples_per_class}."
            )
        if len(classes) < classes_per_batch:
            raise ValueError(
                f"Expected labels of at least classes_per_batch={classes_per_batch} classes. "
                f"Received: {len(classes)} classes."
            )
        batch_size = classes_per_batch * samples_per_class
        if batches_per_epoch is None:
            batches_per_epoch = max(len(labels) // batch_size, 1)
        if batches_per_epoch < 1:
            raise ValueError(
                f"Expected batches_per_epoch of at least 1. Received: {batches_per_epoch}."
            )
        super().__init__(batches_per_epoch * batch_size, batch_size, seed=seed, threads=threads)
        self.images = images
        self.labels = labels
        self.classes_per_batch = classes_per_batch
        self.samples_per_class = samples_per_class
        self._members = [np.flatnonzero(labels == label) for label in classes]

    def draw(self) -> np.ndarray:
        """Draw the rows of this epoch, batch after batch; rows may repeat."""
        rng = np.random.default_rng((self.seed, self.epoch))
        queues = [np.array([], int) for _ in self._members]
        times = np.zeros(len(self._members), int)  # how often each class has come
        rows = []
        for _ in range(len(self)):
            # Those that have come least often, at random among equals.
            order = rng.permutation(len(times))
            chosen = order[np.argsort(times[order], kind="stable")][: self.classes_per_batch]
            times[chosen] += 1
            for number in chosen:
                while len(queues[number]) < self.samples_per_class:
                    again = rng.permutation(self._members[number])
                    twice = np.isin(again, queues[number])  # in this batch already: to the end
                    queues[number] = np.concatenate([queues[number], again[~twice], again[twice]])
                rows.append(queues[number][: self.samples_per_class])
                queues[number] = queues[number][self.samples_per_class :]
        return np.concatenate(rows)

    def read(self, rows: np.ndarray) -> Any:
        """Return the images and labels of these rows."""
        return self.images[rows], self.labels[rows]
