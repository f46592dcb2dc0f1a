"""What loading gives for data that fits into memory."""

from dataclasses import dataclass, replace

import numpy as np

from keras_contrastive.data.checks import check_images, check_labels


@dataclass(frozen=True, eq=False)
class Source:
    """Images in memory, with their labels where there are any.

    Args:
        images: `(N, H, W, C)`, uint8 in 0..255 or float in [0, 1].
        labels: `(N,)` integers, or `None`.
        class_names: Name of each class, or `None`.

    Raises:
        ValueError: On images or labels that `check_images` or `check_labels` refuses.

    Example:

    >>> source = Source(np.zeros((3, 8, 8, 1), "uint8"), np.array([0, 1, 1]), ("cat", "dog"))
    >>> len(source), source.num_classes, source.subset([1, 2]).labels.tolist()
    (3, 2, [1, 1])
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_images(self.images)
        if self.labels is not None:
            num_classes = None if self.class_names is None else len(self.class_names)
            check_labels(self.labels, num_classes, num_images=len(self.images))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def num_classes(self) -> int | None:
        """Number of classes, `None` without labels."""
        if self.class_names is not None:
            return len(self.class_names)
        return None if self.labels is None else int(self.labels.max()) + 1

    def subset(self, rows: np.ndarray) -> "Source":
        """Return the rows with these numbers."""
        labels = None if self.labels is None else self.labels[rows]
        return replace(self, images=self.images[rows], labels=labels)
