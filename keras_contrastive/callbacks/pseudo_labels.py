"""Pseudo-labels by clustering the features, anew for each epoch."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.evaluation.checks import check_positive
from keras_contrastive.layers import IFND
from keras_contrastive.layers.false_negatives.ifnd import NO_CLUSTER


class PseudoLabels(keras.callbacks.Callback):
    """Clusters the training images before an epoch, for `keras_contrastive.layers.IFND`.

    Features come from the target encoder, where the method has one. The assignments with the
    largest margin (distance to the second centroid over that to the first) are accepted: none
    before `start`, then more with each epoch, all from `end` on.

    Args:
        images: The training images, in the order of their indices.
        num_clusters: Number of clusters, at least 2; or several, one for each of the detector's
            clusterings.
        start: First epoch that has pseudo-labels, 0 or more; default 1.
        end: Epoch from which all are accepted, after `start`.
        every: Epochs between clusterings, at least 1; default 1.
        batch_size: Images in one forward pass. Default 256.
        seed: Seed of k-means.

    Raises:
        ValueError: If an argument is out of range, or the model has no `IFND` for them.
        ImportError: If scikit-learn is missing.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.callbacks import PseudoLabels
    >>> callback = PseudoLabels(np.zeros((8, 4, 4, 3)), num_clusters=2, start=1, end=5)
    >>> [callback.accepted(epoch) for epoch in (0, 1, 3, 9)]
    [0.0, 0.2, 0.6, 1.0]

    Reference:
        Chen et al., "Incremental False Negative Detection for Contrastive Learning", 2022; the
        margin stands for its confidence, which is not published in full.
    """

    def __init__(
        self,
        images: np.ndarray,
        num_clusters: int | Sequence[int],
        *,
        end: int,
        start: int = 1,
        every: int = 1,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.images = images
        self.num_clusters = np.atleast_1d(num_clusters).tolist()
        if not 0 <= start < end:
            raise ValueError(f"Expected 0 <= start < end. Received: start={start}, end={end}.")
        if not 2 <= min(self.num_clusters) <= max(self.num_clusters) <= len(images):
            raise ValueError(
                f"Expected numbers of clusters in 2 to {len(images)}, the number of images. "
                f"Received: num_clusters={num_clusters}."
            )
        check_positive(every, "every")
        self.start, self.end, self.every = start, end, every
        self.batch_size, self.seed = batch_size, seed

    def accepted(self, epoch: int) -> float:
        """The fraction of the assignments that is accepted in an epoch."""
        if epoch < self.start:
            return 0.0
        return min(1.0, (epoch - self.start + 1) / (self.end - self.start + 1))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        detector = getattr(self.model, "false_negatives", None)
        fits = isinstance(detector, IFND) and (
            detector.num_clusterings == len(self.num_clusters)
            and detector.num_samples == len(self.images)
        )
        if not fits:
            raise ValueError(
                "Expected a method with `false_negatives=keras_contrastive.layers.IFND("
                f"num_samples={len(self.images)}, num_clusterings={len(self.num_clusters)})`. "
                f"Received: {getattr(detector, 'get_config', lambda: None)()}."
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        fraction = self.accepted(epoch)
        if fraction == 0.0 or (epoch - self.start) % self.every:
            return
        encoder = getattr(self.model, "target_encoder", self.model.encoder)
        features = evaluation.embed(encoder, self.images, self.batch_size)
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        features = features / np.maximum(lengths, 1e-12)
        self.model.false_negatives.assign(
            np.stack([self._cluster(features, number, fraction) for number in self.num_clusters])
        )

    def _cluster(self, features: np.ndarray, number: int, fraction: float) -> np.ndarray:
        try:
            from sklearn.cluster import MiniBatchKMeans
        except ImportError as error:
            raise ImportError(
                "Pseudo-labels need scikit-learn: pip install keras-contrastive[eval]"
            ) from error
        kmeans = MiniBatchKMeans(number, random_state=self.seed, n_init=3).fit(features)
        distances = np.sort(kmeans.transform(features), axis=1)
        margins = distances[:, 1] / np.maximum(distances[:, 0], 1e-12)
        refused = np.argsort(-margins)[round(fraction * len(margins)) :]
        clusters = kmeans.labels_.astype("int32")
        clusters[refused] = NO_CLUSTER
        return clusters
