"""A first-in, first-out store of past features."""

import keras
from keras import ops

from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class FeatureQueue(keras.layers.Layer):
    """Keeps the last `size` features, overwriting the oldest; starts with random unit vectors.

    The rows and the write position are variables, so they are saved and restored.

    Args:
        size: Number of rows, at least 1.
        dim: Dimension of the features.
        seed: Seed of the initial rows.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.layers import FeatureQueue
    >>> queue = FeatureQueue(size=3, dim=2)
    >>> queue.enqueue(np.array([[1.0, 0.0], [0.0, 1.0]], "float32"))
    >>> float(queue.read()[1, 1]), int(queue.position)
    (1.0, 2)

    Reference:
        He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", 2020.
    """

    def __init__(self, size: int, dim: int, seed: int = 0, **kwargs: object) -> None:
        if size < 1 or dim < 1:
            raise ValueError(
                f"Expected a positive `size` and `dim`. Received: size={size}, dim={dim}."
            )
        super().__init__(trainable=False, **kwargs)
        self.size, self.dim, self.seed = size, dim, seed
        self.rows = self.add_weight(
            shape=(size, dim),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=seed),
            dtype="float32",
            trainable=False,
            name="rows",
        )
        self.rows.assign(l2_normalize(self.rows))
        self.position = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="position"
        )
        self.num_filled = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="num_filled"
        )
        self.indices = self.add_weight(
            shape=(size,),
            initializer=keras.initializers.Constant(-1),
            dtype="int32",
            trainable=False,
            name="indices",
        )
        self.built = True

    def read(self) -> Tensor:
        """Returns a copy of all rows, `(size, dim)`, in no particular order."""
        # A copy: PyTorch refuses the backward pass once `enqueue` has changed what a product read.
        return ops.copy(self.rows)

    def is_full(self) -> Tensor:
        """Whether every row holds features that were enqueued: a boolean scalar."""
        return ops.convert_to_tensor(self.num_filled) >= self.size

    def read_indices(self) -> Tensor:
        """Returns the positions in the data set of all rows, `(size,)`; -1 where unknown."""
        return ops.copy(self.indices)

    def enqueue(self, features: Tensor, index: Tensor | None = None) -> None:
        """Writes features over the oldest rows.

        Args:
            features: Tensor of shape `(N, dim)`, any `N`; of more than `size` the last remain.
            index: Positions of the samples in the data set, `(N,)`, if they are known.
        """
        features = ops.cast(features, "float32")
        num_new = ops.shape(features)[0]
        features = features[-self.size :]
        kept = ops.shape(features)[0]
        # Modular positions, since a slice that runs past the end would be moved, silently.
        start = ops.convert_to_tensor(self.position) + (num_new - kept)
        rows = (start + ops.arange(kept, dtype="int32")) % self.size
        self.rows.assign(ops.scatter_update(self.rows, rows[:, None], features))
        if index is not None:
            index = ops.cast(ops.reshape(index, (-1,)), "int32")[-self.size :]
            self.indices.assign(ops.scatter_update(self.indices, rows[:, None], index))
        self.position.assign((ops.convert_to_tensor(self.position) + num_new) % self.size)
        filled = ops.convert_to_tensor(self.num_filled) + num_new
        self.num_filled.assign(ops.minimum(filled, self.size))

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size, "dim": self.dim, "seed": self.seed}
