"""NNCLR: the positive of an image is the nearest neighbour of its other view."""

from functools import partial
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import FeatureQueue, build_head, byol_mlp, simclr_v2_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import InfoNCE
from keras_contrastive.methods.base import serialize
from keras_contrastive.methods.contrastive import ContrastiveMethod
from keras_contrastive.ops import l2_normalize, matching_accuracy, nearest_rows
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class NNCLR(ContrastiveMethod):
    """Nearest-neighbour contrastive learning of representations.

    Each projection is replaced by the nearest one in a queue of past projections, which must pick
    the prediction of the other view among those of the batch. Views pass the networks apart.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (2048, 2048 and 256 wide).
        predictor: A Keras model on the projections, a function from their dimension to one, or
            `None` for the paper's (4096 hidden, as wide as the projections).
        loss: A loss of `(predictions, neighbors)`; `None` for `InfoNCE(temperature=0.1)`.
        queue_size: Number of projections kept, default 98304 (4096 suits CIFAR-10).
        seed: Seed of the queue's first rows.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss, contrastive_accuracy (share of the first view's neighbours that are nearest to their
    own prediction), neighbor_similarity (mean cosine of a projection and its neighbour),
    representation_std, effective_rank, projection_std, projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.NNCLR(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, blur=0.0),
    ...     queue_size=32,
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> int(method.queue.position)
    16

    Differs from the reference: the queue may be of any size.

    Reference:
        Dwibedi et al., "With a Little Help from My Friends: Nearest-Neighbor Contrastive Learning
        of Visual Representations", 2021, equation 4.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        predictor: Head = None,
        loss: keras.losses.Loss | None = None,
        queue_size: int = 98304,
        seed: int = 0,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            loss=loss or InfoNCE(temperature=0.1),
            logs=["contrastive_accuracy", "neighbor_similarity"],
            probe_classes=probe_classes,
            **kwargs,
        )
        default = partial(simclr_v2_projector, hidden_dim=2048, output_dim=256)
        self.projector = build_head(projector, default, self.feature_dim)
        dim = self.projector.output_shape[-1]
        self.predictor = build_head(
            predictor, partial(byol_mlp, output_dim=dim, name="predictor"), dim
        )
        self.queue = FeatureQueue(queue_size, dim, seed=seed)
        self.seed = seed

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features = [self.encode(view, training) for view in views]  # (N, D)
        projections = [self.projector(part, training=training) for part in features]  # (N, d)
        p1, p2 = (self.predictor(part, training=training) for part in projections)
        z1, z2 = (ops.stop_gradient(l2_normalize(part)) for part in projections)
        support = ops.stop_gradient(self.queue.read())  # (K, d)
        n1, n2 = nearest_rows(z1, support), nearest_rows(z2, support)
        context: dict[str, Any] = {"index": index, "training": training}
        loss = (self.loss_of(p2, n1, **context) + self.loss_of(p1, n2, **context)) / 2
        if training:
            self.queue.enqueue(z1)  # after the search, else each is its own neighbour
        return {
            "loss": loss,
            "features": features[0],
            "projections": projections,
            "contrastive_accuracy": matching_accuracy(n1, p2),
            "neighbor_similarity": ops.mean(ops.sum(z1 * n1, axis=1)),
        }

    def get_config(self) -> dict:
        parts = serialize(projector=self.projector, predictor=self.predictor)
        sizes = {"queue_size": self.queue.size, "seed": self.seed}
        return {**super().get_config(), **parts, **sizes}
