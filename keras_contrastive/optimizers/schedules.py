"""Schedules of the learning rate and of a target network's momentum."""

import math
from typing import Any

import keras
from keras import ops


def warmup_cosine(
    learning_rate: float,
    steps: int | None = None,
    warmup_steps: int = 0,
    final: float = 0.0,
    *,
    epochs: float | None = None,
    steps_per_epoch: int | None = None,
    warmup_epochs: float = 0,
) -> keras.optimizers.schedules.CosineDecay:
    """Learning rate that rises linearly from 0, then falls along half a cosine, step by step.

    Formula: `learning_rate * t / W` for `t < W`, then
    `final + (learning_rate - final) * (1 + cos(pi * (t - W) / (T - W))) / 2`, and `final` from
    `T` on.

    Give the lengths in steps (`T = steps`, `W = warmup_steps`), or in epochs together with
    `steps_per_epoch`. A step is a batch, also under gradient accumulation.

    Args:
        learning_rate: The peak, positive.
        steps: Number of training steps, more than `warmup_steps`.
        warmup_steps: Number of steps of the linear rise, default 0.
        final: Learning rate at the end, default 0.
        epochs: Length in epochs, instead of `steps`.
        steps_per_epoch: Batches an epoch, with `epochs`.
        warmup_epochs: Length of the rise in epochs, with `epochs`.

    Returns:
        A `keras.optimizers.schedules.CosineDecay`, which any Keras optimizer takes.

    Raises:
        ValueError: When both or neither of the two ways are given, or a value is out of range.

    Example:

    >>> schedule = warmup_cosine(1.0, steps=30, warmup_steps=10)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 20, 30)]
    [0.0, 0.5, 1.0, 0.5, 0.0]

    Reference:
        Loshchilov & Hutter, "SGDR", ICLR 2017; Goyal et al., 2017, section 2.2 (warm-up).
    """
    mixed = ValueError(
        f"Expected either steps (and warmup_steps), or epochs and steps_per_epoch (and "
        f"warmup_epochs). Received: steps={steps}, warmup_steps={warmup_steps}, epochs={epochs}, "
        f"steps_per_epoch={steps_per_epoch}, warmup_epochs={warmup_epochs}."
    )
    if steps is None:
        if epochs is None or steps_per_epoch is None or warmup_steps:
            raise mixed
        steps = round(epochs * steps_per_epoch)
        warmup_steps = round(warmup_epochs * steps_per_epoch)
    elif epochs is not None or steps_per_epoch is not None or warmup_epochs:
        raise mixed
    if not 0 <= warmup_steps < steps:
        raise ValueError(
            f"Expected 0 <= warmup_steps < steps. "
            f"Received: warmup_steps={warmup_steps}, steps={steps}."
        )
    if not 0 <= final <= learning_rate or learning_rate == 0:
        raise ValueError(
            f"Expected a positive learning_rate and 0 <= final <= learning_rate. "
            f"Received: learning_rate={learning_rate}, final={final}."
        )
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup_steps else learning_rate,
        decay_steps=steps - warmup_steps,
        alpha=final / learning_rate,
        warmup_target=learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )


def linear_scaling(base: float, batch_size: int) -> float:
    """Learning rate `base * batch_size / 256`.

    Args:
        base: Learning rate at a batch of 256.
        batch_size: Images a step, over all devices.

    Returns:
        The learning rate.

    Example:

    >>> round(linear_scaling(0.3, 4096), 6)
    4.8

    Reference:
        Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 2.1.
    """
    return base * batch_size / 256


def sqrt_scaling(base: float, batch_size: int) -> float:
    """Learning rate `base * sqrt(batch_size)`.

    Args:
        base: Learning rate at a batch of 1.
        batch_size: Images a step, over all devices.

    Returns:
        The learning rate.

    Example:

    >>> round(sqrt_scaling(0.075, 4096), 6)
    4.8

    Reference:
        Chen et al., "A Simple Framework for Contrastive Learning", ICML 2020, appendix B.1.
    """
    return base * math.sqrt(batch_size)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class CosineMomentum:
    """Momentum of a target network that rises from `start` to `end` along half a cosine.

    Formula: `m(t) = end - (end - start) * (1 + cos(pi * t / steps)) / 2`, and `end` from
    `t = steps` on.

    Some code divides by the last step's number instead of the number of steps; give
    `steps=number - 1` for its values.

    Args:
        start: Momentum at step 0, in [0, 1].
        steps: Number of training steps, at least 1.
        end: Momentum at the end, in [0, 1], default 1.

    Raises:
        ValueError: On a value out of range.

    Example:

    >>> momentum = CosineMomentum(0.9, steps=100)
    >>> [round(float(momentum(step)), 3) for step in (0, 50, 100)]
    [0.9, 0.95, 1.0]

    Reference:
        Grill et al., "Bootstrap Your Own Latent", NeurIPS 2020, section 3.3.
    """

    def __init__(self, start: float, steps: int, end: float = 1.0):
        if not (0 <= start <= 1 and 0 <= end <= 1):
            raise ValueError(
                f"Expected start and end in [0, 1]. Received: start={start}, end={end}."
            )
        if not steps >= 1:
            raise ValueError(f"Expected at least one step. Received: steps={steps}.")
        self.start = start
        self.steps = steps
        self.end = end

    def __call__(self, step: Any) -> Any:
        """Return the momentum at `step` (an integer or an integer tensor), float32."""
        progress = ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)
        return self.end - (self.end - self.start) * 0.5 * (1.0 + ops.cos(math.pi * progress))

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {"start": self.start, "steps": self.steps, "end": self.end}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "CosineMomentum":
        """Rebuild from `get_config`."""
        return cls(**config)
