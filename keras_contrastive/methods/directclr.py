"""DirectCLR: contrast some of the encoder's features directly, without a projector."""

from typing import Any

import keras

from keras_contrastive.losses import InfoNCE
from keras_contrastive.methods.contrastive import ContrastiveMethod
from keras_contrastive.ops import matching_accuracy
from keras_contrastive.ops.similarity import Tensor

# Of a ResNet-50's 2048 features, the paper contrasts 360.
LOSS_SHARE = 360 / 2048


@keras.saving.register_keras_serializable(package="keras_contrastive")
class DirectCLR(ContrastiveMethod):
    """Contrastive learning on a sub-vector of the representation.

    The loss sees the first `loss_dim` features of both views; the others learn through the layers
    that they share. Views pass the encoder apart, each normalised by its own batch statistics.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        loss_dim: Number of features contrasted, 1 to D; `None` for the paper's share, 360 of 2048.
        loss: A loss of two views' features; `None` for
            `InfoNCE(temperature=0.1, symmetric=True)`.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Raises:
        ValueError: If `loss_dim` is not a number of features that the encoder has.

    Logs: loss, contrastive_accuracy (share of the first view's images whose second view is the
    nearest), representation_std, effective_rank (of all features: what this method is about),
    projection_std, projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.DirectCLR(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.byol_views(size=16, blur=(0.0, 0.0)),
    ...     loss_dim=4,
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> method.predict(images, verbose=0).shape
    (16, 16)

    Reference:
        Jing et al., "Understanding Dimensional Collapse in Contrastive Self-supervised Learning",
        2022, section 6.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        loss_dim: int | None = None,
        loss: keras.losses.Loss | None = None,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            loss=loss or InfoNCE(temperature=0.1, symmetric=True),
            logs=["contrastive_accuracy"],
            probe_classes=probe_classes,
            **kwargs,
        )
        if loss_dim is None:
            loss_dim = max(1, round(LOSS_SHARE * self.feature_dim))
        if not 1 <= loss_dim <= self.feature_dim:
            raise ValueError(
                f"Expected `loss_dim` in 1 to {self.feature_dim}, the encoder's number of "
                f"features. Received: loss_dim={loss_dim}."
            )
        self.loss_dim = loss_dim

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        h1, h2 = (self.encode(view, training) for view in views)  # (N, D)
        return {
            "loss": self.contrast(h1, h2, index=index, training=training),
            "features": h1,
            "contrastive_accuracy": matching_accuracy(
                h1[:, : self.loss_dim], h2[:, : self.loss_dim]
            ),
        }

    def contrast(self, h1: Tensor, h2: Tensor, **context: Any) -> Tensor:
        """The loss of two views, on some of their features.

        Args:
            h1: Features of the first view, `(N, D)`.
            h2: Features of the second view, `(N, D)`.
            **context: What else `loss_of` takes.

        Returns:
            A float32 tensor `(N,)`.
        """
        return self.loss_of(h1[:, : self.loss_dim], h2[:, : self.loss_dim], **context)

    def get_config(self) -> dict:
        return {**super().get_config(), "loss_dim": self.loss_dim}
