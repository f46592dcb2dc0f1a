"""IFND: negatives of the anchor's cluster are false, more of them as clusters become trusty."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.layers.false_negatives.base import FalseNegatives
from keras_contrastive.layers.sample_table import SampleTable
from keras_contrastive.ops.contrast import Mask
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor

NO_CLUSTER = -1


@keras.saving.register_keras_serializable(package="keras_contrastive")
class IFND(FalseNegatives):
    """Incremental false negative detection: same accepted pseudo-label, left out.

    Pseudo-labels come from outside, once an epoch: `keras_contrastive.callbacks.PseudoLabels`
    clusters the features and accepts the most confident assignments, more with each epoch.

    Args:
        num_samples: Size of the data set.
        num_clusterings: How many clusterings there are, coarse to fine; two samples are alike if
            one of them says so. Default 1.

    Raises:
        ValueError: If the data carries no indices, or labels do not fit.

    Example:

    >>> import numpy as np
    >>> import keras_contrastive as kc
    >>> detector = kc.layers.IFND(num_samples=4)
    >>> detector.assign(np.array([0, 0, 1, -1]))  # the last is not accepted
    >>> detection = detector.detect(None, None, None, np.array([0, 3]), np.array([1, 2, 3]))
    >>> [bool(detection.is_false(0, column)) for column in range(3)]
    [True, False, False]

    Differs from the reference: the confidence and the numbers of clusters are not published; see
    the callback.

    Reference:
        Chen et al., "Incremental False Negative Detection for Contrastive Learning", 2022.
    """

    def __init__(self, num_samples: int, num_clusterings: int = 1, **kwargs: Any) -> None:
        if num_clusterings < 1:
            raise ValueError(
                f"Expected at least one clustering. Received: num_clusterings={num_clusterings}."
            )
        super().__init__(**kwargs)
        self.num_samples, self.num_clusterings = num_samples, num_clusterings
        self.clusters = [
            SampleTable(num_samples, initial=NO_CLUSTER, table_dtype="int32")
            for _ in range(num_clusterings)
        ]

    def assign(self, clusters: np.ndarray) -> None:
        """Sets the pseudo-labels.

        Args:
            clusters: Integers `(num_samples,)`, or `(num_clusterings, num_samples)`; -1 for a
                sample whose assignment is not accepted.
        """
        clusters = np.reshape(np.asarray(clusters), (-1, self.num_samples))
        if len(clusters) != self.num_clusterings:
            raise ValueError(
                f"Expected {self.num_clusterings} clusterings of {self.num_samples} samples. "
                f"Received: {len(clusters)}."
            )
        for table, labels in zip(self.clusters, clusters, strict=True):
            table.values.assign(labels.astype("int32"))

    def detect(
        self,
        references: Tensor,
        candidates: Tensor,
        negative: Mask,
        index: Tensor | None = None,
        candidate_index: Tensor | None = None,
        training: bool = True,
    ) -> Detection:
        known = ops.cast(candidate_index, "int32") >= 0
        columns = ops.where(known, candidate_index, 0)
        of_rows = [table.read(index) for table in self.clusters]
        of_columns = [ops.where(known, table.read(columns), NO_CLUSTER) for table in self.clusters]

        def is_false(row: Tensor, column: Tensor) -> Tensor:
            alike = False
            for rows, others in zip(of_rows, of_columns, strict=True):
                ours, theirs = ops.take(rows, row), ops.take(others, column)
                same = ops.logical_and(ops.equal(ours, theirs), ours != NO_CLUSTER)
                alike = ops.logical_or(alike, same)
            return alike

        return Detection(is_false)

    def get_config(self) -> dict:
        config = {"num_samples": self.num_samples, "num_clusterings": self.num_clusterings}
        return {**super().get_config(), **config}
