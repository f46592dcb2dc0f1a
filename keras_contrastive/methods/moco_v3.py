"""MoCo v3: predictions must find the target's keys of the same batch; no queue."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import moco_v3_mlp
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import InfoNCE
from keras_contrastive.losses.checks import constant_temperature
from keras_contrastive.methods.byol import BYOL
from keras_contrastive.methods.contrastive import ContrastiveMethod
from keras_contrastive.ops import matching_accuracy
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training.momentum import Momentum


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MoCoV3(ContrastiveMethod, BYOL):
    """Momentum contrast, v3: BYOL's networks under a contrastive loss.

    The prediction of one view must pick the target projection of the other view among those of
    the batch. Views pass the networks apart, each normalised by its own batch statistics.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's for a ResNet (4096 hidden, 256 out).
        predictor: A Keras model on the projections, a function from their dimension to one, or
            `None` for the paper's for a ResNet (4096 hidden, as wide as the projections).
        loss: A loss of `(keys, queries)`; `None` for `InfoNCE(temperature=1.0)`, the paper's for a
            ResNet-50 (0.2 for a ViT).
        scale: Factor of the loss; `None` for the paper's, twice the temperature.
        momentum: Of the target network, a number in 0 to 1 or a function of the step. The default
            0.99 is where the paper starts; its recipe raises it to 1, which needs the number of
            steps: `keras_contrastive.optimizers.CosineMomentum(0.99, steps=...)`.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Raises:
        ValueError: If `scale` is `None` and the loss has no constant temperature.

    Logs: loss, contrastive_accuracy (share of the first view's predictions nearer to their key than
    to those of other images), momentum, representation_std, effective_rank, projection_std,
    projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.MoCoV3(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.byol_views(size=16, blur=(0.0, 0.0)),
    ...     loss=kc.losses.InfoNCE(temperature=0.2),
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> method.scale
    0.4

    Differs from the reference: the target moves after the optimizer step rather than before the
    next forward pass, which is the same. A ViT's frozen patch embedding is up to the encoder.

    Reference:
        Chen et al., "An Empirical Study of Training Self-Supervised Vision Transformers", 2021,
        algorithm 1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        predictor: Head = None,
        loss: keras.losses.Loss | None = None,
        scale: float | None = None,
        momentum: Momentum = 0.99,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            loss=loss or InfoNCE(temperature=1.0),
            projector=moco_v3_mlp if projector is None else projector,
            predictor=_predictor if predictor is None else predictor,
            momentum=momentum,
            logs=["contrastive_accuracy", "momentum"],
            probe_classes=probe_classes,
            **kwargs,
        )
        if scale is None:
            scale = 2.0 * constant_temperature(self.contrastive_loss, " or a `scale`")
        self.scale = scale

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features, projections, queries, keys = self.branches(views, training)
        context = {"index": index, "training": training}
        loss = self.contrast(queries[0], keys[1], **context)
        return {
            "loss": loss + self.contrast(queries[1], keys[0], **context),
            "features": features[0],
            "projections": projections,
            "contrastive_accuracy": matching_accuracy(queries[0], keys[1]),
            "momentum": self.momentum_pair.momentum_at(ops.convert_to_tensor(self.steps)),
        }

    def contrast(self, queries: Tensor, keys: Tensor, **context: Any) -> Tensor:
        """The loss of one direction, `2 t CE(q k' / t)` with the paper's scale.

        Args:
            queries: Predictions `(N, d)`.
            keys: Target projections of the other view, `(N, d)`, constant.
            **context: What else `loss_of` takes.

        Returns:
            A float32 tensor `(N,)`.
        """
        return self.scale * self.loss_of(ops.stop_gradient(keys), queries, **context)

    def get_config(self) -> dict:
        return {**super().get_config(), "scale": self.scale}


def _predictor(dim: int) -> keras.Model:
    return moco_v3_mlp(dim, output_dim=dim, last_norm=False, name="predictor")
