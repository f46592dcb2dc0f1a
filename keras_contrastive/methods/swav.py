"""SwAV: predict from one view which prototypes another view was assigned to."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import FeatureQueue, Prototypes, build_head, swav_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import SwappedPrediction
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops import l2_normalize, sinkhorn
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import by_view, forward_by_size


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SwAV(Method):
    """Swapped assignments between views.

    The full views are assigned to prototypes, as evenly as possible over the batch; all other views
    of the image must tell these codes from their own scores. Views of equal size pass the encoder
    in one batch, and the features of all views the projector in one.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled. For
            views of several sizes build it with `input_shape=(None, None, 3)`.
        augmentation: A layer from images to views, the full ones first, such as
            `keras_contrastive.augmentation.swav_views()`; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (2048 hidden, 128 out).
        loss: A loss of lists of codes and of scores; `None` for `SwappedPrediction(0.1)`.
        num_prototypes: K, default 3000, the paper's for ImageNet; at most a few times as many as
            the batch and queue have samples (512 suits CIFAR-10).
        num_full: How many views, the first ones, give codes. Default 2.
        epsilon: Sharpness of the codes. Default 0.05; 0.03 helps if the loss stays at `log K`.
        iterations: Of Sinkhorn-Knopp, default 3.
        freeze_steps: Steps that the prototypes stand still for at the start, about an epoch.
            Default 313, the paper's at a batch of 4096.
        queue_size: Past embeddings of each full view that share in the assignment, 0 for none (the
            paper's large batches) or 3840 (its batch of 256).
        queue_start: Step from which the queue is used, once it is full; later than the steps in
            which embeddings change fast (15 epochs in the paper).
        seed: Seed of the prototypes and the queue's first rows.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Raises:
        ValueError: If a number is out of range.

    Logs: loss (`log num_prototypes`: nothing learnt, or a collapse), swap_accuracy (share of
    samples whose second view's best prototype is that of the first view's code), queue_in_use (0 or
    1), representation_std, effective_rank, projection_std, projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.SwAV(
    ...     kc.encoders.small_resnet(input_shape=(None, None, 3), widths=(8, 16)),
    ...     kc.augmentation.swav_views(size=16, local_size=8, num_local=2, blur=0.0),
    ...     num_prototypes=8,
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> method.predict(images, verbose=0).shape
    (16, 16)

    Differs from the reference: prototypes are brought to unit length after each step rather than
    before the next forward pass, which is the same; the queue fills from the first step on, not
    from `queue_start` on.

    Reference:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020, algorithm 1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        loss: keras.losses.Loss | None = None,
        num_prototypes: int = 3000,
        num_full: int = 2,
        epsilon: float = 0.05,
        iterations: int = 3,
        freeze_steps: int = 313,
        queue_size: int = 0,
        queue_start: int = 0,
        seed: int = 0,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        if num_full < 1 or min(freeze_steps, queue_size, queue_start) < 0:
            raise ValueError(
                "Expected `num_full` of at least 1 and no negative `freeze_steps`, `queue_size` or "
                f"`queue_start`. Received: num_full={num_full}, freeze_steps={freeze_steps}, "
                f"queue_size={queue_size}, queue_start={queue_start}."
            )
        super().__init__(
            encoder,
            augmentation,
            num_views=max(num_full, 2),
            more_views=True,
            logs=["swap_accuracy", "queue_in_use"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, swav_projector, self.feature_dim)
        dim = self.projector.output_shape[-1]
        self.prototypes = Prototypes(num_prototypes, dim, seed, name="prototypes")
        self.queues = [
            FeatureQueue(queue_size, dim, seed + number)
            for number in range(num_full if queue_size else 0)
        ]
        self.swap_loss = loss or SwappedPrediction(temperature=0.1)
        self.num_full = num_full
        self.epsilon, self.iterations = epsilon, iterations
        self.freeze_steps = freeze_steps
        self.queue_size, self.queue_start = queue_size, queue_start
        self.seed = seed

    def frozen(self) -> list[tuple[keras.Variable, Tensor]]:
        return [(self.prototypes.rows, self._is_frozen())]

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features = forward_by_size(self.encode, views, training)  # (V N, D)
        embeddings = l2_normalize(self.projector(features, training=training))  # (V N, d)
        scores = self.prototypes(embeddings, frozen=self._is_frozen())  # (V N, K)
        embeddings, scores = by_view(embeddings, len(views)), by_view(scores, len(views))
        queue_in_use = self._queue_in_use()
        codes = [
            self._codes(number, view, queue_in_use)
            for number, view in enumerate(scores[: self.num_full])
        ]
        if training:
            for queue, view in zip(self.queues, embeddings, strict=False):
                queue.enqueue(ops.stop_gradient(view))
        picks = ops.equal(ops.argmax(codes[0], axis=1), ops.argmax(scores[1], axis=1))
        return {
            "loss": self.swap_loss.call(codes, scores),
            "features": by_view(features, len(views))[0],
            "projections": embeddings,
            "swap_accuracy": ops.mean(ops.cast(picks, "float32")),
            "queue_in_use": ops.cast(queue_in_use, "float32"),
        }

    def _codes(self, number: int, scores: Tensor, queue_in_use: Tensor) -> Tensor:
        """Assignments `(N, K)` of one full view, made in company of its queue."""
        scores = ops.stop_gradient(scores)
        if not self.queues:
            return sinkhorn(scores, self.epsilon, self.iterations)
        # Past embeddings, but the prototypes of today.
        past = ops.stop_gradient(self.prototypes(self.queues[number].read()))  # (queue_size, K)
        return ops.cond(
            queue_in_use,
            lambda: sinkhorn(
                ops.concatenate([past, scores], axis=0), self.epsilon, self.iterations
            )[self.queue_size :],
            lambda: sinkhorn(scores, self.epsilon, self.iterations),
        )

    def _is_frozen(self) -> Tensor:
        return ops.convert_to_tensor(self.steps) < self.freeze_steps

    def _queue_in_use(self) -> Tensor:
        if not self.queues:
            return ops.convert_to_tensor(False)
        started = ops.convert_to_tensor(self.steps) >= self.queue_start
        return ops.logical_and(started, self.queues[0].is_full())

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **serialize(projector=self.projector, loss=self.swap_loss),
            "num_prototypes": self.prototypes.num,
            "num_full": self.num_full,
            "epsilon": self.epsilon,
            "iterations": self.iterations,
            "freeze_steps": self.freeze_steps,
            "queue_size": self.queue_size,
            "queue_start": self.queue_start,
            "seed": self.seed,
        }
