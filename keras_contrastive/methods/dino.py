"""DINO: self-distillation from a slowly moving teacher that is centred and sharpened."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import WeightNormPrototypes, build_head, dino_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import dino, dino_targets
from keras_contrastive.losses.checks import check_temperature
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import MomentumPair, by_view, copy_network, forward_by_size
from keras_contrastive.training.momentum import Momentum


@keras.saving.register_keras_serializable(package="keras_contrastive")
class DINO(Method):
    """Self-distillation with no labels.

    The teacher, a moving average of the student, sees the full views; the student sees all views
    and matches the teacher's distribution on each other view. Centring and sharpening of the
    teacher prevent the collapse. Views of equal size pass the encoder in one batch, and the
    features of all views the projector in one.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled. For
            views of several sizes build it with `input_shape=(None, None, 3)`.
        augmentation: A layer from images to views, the full ones first, such as
            `keras_contrastive.augmentation.dino_views()`; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (twice 2048 hidden, 256 out).
        num_prototypes: Dimension K of the distribution, the width of the last layer. Default
            65536, the paper's for ImageNet (a few thousand suit CIFAR-10).
        num_full: How many views, the first ones, the teacher sees. Default 2.
        momentum: Of the teacher, a number in 0 to 1 or a function of the step. The default 0.996 is
            where the paper starts; its recipe raises it to 1, which needs the number of steps:
            `keras_contrastive.optimizers.CosineMomentum(0.996, steps=...)`.
        student_temperature: Positive. Default 0.1.
        teacher_temperature: Positive and below the student's, default 0.04; or a function of the
            step. The paper's warm-up to 0.07 is
            `keras.optimizers.schedules.PolynomialDecay(0.04, steps, 0.07)`.
        center_momentum: Of the teacher's mean output, 0 to 1. Default 0.9.
        freeze_steps: Steps that the last layer stands still for at the start, about an epoch.
            Default 1251, the paper's at a batch of 1024.
        seed: Seed of the last layer.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    The paper clips each gradient to a norm of 3: `AdamW(..., clipnorm=3.0)`.

    Raises:
        ValueError: If a number is out of range.

    Logs: loss, teacher_entropy (over `log num_prototypes`; 0 or 1 is a collapse), momentum,
    representation_std, effective_rank, projection_std, projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.DINO(
    ...     kc.encoders.small_resnet(input_shape=(None, None, 3), widths=(8, 16)),
    ...     kc.augmentation.dino_views(size=16, local_size=8, num_local=2),
    ...     num_prototypes=32,
    ... )
    >>> method.compile(optimizer="adamw")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> 0 < history.history["teacher_entropy"][0] < 1
    True

    Differs from the reference: the rows of the last layer start at unit length.

    Reference:
        Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021,
        algorithm 1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        num_prototypes: int = 65536,
        num_full: int = 2,
        momentum: Momentum = 0.996,
        student_temperature: float = 0.1,
        teacher_temperature: float | Callable[[Tensor], Tensor] = 0.04,
        center_momentum: float = 0.9,
        freeze_steps: int = 1251,
        seed: int = 0,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        if num_full < 1 or freeze_steps < 0 or not 0 <= center_momentum <= 1:
            raise ValueError(
                "Expected `num_full` of at least 1, no negative `freeze_steps` and "
                f"`center_momentum` in 0 to 1. Received: num_full={num_full}, "
                f"freeze_steps={freeze_steps}, center_momentum={center_momentum}."
            )
        if not callable(teacher_temperature):
            check_temperature(teacher_temperature)
        super().__init__(
            encoder,
            augmentation,
            num_views=max(num_full, 2),
            more_views=True,
            logs=["teacher_entropy", "momentum"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, dino_projector, self.feature_dim)
        dim = self.projector.output_shape[-1]
        self.prototypes = WeightNormPrototypes(num_prototypes, dim, seed, name="prototypes")
        student = [self.encoder, self.projector, self.prototypes]
        teacher = [copy_network(part) for part in student]
        self.target_encoder, self.target_projector, self.target_prototypes = teacher
        self.momentum_pair = MomentumPair(student, teacher, momentum)
        self.center = self.add_weight(
            shape=(num_prototypes,),
            initializer="zeros",
            dtype="float32",
            trainable=False,
            name="center",
        )
        self.num_full = num_full
        self.student_temperature = check_temperature(student_temperature)
        self.teacher_temperature = teacher_temperature
        self.center_momentum = center_momentum
        self.freeze_steps = freeze_steps
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
        bottleneck = self.projector(features, training=training)  # (V N, d)
        student = self.prototypes(bottleneck, frozen=self._is_frozen())  # (V N, K)
        of_target = partial(self.encode, encoder=self.target_encoder)
        targets = forward_by_size(of_target, views[: self.num_full], training)
        targets = self.target_projector(targets, training=training)
        targets = ops.stop_gradient(self.target_prototypes(targets))  # (F N, K)
        center, temperature = ops.copy(self.center), self._teacher_temperature()
        loss = dino(
            by_view(targets, self.num_full),
            by_view(student, len(views)),
            center,
            temperature,
            self.student_temperature,
        )
        if training:  # after the loss, which takes the centre of earlier batches
            mean = ops.mean(targets, axis=0)
            self.center.assign(center + (1.0 - self.center_momentum) * (mean - center))
        return {
            "loss": loss,
            "features": by_view(features, len(views))[0],
            "projections": by_view(bottleneck, len(views)),
            "teacher_entropy": _entropy(dino_targets(targets, center, temperature)),
            "momentum": self.momentum_pair.momentum_at(ops.convert_to_tensor(self.steps)),
        }

    def _is_frozen(self) -> Tensor:
        return ops.convert_to_tensor(self.steps) < self.freeze_steps

    def _teacher_temperature(self) -> Tensor:
        value = self.teacher_temperature
        return value(ops.convert_to_tensor(self.steps)) if callable(value) else value

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **serialize(
                projector=self.projector,
                momentum=self.momentum_pair.momentum,
                teacher_temperature=self.teacher_temperature,
            ),
            "num_prototypes": self.prototypes.num,
            "num_full": self.num_full,
            "student_temperature": self.student_temperature,
            "center_momentum": self.center_momentum,
            "freeze_steps": self.freeze_steps,
            "seed": self.seed,
        }


def _entropy(probabilities: Tensor) -> Tensor:
    """Mean entropy of the rows, of the largest possible: 0 to 1."""
    log = ops.log(ops.maximum(probabilities, 1e-30))
    return -ops.mean(ops.sum(probabilities * log, axis=1)) / math.log(probabilities.shape[1])
