"""A temperature that follows the training."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.temperature.base import Temperature
from keras_contrastive.ops.similarity import Tensor

_SHAPES: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda progress: progress,
    "cosine": lambda progress: (1.0 - ops.cos(3.141592653589793 * progress)) / 2.0,
    "step": lambda progress: ops.floor(progress),
}


@keras.saving.register_keras_serializable(package="keras_contrastive")
class ScheduledTemperature(Temperature):
    """Goes from one temperature to another in a number of optimizer steps.

    A cool-down starts high, which aligns positives early, and ends at the working value. With
    `periodic=True` it swings back and forth, which helps on long-tailed data.

    Args:
        start: Temperature at step 0, positive; default 0.1.
        end: Temperature after `steps`, positive; default 0.05.
        steps: Number of optimizer steps from one to the other.
        shape: "linear", "cosine" or "step" (at once, after `steps`).
        periodic: Whether it turns back at `end` and at `start`, for ever, rather than stay.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> from keras_contrastive.layers import ScheduledTemperature
    >>> temperature = ScheduledTemperature(start=0.5, end=0.1, steps=4)
    >>> temperature.after_step(True)
    >>> round(float(temperature(None, None)), 3)
    0.4

    Reference:
        Kukleva et al., "Temperature Schedules for Self-Supervised Contrastive Methods on
        Long-Tail Data", 2023 (cosine, periodic).
    """

    def __init__(
        self,
        start: float = 0.1,
        end: float = 0.05,
        *,
        steps: int,
        shape: str = "linear",
        periodic: bool = False,
        **kwargs: Any,
    ) -> None:
        if not (start > 0 and end > 0 and steps > 0):
            raise ValueError(
                "Expected positive `start`, `end` and `steps`. "
                f"Received: start={start}, end={end}, steps={steps}."
            )
        if shape not in _SHAPES:
            raise ValueError(f"Expected `shape` to be one of {[*_SHAPES]}. Received: {shape!r}.")
        super().__init__(**kwargs)
        self.start, self.end, self.steps = start, end, steps
        self.shape, self.periodic = shape, periodic
        self.step = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="step"
        )

    def call(self, anchors: Tensor, alignment: Tensor, index: Tensor | None = None) -> Tensor:
        progress = ops.cast(ops.convert_to_tensor(self.step), "float32") / self.steps
        if self.periodic:
            progress = 1.0 - ops.abs(1.0 - progress % 2.0)
        progress = _SHAPES[self.shape](ops.minimum(progress, 1.0))
        return self.start + (self.end - self.start) * progress

    def after_step(self, stepped: Tensor) -> None:
        self.step.assign_add(ops.cast(stepped, "int32"))

    def get_config(self) -> dict:
        names = ("start", "end", "steps", "shape", "periodic")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
