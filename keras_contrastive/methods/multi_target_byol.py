"""Multi-target BYOL: predict several slowly moving copies of oneself."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import build_head, byol_mlp
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import negative_cosine
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import MomentumPair, MomentumPairs, copy_network
from keras_contrastive.training.momentum import Momentum


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MultiTargetBYOL(Method):
    """BYOL with several targets: an interpretation, since the paper gives no code.

    The online network predicts M target networks, copies of it that follow at different speeds;
    the loss is the mean of BYOL's over them. With more than two views, each view predicts the mean
    of the other views' targets, at unit length each. One target and two views are BYOL itself.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for BYOL's (4096 hidden, 256 out).
        predictor: A Keras model on the projections, a function from their dimension to one, or
            `None` for BYOL's, which predicts all targets; or a sequence of these, one a target.
        momenta: Of the target networks, each a number in 0 to 1 or a function of the step, such as
            `keras_contrastive.optimizers.CosineMomentum(0.99, steps=...)`.
        num_views: Number of views, at least 2.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Raises:
        ValueError: If there is no target, a single view, or not one predictor a target.

    Logs: loss (0 to 8), momentum (the mean), representation_std, effective_rank, projection_std,
    projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.MultiTargetBYOL(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, strength=0.5, blur=0.0),
    ...     momenta=(0.9, 0.99),
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> round(history.history["momentum"][0], 3)
    0.945

    Differs from the reference: the idea of several targets is the paper's; their number, momenta,
    the mean over views (FastSiam's) and the predictors are choices made here.

    Reference:
        "Branching Out for Better BYOL", NeurIPS workshop on self-supervised learning, 2021;
        Grill et al., "Bootstrap Your Own Latent", 2020; Pototzky et al., "FastSiam", 2022.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        predictor: Head | Sequence[Head] = None,
        momenta: Sequence[Momentum] = (0.99, 0.996),
        num_views: int = 2,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        apart = isinstance(predictor, (tuple, list))
        heads: list[Any] = [*predictor] if apart else [predictor]  # type: ignore[misc]
        if not momenta or num_views < 2 or (apart and len(heads) != len(momenta)):
            raise ValueError(
                "Expected at least one target, two views, and one predictor or one a target. "
                f"Received: momenta={momenta}, num_views={num_views}, predictor={predictor}."
            )
        super().__init__(
            encoder,
            augmentation,
            num_views=num_views,
            logs=["momentum"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, byol_mlp, self.feature_dim)
        dim = self.projector.output_shape[-1]
        default = partial(byol_mlp, output_dim=dim, name="predictor")
        self.predictors = [build_head(head, default, dim) for head in heads]
        online = [self.encoder, self.projector]
        self.targets = [[copy_network(part) for part in online] for _ in momenta]
        self.momentum_pair = MomentumPairs(
            [
                MomentumPair(online, target, momentum)
                for target, momentum in zip(self.targets, momenta, strict=True)
            ]
        )

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features = [self.encode(view, training) for view in views]  # (N, D)
        projections = [self.projector(f, training=training) for f in features]  # (N, d)
        predictions = [
            [predictor(z, training=training) for z in projections] for predictor in self.predictors
        ]
        loss = 0.0
        for number, (encoder, projector) in enumerate(self.targets):
            targets = [
                l2_normalize(projector(self.encode(view, training, encoder), training=training))
                for view in views
            ]
            loss = loss + _to_the_others(targets, predictions[number % len(predictions)])
        return {
            "loss": loss / len(self.targets),
            "features": features[0],
            "projections": projections,
            "momentum": self.momentum_pair.momentum_at(ops.convert_to_tensor(self.steps)),
        }

    def get_config(self) -> dict:
        parts = serialize(
            projector=self.projector,
            predictor=self.predictors if len(self.predictors) > 1 else self.predictors[0],
            momenta=[pair.momentum for pair in self.momentum_pair.pairs],
        )
        return {**super().get_config(), **parts, "num_views": self.num_views}


def _to_the_others(targets: list[Tensor], predictions: list[Tensor]) -> Tensor:
    """BYOL's loss of each view's prediction and the mean target of the others; 0 to 8, `(N,)`."""
    total = sum(targets)
    cosines = [
        negative_cosine(total - own, prediction)
        for own, prediction in zip(targets, predictions, strict=True)
    ]
    return 4.0 + 4.0 * sum(cosines) / len(cosines)
