"""BYOL: predict a slowly moving copy of oneself, without negatives."""

from functools import partial
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import build_head, byol_mlp
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import negative_cosine
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import MomentumPair, copy_network
from keras_contrastive.training.momentum import Momentum


@keras.saving.register_keras_serializable(package="keras_contrastive")
class BYOL(Method):
    """Bootstrap your own latent.

    The predictor maps the online projection of one view to the target projection of the other;
    the target network is an exponential moving average of the online one. Views pass the networks
    apart, each normalised by its own batch statistics.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (4096 hidden, 256 out).
        predictor: A Keras model on the projections, a function from their dimension to one, or
            `None` for the paper's (4096 hidden, as wide as the projections).
        momentum: Of the target network, a number in 0 to 1 or a function of the step. The default
            0.996 is where the paper starts; its recipe raises it to 1, which needs the number of
            steps: `keras_contrastive.optimizers.CosineMomentum(0.996, steps=...)`.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss (0 to 8), momentum, representation_std, effective_rank, projection_std (watch it: 0
    is a collapse), projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.BYOL(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.byol_views(size=16, blur=(0.0, 0.0)),
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> round(history.history["momentum"][0], 3)
    0.996

    Differs from the reference: the target starts as a copy of the online network rather than from
    random weights of its own.

    Reference:
        Grill et al., "Bootstrap Your Own Latent", 2020, equations 1 and 2.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        predictor: Head = None,
        momentum: Momentum = 0.996,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs = {"logs": ["momentum"], **kwargs}
        super().__init__(encoder, augmentation, probe_classes=probe_classes, **kwargs)
        self.projector = build_head(projector, byol_mlp, self.feature_dim)
        dim = self.projector.output_shape[-1]
        self.predictor = build_head(
            predictor, partial(byol_mlp, output_dim=dim, name="predictor"), dim
        )
        self.target_encoder = copy_network(self.encoder)
        self.target_projector = copy_network(self.projector)
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
        features, projections, predictions, targets = self.branches(views, training)
        return {
            "loss": self.compare(targets, predictions),
            "features": features[0],
            "projections": projections,
            "momentum": self.momentum_pair.momentum_at(ops.convert_to_tensor(self.steps)),
        }

    def compare(self, targets: list[Tensor], predictions: list[Tensor]) -> Tensor:
        """The loss of the predictions, one value per sample.

        Args:
            targets: Projections of the target network `(N, d)`, one a view; constant.
            predictions: Predictions of the online network `(N, d)`, one a view.

        Returns:
            A float32 tensor `(N,)`.
        """
        # |p - z|^2 = 2 - 2 cos for unit vectors, summed over the two directions.
        return 4.0 + 2.0 * (
            negative_cosine(targets[1], predictions[0])
            + negative_cosine(targets[0], predictions[1])
        )

    def branches(
        self, views: tuple[Tensor, ...], training: bool
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
        """What both networks make of the views, each view with batch statistics of its own.

        Args:
            views: Batches of views, `(N, ...)` each.
            training: Whether batch normalisation uses the batch.

        Returns:
            Features `(N, D)`; projections, predictions and targets `(N, d)`. Lists over views.
        """
        features, projections, predictions, targets = [], [], [], []
        for view in views:
            features.append(self.encode(view, training))  # (N, D)
            projections.append(self.projector(features[-1], training=training))  # (N, d)
            predictions.append(self.predictor(projections[-1], training=training))
            target = self.encode(view, training, self.target_encoder)
            targets.append(self.target_projector(target, training=training))
        return features, projections, predictions, targets

    def get_config(self) -> dict:
        parts = serialize(
            projector=self.projector,
            predictor=self.predictor,
            momentum=self.momentum_pair.momentum,
        )
        return {**super().get_config(), **parts}
