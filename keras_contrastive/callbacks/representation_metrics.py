"""Geometry of the representation after an epoch."""

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.callbacks.epoch_measurement import EpochMeasurement


class RepresentationMetrics(EpochMeasurement):
    """Adds figures of the held-out features' geometry to the logs, measured in inference mode.

    `rank_me` and `centred_rank` count the dimensions in use, with and without the shared mean;
    `uniformity` is lower the more evenly the features cover the sphere; `feature_std` is 1 for
    features that fill the sphere and 0 for equal ones. The names differ from `effective_rank` and
    `representation_std`, which methods log from their training batches.

    Args:
        images: Images held out from training, as `evaluation.embed` takes them; at least two.
            One to a few thousand are enough, and ten times the feature dimension for a sound rank.
        every: Epochs between measurements, at least 1; the first epoch is always measured.
        batch_size: Images in one forward pass. Default 256.

    Raises:
        ValueError: On fewer than two images.

    Example:

    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> model.compile("sgd", "mse")
    >>> x = np.eye(2, dtype="float32")
    >>> history = model.fit(x, np.ones((2, 3)), verbose=0, callbacks=[RepresentationMetrics(x)])
    >>> sorted(history.history)
    ['centred_rank', 'feature_std', 'loss', 'rank_me', 'uniformity']
    """

    names = ("rank_me", "centred_rank", "uniformity", "feature_std")

    def __init__(self, images: np.ndarray, every: int = 1, batch_size: int = 256) -> None:
        super().__init__(every, batch_size)
        if len(images) < 2:
            raise ValueError(f"Expected at least two images. Received: {len(images)}.")
        self.images = images

    def measure(self) -> dict[str, float]:
        features = evaluation.embed(self.model, self.images, self.batch_size)
        return {
            "rank_me": evaluation.rank_me(features),
            "centred_rank": evaluation.effective_rank(features),
            "uniformity": evaluation.uniformity(features),
            "feature_std": evaluation.representation_std(features),
        }
