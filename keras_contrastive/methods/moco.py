"""MoCo: a queue of past keys, encoded by a slowly moving copy of the encoder."""

from typing import Any, NamedTuple

import keras
from keras import ops

from keras_contrastive.layers import (
    FalseNegatives,
    FeatureQueue,
    build_head,
    moco_v2_projector,
)
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import InfoNCE, info_nce_accuracy
from keras_contrastive.losses.contrast import both_views
from keras_contrastive.methods.base import serialize
from keras_contrastive.methods.contrastive import ContrastiveMethod
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.collectives import gather, positions
from keras_contrastive.ops.contrast import all_pairs
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import MomentumPair, copy_network
from keras_contrastive.training.momentum import Momentum


class _Pair(NamedTuple):
    """One direction: features `(N, D)` and projections `(N, d)` of a view, and its keys."""

    features: Tensor
    queries: Tensor
    keys: Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MoCo(ContrastiveMethod):
    """Momentum contrast, v1 and v2.

    A query must find the key of its image among a queue of the keys of earlier batches. Keys come
    from the target network, an exponential moving average of the online one.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for v2's head. MoCo v1: `keras_contrastive.layers.moco_v1_projector`.
        loss: A loss of `((keys, negatives), queries)`; `None` for `InfoNCE(temperature=0.2)`, v2's.
            MoCo v1: 0.07.
        queue_size: Number of keys kept, default 65536 (4096 suits CIFAR-10).
        momentum: Of the target network, a number in 0 to 1 or a function of the step; default
            0.999 (0.99 suits short runs).
        symmetric: Whether the second view also queries the first; costs two more forward passes.
        shuffle_splits: Number of parts of the batch that batch normalisation sees apart. Above 1,
            queries are normalised in their order and keys in a random one, so that the statistics
            of a batch cannot give the positive away; the paper uses 8 devices for this. A batch
            needs two samples a part.
        seed: Seed of the queue's first rows and of the shuffling.
        false_negatives: A detector of false negatives in the queue, such as
            `keras_contrastive.layers.FNC()`; `None` for none.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss, contrastive_accuracy (share of queries nearer to their key than to the whole queue),
    momentum, representation_std, effective_rank, projection_std, projection_rank and
    probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.MoCo(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.moco_v2_views(size=16, blur=0.0),
    ...     queue_size=32,
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> int(method.queue.position)
    16

    Differs from the reference: the target moves after the optimizer step rather than before the
    next forward pass, which is the same; queue and batch may be of any size.

    Reference:
        He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", 2020,
        algorithm 1; v2: Chen et al., "Improved Baselines with Momentum Contrastive Learning", 2020.
    """

    detecting_loss = InfoNCE
    takes_positives = True

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        loss: keras.losses.Loss | None = None,
        queue_size: int = 65536,
        momentum: Momentum = 0.999,
        symmetric: bool = False,
        shuffle_splits: int = 1,
        seed: int = 0,
        false_negatives: FalseNegatives | None = None,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            loss=loss or InfoNCE(temperature=0.2),
            false_negatives=false_negatives,
            logs=["contrastive_accuracy", "momentum"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, moco_v2_projector, self.feature_dim)
        self.target_encoder = copy_network(self.encoder)
        self.target_projector = copy_network(self.projector)
        self.queue = FeatureQueue(queue_size, self.projector.output_shape[-1], seed=seed)
        self.symmetric = symmetric
        self.shuffle_splits = shuffle_splits
        self.seed = seed
        self.order_seed = keras.random.SeedGenerator(seed)
        self.momentum_pair = MomentumPair(
            [self.encoder, self.projector], [self.target_encoder, self.target_projector], momentum
        )

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
        positive: Tensor | None = None,
    ) -> dict[str, Tensor]:
        negatives = self.queue.read()  # (K, d)
        view_q, view_k, *supports = views
        references = [self._keys(view, training) for view in supports]
        directions = [(view_q, view_k), (view_k, view_q)] if self.symmetric else [(view_q, view_k)]
        pairs = [self._encode_pair(*direction, training) for direction in directions]
        detections = self._detect(pairs, references, negatives, index, training)
        losses = [
            self.contrast(
                pair.queries, pair.keys, negatives, index=index, detection=found, training=training
            )
            for pair, found in zip(pairs, detections)
        ]
        if training:
            # After the loss, else a positive is a negative too.
            new_keys = ops.concatenate([pair.keys for pair in pairs], axis=0)
            self.queue.enqueue(new_keys, both_views(index) if self.symmetric else index)
        if positive is not None:
            _, positive = self._forward(*self._networks()[0], positive, training)
        return {
            "loss": sum(losses) / len(losses),
            "features": pairs[0].features,
            "projections": [pair.queries for pair in pairs],
            "positive": positive,
            "contrastive_accuracy": info_nce_accuracy(pairs[0].queries, pairs[0].keys, negatives),
            "momentum": self.momentum_pair.momentum_at(ops.convert_to_tensor(self.steps)),
        }

    def _encode_pair(self, view_q: Tensor, view_k: Tensor, training: bool) -> _Pair:
        if not (training and self.shuffle_splits > 1):
            features, queries = self._forward(*self._networks()[0], view_q, training)
            return _Pair(features, queries, self._keys(view_k, training))
        online, target = self._networks()
        num_samples = ops.shape(view_q)[0]
        order = ops.argsort(keras.random.uniform((num_samples,), seed=self.order_seed))
        features, queries = self._forward_apart(*online, view_q, ops.arange(num_samples))
        _, keys = self._forward_apart(*target, view_k, order)
        return _Pair(features, queries, ops.stop_gradient(l2_normalize(keys)))

    def _networks(self) -> tuple[tuple[keras.Model, keras.Model], ...]:
        online = self.encoder, self.projector
        return online, (self.target_encoder, self.target_projector)

    def _keys(self, view: Tensor, training: bool) -> Tensor:
        _, keys = self._forward(*self._networks()[1], view, training)
        return ops.stop_gradient(l2_normalize(keys))

    def contrast(self, queries: Tensor, keys: Tensor, negatives: Tensor, **context: Any) -> Tensor:
        """The loss of one direction.

        Args:
            queries: Online projections `(N, d)`.
            keys: Their keys, `(N, d)`, of unit length and without a gradient.
            negatives: The queue, `(K, d)`.
            **context: What else `loss_of` takes.

        Returns:
            A float32 tensor `(N,)`.
        """
        return self.loss_of((keys, negatives), queries, **context)

    def _detect(
        self,
        pairs: list[_Pair],
        references: list[Tensor],
        negatives: Tensor,
        index: Tensor | None,
        training: bool,
    ) -> list[Detection | None]:
        if self.false_negatives is None:
            return [None for _ in pairs]
        compared = [
            ops.stack(
                [ops.stop_gradient(l2_normalize(pair.queries)), pair.keys, *references], axis=1
            )
            for pair in pairs
        ]  # (N, V, d) each
        # Both directions at once, so that what is kept for a sample moves once a step.
        detection = self.false_negatives.detect(
            ops.concatenate(compared, axis=0),
            negatives,
            all_pairs,
            index=both_views(index) if self.symmetric else index,
            candidate_index=self.queue.read_indices(),
            training=training,
        )
        num_samples = ops.shape(compared[0])[0]
        return [detection.from_row(i * num_samples) for i in range(len(pairs))]

    def _forward_apart(
        self, encoder: keras.Model, projector: keras.Model, images: Tensor, order: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Features and projections, each part of the batch with statistics of its own."""
        parts = [order[start :: self.shuffle_splits] for start in range(self.shuffle_splits)]
        places = positions(ops.shape(images)[0])
        outputs = [
            self._forward(encoder, projector, ops.take(images, p, axis=0), True) for p in parts
        ]
        places = [gather(ops.take(places, part)) for part in parts]
        back = ops.argsort(ops.concatenate(places, axis=0))
        features, projections = (ops.concatenate(part, axis=0) for part in zip(*outputs))
        return ops.take(features, back, axis=0), ops.take(projections, back, axis=0)

    def _forward(
        self, encoder: keras.Model, projector: keras.Model, images: Tensor, training: bool
    ) -> tuple[Tensor, Tensor]:
        features = self.encode(images, training, encoder)
        return features, projector(features, training=training)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **serialize(
                projector=self.projector,
                momentum=self.momentum_pair.momentum,
                false_negatives=self.false_negatives,
            ),
            "queue_size": self.queue.size,
            "symmetric": self.symmetric,
            "shuffle_splits": self.shuffle_splits,
            "seed": self.seed,
        }
