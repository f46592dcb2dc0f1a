"""TiCo: views attract, and each batch avoids the directions that earlier ones have used."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import build_head, byol_mlp
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import TiCoLoss, negative_cosine, tico_covariance
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import MomentumPair, copy_network
from keras_contrastive.training.momentum import Momentum


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TiCo(Method):
    """Transformation invariance and covariance contrast.

    The online projection of the first view is pulled to the target projection of the second, and
    pushed away from the main directions of a moving second moment of all projections.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for BYOL's (4096 hidden, 256 out).
        loss: A `TiCoLoss`; `None` for `TiCoLoss(beta=0.9, rho=8.0)`.
        momentum: Of the target network, a number in 0 to 1 or a function of the step; default
            0.99, often raised to 1: `keras_contrastive.optimizers.CosineMomentum(0.99, steps=...)`.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss, positive_similarity (mean cosine of the two projections), momentum,
    representation_std, effective_rank, projection_std, projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.TiCo(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.byol_views(size=16, blur=(0.0, 0.0)),
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> tuple(method.covariance.shape)
    (256, 256)

    Differs from the reference: the target moves after the optimizer step.

    Reference:
        Zhu et al., "TiCo: Transformation Invariance and Covariance Contrast for Self-Supervised
        Visual Representation Learning", 2022, algorithm 1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        loss: TiCoLoss | None = None,
        momentum: Momentum = 0.99,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            logs=["positive_similarity", "momentum"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, byol_mlp, self.feature_dim)
        self.target_encoder = copy_network(self.encoder)
        self.target_projector = copy_network(self.projector)
        self.covariance_loss = loss or TiCoLoss()
        dim = self.projector.output_shape[-1]
        self.covariance = self.add_weight(
            shape=(dim, dim),
            initializer="zeros",
            dtype="float32",
            trainable=False,
            name="covariance",
        )
        self.momentum_pair = MomentumPair(
            [self.encoder, self.projector], [self.target_encoder, self.target_projector], momentum
        )

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features = self.encode(views[0], training)  # (N, D)
        online = self.projector(features, training=training)  # (N, d)
        target = self.encode(views[1], training, self.target_encoder)
        target = ops.stop_gradient(self.target_projector(target, training=training))
        past = ops.copy(self.covariance)  # what the backward pass reads must not change in place
        loss = self.covariance_loss.call((target, past), online)
        if training:
            present = tico_covariance(ops.stop_gradient(online), past, self.covariance_loss.beta)
            self.covariance.assign(present)
        return {
            "loss": loss,
            "features": features,
            "projections": [online],
            "positive_similarity": -ops.mean(negative_cosine(target, online)),
            "momentum": self.momentum_pair.momentum_at(ops.convert_to_tensor(self.steps)),
        }

    def get_config(self) -> dict:
        parts = serialize(
            projector=self.projector,
            loss=self.covariance_loss,
            momentum=self.momentum_pair.momentum,
        )
        return {**super().get_config(), **parts}
