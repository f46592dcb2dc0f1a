"""VICReg: invariance between views, variance and no covariance within each."""

from typing import Any

import keras

from keras_contrastive.layers import build_head, vicreg_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses.checks import check_weight
from keras_contrastive.losses.vicreg import vicreg_terms
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class VICReg(Method):
    """Variance-invariance-covariance regularisation.

    The projections of two views agree, every dimension keeps a standard deviation of 1, and no two
    dimensions vary together. Variance and covariance are terms of one view, so nothing is shared
    between the branches but the invariance. Views pass the networks apart.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (three layers of 8192; 512 to 2048 suit CIFAR-10).
        invariance_weight: At least 0, default 25.
        variance_weight: At least 0, default 25; with 0 all features become equal.
        covariance_weight: At least 0, default 1; with 0 few dimensions are left.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss and its terms before they are weighted, invariance, variance (0 once the deviations
    are 1) and covariance; representation_std, effective_rank, projection_std, projection_rank and
    probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.VICReg(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.byol_views(size=16, blur=(0.0, 0.0)),
    ...     lambda dim: kc.layers.vicreg_projector(dim, hidden_dim=64, output_dim=32),
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> 0 <= history.history["variance"][0] <= 1
    True

    Reference:
        Bardes et al., "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised
        Learning", 2022, algorithm 1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        invariance_weight: float = 25.0,
        variance_weight: float = 25.0,
        covariance_weight: float = 1.0,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            logs=["invariance", "variance", "covariance"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, vicreg_projector, self.feature_dim)
        self.invariance_weight = check_weight(invariance_weight, "invariance_weight")
        self.variance_weight = check_weight(variance_weight, "variance_weight")
        self.covariance_weight = check_weight(covariance_weight, "covariance_weight")

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features, z1 = self.project(views[0], training)
        _, z2 = self.project(views[1], training)
        invariance, variance, covariance = vicreg_terms(z1, z2)
        loss = (
            self.invariance_weight * invariance
            + self.variance_weight * variance
            + self.covariance_weight * covariance
        )
        return {
            "loss": loss,
            "features": features,
            "projections": [z1, z2],
            "invariance": invariance,
            "variance": variance,
            "covariance": covariance,
        }

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **serialize(projector=self.projector),
            "invariance_weight": self.invariance_weight,
            "variance_weight": self.variance_weight,
            "covariance_weight": self.covariance_weight,
        }
