"""Stochastic gradient descent with weight decay inside the gradient."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

Exclude = Sequence[str] | Callable[[keras.Variable], bool]


@keras.saving.register_keras_serializable(package="keras_contrastive")
def is_vector(variable: keras.Variable) -> bool:
    """Whether a variable is a bias or a normalisation's scale: one dimension or none.

    Args:
        variable: A `keras.Variable`.

    Returns:
        `True` for variables with at most one dimension.

    Example:

    >>> layer = keras.layers.Dense(3)
    >>> layer.build((None, 2))
    >>> [is_vector(variable) for variable in layer.variables]
    [False, True]
    """
    return len(variable.shape) <= 1


@keras.saving.register_keras_serializable(package="keras_contrastive")
class L2SGD(keras.optimizers.Optimizer):
    """SGD with momentum whose weight decay is added to the gradient.

    Formula: `g <- g + weight_decay * w`, `v <- momentum * v + g`, `w <- w - learning_rate * v`.

    This is the SGD of PyTorch, and so of the recipes of MoCo and SimSiam.
    `keras.optimizers.SGD(weight_decay=...)` shrinks the weights apart from the gradient instead,
    and keeps the learning rate inside `v`.

    Args:
        learning_rate: A float, a schedule or a callable.
        momentum: In [0, 1), default 0.9.
        weight_decay: Factor of the weights in the gradient, at least 0, default 0.
        nesterov: Step along `g + momentum * v` instead of `v`.
        learning_rate_in_momentum: Multiply the gradient by the learning rate before it enters
            `v`, as Keras and TensorFlow do. It matters when the learning rate changes.
        exclude: Variables without weight decay: regular expressions that are searched in
            `variable.path`, or a function `variable -> bool` (registered with
            `keras.saving.register_keras_serializable` if the model is to be saved).
            Default: none, as in PyTorch.
        name: Name of the optimizer.
        **kwargs: `clipnorm`, `global_clipnorm`, `gradient_accumulation_steps`, ... of
            `keras.optimizers.Optimizer`.

    Raises:
        ValueError: On a momentum or weight decay outside its range.

    Example:

    >>> import numpy as np
    >>> variable = keras.Variable([1.0, 2.0])
    >>> optimizer = L2SGD(0.1, momentum=0.0, weight_decay=1.0)
    >>> optimizer.apply([ops.zeros(2)], [variable])
    >>> print(np.asarray(variable))
    [0.9 1.8]
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        learning_rate_in_momentum: bool = False,
        exclude: Exclude = (),
        name: str = "l2_sgd",
        **kwargs: Any,
    ):
        # The base class would decay apart from the gradient: it gets no weight_decay.
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        if not 0 <= momentum < 1:
            raise ValueError(f"Expected momentum in [0, 1). Received: momentum={momentum}.")
        if not weight_decay >= 0:
            raise ValueError(
                f"Expected weight_decay of at least 0. Received: weight_decay={weight_decay}."
            )
        if isinstance(exclude, str):
            raise ValueError(
                f"Expected exclude to be a list of regular expressions or a function. "
                f"Received: exclude={exclude!r}. Write [{exclude!r}]."
            )
        self.momentum = momentum
        self.l2 = weight_decay
        self.nesterov = nesterov
        self.learning_rate_in_momentum = learning_rate_in_momentum
        self.exclude = exclude if callable(exclude) else tuple(exclude)

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make one momentum buffer a variable."""
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")
        # Decided here, since `update_step` gets TensorFlow's variables, which have no path.
        self.is_excluded = [self._matches(variable) for variable in variables]

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Move one variable, computing in float32."""
        gradient, weight, learning_rate = (
            ops.cast(x, "float32") for x in (gradient, variable, learning_rate)
        )
        index = self._get_variable_index(variable)
        if not self.is_excluded[index]:
            gradient = self.direction(gradient, weight, learning_rate)
        inner, outer = (
            (learning_rate, 1.0) if self.learning_rate_in_momentum else (1.0, learning_rate)
        )
        gradient = inner * gradient
        buffer = self.momentums[index]
        velocity = self.momentum * ops.cast(buffer, "float32") + gradient
        step = gradient + self.momentum * velocity if self.nesterov else velocity
        self.assign(buffer, ops.cast(velocity, buffer.dtype))
        self.assign(variable, ops.cast(weight - outer * step, variable.dtype))

    def direction(self, gradient: Any, weight: Any, learning_rate: Any) -> Any:
        """What a variable that is not excluded adds to its momentum."""
        return gradient + self.l2 * weight

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Refuse: the base class' list is for decay outside the gradient."""
        raise ValueError(
            f"Expected the argument `exclude` of {type(self).__name__} to name the variables "
            f"without weight decay. Received: a call of exclude_from_weight_decay."
        )

    def _matches(self, variable: keras.Variable) -> bool:
        if callable(self.exclude):
            return bool(self.exclude(variable))
        return any(re.search(pattern, variable.path) for pattern in self.exclude)

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "weight_decay": self.l2,
            "nesterov": self.nesterov,
            "learning_rate_in_momentum": self.learning_rate_in_momentum,
            "exclude": keras.saving.serialize_keras_object(self.exclude),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "L2SGD":
        """Rebuild from `get_config`."""
        exclude = keras.saving.deserialize_keras_object(
            config["exclude"], custom_objects=custom_objects
        )
        return super().from_config({**config, "exclude": exclude}, custom_objects)
