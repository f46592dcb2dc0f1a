"""A temperature for each sample of the data set."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.sample_table import SampleTable
from keras_contrastive.layers.temperature.base import Temperature
from keras_contrastive.ops.similarity import Tensor

GRADIENT_LIMIT = 3.0


@keras.saving.register_keras_serializable(package="keras_contrastive")
class IndividualTemperature(Temperature):
    """One temperature a sample, learned by iSogCLR's robust objective: hard samples get high ones.

    `losses.SogCLR` with it is iSogCLR, which calls `learn` at each step; other losses read it.

    Args:
        num_samples: Size of the data set.
        initial: Temperature to start with; 0.1 in the paper.
        rho: Strength of the constraint; higher gives higher temperatures. 0.4 for CIFAR-100.
        learning_rate: Of the temperatures; 0.03 in the paper's code.
        momentum: Weight of the new gradient in its moving average; 0.5.
        minimum: Smallest temperature; 0.05.
        maximum: Largest temperature; 1.

    Raises:
        ValueError: If an argument is out of range, or the data carries no indices.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.layers import IndividualTemperature
    >>> temperature = IndividualTemperature(num_samples=10)
    >>> round(float(temperature(None, None, index=np.array([3]))[0, 0]), 4)
    0.1

    Reference:
        Qiu et al., "Not All Semantics are Created Equal: Contrastive Self-supervised Learning
        with Automatic Temperature Individualization", 2023, algorithm 1.
    """

    def __init__(
        self,
        num_samples: int,
        initial: float = 0.1,
        rho: float = 0.4,
        learning_rate: float = 0.03,
        momentum: float = 0.5,
        minimum: float = 0.05,
        maximum: float = 1.0,
        **kwargs: Any,
    ) -> None:
        if not 0 < minimum <= initial <= maximum:
            raise ValueError(
                "Expected 0 < minimum <= initial <= maximum. "
                f"Received: minimum={minimum}, initial={initial}, maximum={maximum}."
            )
        super().__init__(**kwargs)
        self.num_samples, self.initial, self.rho = num_samples, initial, rho
        self.learning_rate, self.momentum = learning_rate, momentum
        self.minimum, self.maximum = minimum, maximum
        self.temperatures = SampleTable(num_samples, initial)
        self.velocities = SampleTable(num_samples)

    def call(self, anchors: Tensor, alignment: Tensor, index: Tensor | None = None) -> Tensor:
        return self.temperatures.read(index)[:, None]  # (N, 1)

    def learn(self, index: Tensor, gradients: Tensor) -> None:
        """A step of gradient descent on the temperatures of a batch.

        Args:
            index: Positions in the data set, `(N,)`.
            gradients: Gradients to their temperatures, `(N,)`.
        """
        gradients = ops.clip(gradients, -GRADIENT_LIMIT, GRADIENT_LIMIT)
        kept = (1.0 - self.momentum) * self.velocities.read(index)
        velocities = kept + self.momentum * gradients
        moved = self.temperatures.read(index) - self.learning_rate * velocities
        self.velocities.write(index, velocities)
        self.temperatures.write(index, ops.clip(moved, self.minimum, self.maximum))

    def get_config(self) -> dict:
        names = (
            *("num_samples", "initial", "rho", "learning_rate", "momentum"),
            *("minimum", "maximum"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
