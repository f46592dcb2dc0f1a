"""CLOP: classes on orthonormal prototypes, an addition to a contrastive method."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.methods.addition import Addition
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.labels import class_targets, labelled_weights
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class CLOP(Addition):
    """Contrastive learning with orthonormal prototypes: labelled samples are drawn to their class.

    Formula: `L = L_contrastive + weight * mean_{i labelled} (1 - z_i . c_{y_i})` over the views,
    with z at unit length and the rows of c orthonormal and fixed. Samples without a label (-1)
    take part in the contrastive loss alone.

    Args:
        num_classes: Number of classes, at most `dim`: no more directions are orthogonal.
        dim: Dimension of the projections of the method that it is added to, default 128.
        weight: Weight of the term, default 1.
        seed: Seed of the prototypes.

    Raises:
        ValueError: If there are more classes than dimensions, or the projections have another
            dimension.

    Logs: clop_loss (0 to 2) beside what the method logs.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.SimCLR(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, blur=0.0),
    ...     additions=[kc.CLOP(num_classes=10)],
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> labels = np.where(np.arange(16) < 4, np.arange(16), -1)  # four of them are labelled
    >>> history = method.fit(images, labels, batch_size=16, verbose=0)
    >>> 0 < history.history["clop_loss"][0] < 2
    True

    Differs from the reference: its weight and its contrastive loss are not known from code; 1 and
    the method's own stand here.

    Reference:
        Li et al., "CLOP: Preventing Neural Collapse in Contrastive Learning with Orthonormal
        Prototypes", 2024.
    """

    log_name = "clop_loss"
    needs_labels = True

    def __init__(
        self,
        num_classes: int,
        dim: int = 128,
        weight: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight, **kwargs)
        if not 1 <= num_classes <= dim:
            raise ValueError(
                f"Expected `num_classes` in 1 to the dimension of the projections ({dim}). "
                f"Received: num_classes={num_classes}. Give the projector a larger `output_dim`."
            )
        self.num_classes, self.dim, self.seed = num_classes, dim, seed
        self.prototypes = self.add_weight(
            shape=(num_classes, dim),
            initializer="zeros",
            trainable=False,
            dtype="float32",
            name="prototypes",
        )
        directions, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, num_classes)))
        self.prototypes.assign(directions.T)

    def term(
        self, projections: Sequence[Tensor], positive: Tensor | None, labels: Tensor
    ) -> Tensor:
        if projections[0].shape[-1] != self.dim:
            raise ValueError(
                f"Expected projections of dimension {self.dim}. "
                f"Received: {projections[0].shape[-1]}. "
                f"Pass `CLOP({self.num_classes}, dim={projections[0].shape[-1]})`."
            )
        own = ops.matmul(class_targets(labels, self.prototypes.shape[0]), self.prototypes)  # (N, d)
        cosines = [ops.sum(l2_normalize(z) * own, axis=1) for z in projections]
        return labelled_weights(labels) * (1.0 - sum(cosines) / len(cosines))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dim": self.dim,
            "seed": self.seed,
        }
