"""MoCHi: MoCo with synthetic negatives, mixed from the hardest ones of the queue."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.heads import Head
from keras_contrastive.losses.checks import constant_temperature
from keras_contrastive.methods.moco import MoCo
from keras_contrastive.ops import l2_normalize, mix_hard_negatives
from keras_contrastive.ops.contrast import MASKED
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MoCHi(MoCo):
    """Mixing of contrastive hard negatives.

    For each query, pairs of the nearest negatives of the queue are mixed, and some of them with
    the query itself; the mixtures join the negatives of MoCo's loss. They are constants: only the
    query gets a gradient.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: As in `MoCo`.
        num_hardest: How many of the queue's rows are mixed, the nearest to the query; default 1024.
        num_mixed: Number of mixtures of two negatives a query, default 1024.
        num_query_mixed: Number of mixtures of the query and a negative, default 128.
        warmup_steps: Optimizer steps before the mixtures join, default 0. The paper's recipe waits
            for 10 to 15 epochs.
        **kwargs: As in `MoCo`.

    Raises:
        ValueError: If there are fewer rows in the queue than are mixed, no mixtures, a loss
            without a constant temperature, or false negatives to detect.

    Logs: as `MoCo`, whose contrastive_accuracy leaves the mixtures out.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.MoCHi(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.moco_v2_views(size=16, blur=0.0),
    ...     num_hardest=8,
    ...     num_mixed=8,
    ...     num_query_mixed=4,
    ...     queue_size=32,
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> int(method.queue.position)
    16

    Differs from the reference: both kinds of mixtures join at the same step.

    Reference:
        Kalantidis et al., "Hard Negative Mixing for Contrastive Learning", 2020, section 4.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        num_hardest: int = 1024,
        num_mixed: int = 1024,
        num_query_mixed: int = 128,
        warmup_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(encoder, augmentation, projector, **kwargs)
        if not 1 <= num_hardest <= self.queue.size:
            raise ValueError(
                f"Expected `num_hardest` in 1 to queue_size={self.queue.size}. "
                f"Received: num_hardest={num_hardest}."
            )
        if min(num_mixed, num_query_mixed) < 0 or num_mixed + num_query_mixed < 1:
            raise ValueError(
                "Expected at least one mixture; without any, this is `MoCo`. Received: "
                f"num_mixed={num_mixed}, num_query_mixed={num_query_mixed}."
            )
        if self.false_negatives is not None:
            raise ValueError(
                "Expected no `false_negatives`: they would come back in the mixtures. "
                f"Received: {type(self.false_negatives).__name__}. Leave them out, or use `MoCo`."
            )
        constant_temperature(self.contrastive_loss)
        self.num_hardest = num_hardest
        self.num_mixed = num_mixed
        self.num_query_mixed = num_query_mixed
        self.warmup_steps = warmup_steps
        self.mixing_seed = keras.random.SeedGenerator(self.seed)

    def contrast(self, queries: Tensor, keys: Tensor, negatives: Tensor, **context: Any) -> Tensor:
        # log(e^positive + sum of e^negative) - positive, (N,)
        loss = super().contrast(queries, keys, negatives, **context)
        temperature = constant_temperature(self.contrastive_loss)
        queries = l2_normalize(queries)
        hard = mix_hard_negatives(
            queries,
            negatives,
            self.num_hardest,
            self.num_mixed,
            self.num_query_mixed,
            seed=self.mixing_seed,
        )  # (N, s + s', d)
        logits = ops.einsum("nd,nsd->ns", queries, hard) / temperature
        warm = ops.convert_to_tensor(self.steps) >= self.warmup_steps
        hardness = ops.logsumexp(ops.where(warm, logits, MASKED), axis=1)  # (N,)
        # The mixtures join the sum.
        return ops.logaddexp(loss, hardness - ops.sum(queries * keys, axis=1) / temperature)

    def get_config(self) -> dict:
        names = ("num_hardest", "num_mixed", "num_query_mixed", "warmup_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
