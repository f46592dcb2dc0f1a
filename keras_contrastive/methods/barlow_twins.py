"""Barlow Twins: dimensions that agree between views and are independent of each other."""

from typing import Any

import keras

from keras_contrastive.layers import barlow_twins_projector, build_head
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses.barlow_twins import barlow_twins_terms
from keras_contrastive.losses.checks import check_weight
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class BarlowTwins(Method):
    """Barlow Twins: redundancy reduction.

    The cross-correlation matrix of the projections of two views is drawn to the identity. There
    are no negatives and no target; what prevents a collapse is the off-diagonal of the matrix.
    Views pass the networks apart, each normalised by its own batch statistics.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (three layers of 8192; 512 to 2048 suit CIFAR-10).
        redundancy_weight: Weight of the off-diagonal terms, at least 0, default 0.0051; with 0
            the representation collapses to few dimensions.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss, invariance (mean of `(1 - C_ii)^2`, 0 to 4), redundancy (mean of `C_ij^2`, 0 to 1),
    representation_std, effective_rank, projection_std, projection_rank (watch it: few dimensions
    are a collapse) and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.BarlowTwins(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.byol_views(size=16, blur=(0.0, 0.0)),
    ...     lambda dim: kc.layers.barlow_twins_projector(dim, hidden_dim=64, output_dim=32),
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> 0 <= history.history["redundancy"][0] <= 1
    True

    The loss grows with the dimension of the projections: plain SGD wants a learning rate that is
    smaller by a factor of 10 to 40 than for other methods, LARS does not mind.

    Reference:
        Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", 2021,
        algorithm 1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        redundancy_weight: float = 0.0051,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            logs=["invariance", "redundancy"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, barlow_twins_projector, self.feature_dim)
        self.redundancy_weight = check_weight(redundancy_weight, "redundancy_weight")

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features, z1 = self.project(views[0], training)
        _, z2 = self.project(views[1], training)
        invariance, redundancy = barlow_twins_terms(z1, z2)
        dim = z1.shape[1]
        return {
            "loss": invariance + self.redundancy_weight * redundancy,
            "features": features,
            "projections": [z1, z2],
            "invariance": invariance / dim,
            "redundancy": redundancy / max(dim * (dim - 1), 1),
        }

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **serialize(projector=self.projector),
            "redundancy_weight": self.redundancy_weight,
        }
