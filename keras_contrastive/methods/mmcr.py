"""MMCR: centroids of each image's views, long and orthogonal."""

from functools import partial
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import barlow_twins_projector, build_head
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses.checks import check_weight
from keras_contrastive.losses.mmcr import mmcr
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import MomentumPair, by_view, copy_network
from keras_contrastive.training.momentum import Momentum


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MMCR(Method):
    """Maximum manifold capacity representations.

    The nuclear norm of the matrix of centroids grows when the views of each image agree (long
    centroids) and when images differ (orthogonal centroids). Centroids are means over the views
    in the online network and in a target that follows it. Views pass the networks in one batch.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (8192, 8192, 512; on CIFAR-10 512, 128). More dimensions than images in
            a batch are no use.
        num_views: Views of each image, default 2 (40 in the paper's CIFAR-10 recipe, with batches
            of 32 and without a target).
        momentum: Of the target network, a number in 0 to 1 or a function of the step; default
            0.99; `None` for no target.
        compression_weight: Weight of the nuclear norms of each image's views, at least 0,
            default 0.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss, centroid_length (0 to 1; 1 when views agree), momentum (if there is a target),
    representation_std, effective_rank, projection_std, projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.MMCR(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.byol_views(size=16, blur=(0.0, 0.0)),
    ...     lambda dim: kc.layers.barlow_twins_projector(dim, hidden_dim=64, output_dim=8),
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> 0 < history.history["centroid_length"][0] <= 1
    True

    Differs from the reference: the views of both networks count in the compression term.

    Reference:
        Yerxa et al., "Learning Efficient Coding of Natural Images with Maximum Manifold Capacity
        Representations", 2023.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        num_views: int = 2,
        momentum: Momentum | None = 0.99,
        compression_weight: float = 0.0,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            num_views=num_views,
            logs=["centroid_length", *([] if momentum is None else ["momentum"])],
            probe_classes=probe_classes,
            **kwargs,
        )
        head = partial(barlow_twins_projector, output_dim=512)
        self.projector = build_head(projector, head, self.feature_dim)
        self.compression_weight = check_weight(compression_weight, "compression_weight")
        if momentum is not None:
            self.target_encoder = copy_network(self.encoder)
            self.target_projector = copy_network(self.projector)
            self.momentum_pair = MomentumPair(
                [self.encoder, self.projector],
                [self.target_encoder, self.target_projector],
                momentum,
            )

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features, projections = self.project(views, training)  # (V N, ...)
        rows, logs = [l2_normalize(projections)], {}
        if self.momentum_pair is not None:
            target = self.encode(views, training, self.target_encoder)
            target = self.target_projector(target, training=training)
            rows.append(ops.stop_gradient(l2_normalize(target)))
            logs["momentum"] = self.momentum_pair.momentum_at(ops.convert_to_tensor(self.steps))
        stacked = ops.reshape(  # (V or 2V, N, d)
            ops.concatenate(rows, axis=0),
            (self.num_views * len(rows), -1, projections.shape[-1]),
        )
        centroids = ops.mean(stacked, axis=0)  # (N, d)
        return {
            "loss": mmcr(ops.transpose(stacked, (1, 0, 2)), self.compression_weight),
            "features": by_view(features, self.num_views)[0],
            "projections": by_view(projections, self.num_views),
            "centroid_length": ops.mean(ops.norm(ops.stop_gradient(centroids), axis=1)),
            **logs,
        }

    def get_config(self) -> dict:
        momentum = None if self.momentum_pair is None else self.momentum_pair.momentum
        return {
            **super().get_config(),
            **serialize(projector=self.projector, momentum=momentum),
            "num_views": self.num_views,
            "compression_weight": self.compression_weight,
        }
