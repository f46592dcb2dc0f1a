"""SimCLR: two views of an image attract, all other images of the batch repel."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import FalseNegatives, build_head, simclr_v1_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import NTXent, nt_xent_accuracy
from keras_contrastive.losses.contrast import both_views, other_samples, stacked
from keras_contrastive.losses.two_views import TwoViewLoss
from keras_contrastive.methods.base import serialize
from keras_contrastive.methods.contrastive import ContrastiveMethod
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import by_view


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SimCLR(ContrastiveMethod):
    """A simple framework for contrastive learning of visual representations.

    Both views pass encoder and projector in one batch, and NT-Xent compares all 2N projections.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for v1's head. SimCLR v2: `keras_contrastive.layers.simclr_v2_projector`.
        loss: A loss of two views' projections; `None` for `NTXent(temperature=0.1)`. Small
            batches and images want more: 0.5 in the paper's CIFAR-10 recipe. Any loss of
            `keras_contrastive.losses` that takes two views fits.
        false_negatives: A detector of false negatives, such as `keras_contrastive.layers.FNC()`;
            `None` for none.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss, contrastive_accuracy (share of anchors whose other view is the nearest),
    representation_std (1: spread over the sphere, 0: collapsed), effective_rank (participation
    ratio of the features), projection_std, projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.SimCLR(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, blur=0.0),
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> method.predict(images, verbose=0).shape
    (16, 16)

    Differs from the reference: see `NTXent` for the reduction; batch normalisation is that of the
    layers passed in.

    Reference:
        Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020,
        algorithm 1; v2: "Big Self-Supervised Models are Strong Semi-Supervised Learners", 2020.
    """

    detecting_loss = TwoViewLoss
    takes_positives = True

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        loss: keras.losses.Loss | None = None,
        false_negatives: FalseNegatives | None = None,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            loss=loss or NTXent(temperature=0.1),
            false_negatives=false_negatives,
            logs=["contrastive_accuracy"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, simclr_v1_projector, self.feature_dim)

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
        positive: Tensor | None = None,
    ) -> dict[str, Tensor]:
        others = [] if positive is None else [positive]
        both = [*views[:2], *others]
        features, projections = self.project(both, training)  # (2N, ...), or (3N, ...)
        z1, z2, *z3 = by_view(projections, len(both))
        detection = self._detect(z1, z2, views[2:], index, training)
        return {
            "loss": self.loss_of(z1, z2, index, detection, training),
            "features": by_view(features, len(both))[0],
            "contrastive_accuracy": nt_xent_accuracy(z1, z2),
            "projections": [z1, z2],
            "positive": z3[0] if z3 else None,
        }

    def _detect(
        self,
        z1: Tensor,
        z2: Tensor,
        supports: tuple[Tensor, ...],
        index: Tensor | None,
        training: bool,
    ) -> Detection | None:
        if self.false_negatives is None:
            return None
        z = ops.stop_gradient(stacked(z1, z2))  # (2N, d)
        references = [z, ops.roll(z, ops.shape(z1)[0], axis=0)]
        for view in supports:
            support = self.projector(self.encode(view, training), training=training)
            support = ops.stop_gradient(l2_normalize(support))
            references.append(ops.concatenate([support, support], axis=0))
        return self.false_negatives.detect(
            ops.stack(references, axis=1),  # (2N, V, d)
            z,
            other_samples(ops.shape(z1)[0]),
            index=both_views(index),
            candidate_index=both_views(index),
            training=training,
        )

    def get_config(self) -> dict:
        parts = serialize(projector=self.projector, false_negatives=self.false_negatives)
        return {**super().get_config(), **parts}
