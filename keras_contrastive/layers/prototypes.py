"""Prototypes: directions that embeddings are compared with."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Prototypes(keras.layers.Layer):
    """Cosines of embeddings with trainable rows of unit length, in float32.

    A constraint brings the rows back to unit length, in place, after every optimizer step.

    Args:
        num: Number of prototypes K, at least 1.
        dim: Dimension of the embeddings.
        seed: Seed of the initial rows.

    Inputs:
        `prototypes(embeddings, frozen=False)`: embeddings `(N, dim)` of any length; while `frozen`
        (a boolean scalar tensor) is true the gradient of the rows is exactly zero.

    Raises:
        ValueError: If `num` or `dim` is not positive.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.layers import Prototypes
    >>> prototypes = Prototypes(num=5, dim=2)
    >>> tuple(prototypes(np.ones((3, 2), "float32")).shape)
    (3, 5)

    Reference:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020.
    """

    constraint: keras.constraints.Constraint | None = keras.constraints.UnitNorm(axis=1)

    def __init__(self, num: int, dim: int, seed: int = 0, **kwargs: Any) -> None:
        if num < 1 or dim < 1:
            raise ValueError(
                f"Expected a positive `num` and `dim`. Received: num={num}, dim={dim}."
            )
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num, self.dim, self.seed = num, dim, seed
        self.rows = self.add_weight(
            shape=(num, dim),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=seed),
            constraint=self.constraint,
            name="rows",
        )
        self.rows.assign(l2_normalize(self.rows))
        self.built = True

    def directions(self) -> Tensor:
        """The rows at unit length, `(num, dim)`."""
        return ops.convert_to_tensor(self.rows)

    def call(self, embeddings: Tensor, frozen: Tensor | bool = False) -> Tensor:
        directions = self.directions()
        directions = ops.where(frozen, ops.stop_gradient(directions), directions)
        return ops.matmul(l2_normalize(embeddings), ops.transpose(directions))  # (N, K)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.num)

    def get_config(self) -> dict:
        return {**super().get_config(), "num": self.num, "dim": self.dim, "seed": self.seed}


@keras.saving.register_keras_serializable(package="keras_contrastive")
class WeightNormPrototypes(Prototypes):
    """Prototypes that are brought to unit length where they are used, rather than in place.

    The gradient passes this normalisation: it turns a row and never stretches it. In DINO it is
    the last layer of the head, a weight-normalised linear layer of fixed gain 1.

    Args:
        num: Number of prototypes K, at least 1.
        dim: Dimension of the embeddings.
        seed: Seed of the initial rows.

    Inputs:
        As `Prototypes`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.layers import WeightNormPrototypes
    >>> prototypes = WeightNormPrototypes(num=1, dim=2)
    >>> _ = prototypes.rows.assign([[3.0, 4.0]])
    >>> float(prototypes(np.array([[5.0, 0.0]], "float32"))[0, 0])
    0.6...

    Reference:
        Salimans and Kingma, "Weight Normalization", 2016; Caron et al., "Emerging Properties in
        Self-Supervised Vision Transformers", 2021.
    """

    constraint = None

    def directions(self) -> Tensor:
        return l2_normalize(self.rows)
