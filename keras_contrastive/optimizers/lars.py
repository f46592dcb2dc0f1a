"""LARS: layer-wise adaptive rate scaling."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.optimizers.sgd import L2SGD, Exclude, is_vector


@keras.saving.register_keras_serializable(package="keras_contrastive")
class LARS(L2SGD):
    """SGD whose step in each layer is proportional to the norm of the layer's weights.

    Formula: `g <- g + weight_decay * w`, `r = trust_coefficient * |w| / |g|` (1 where either
    norm is 0), `v <- momentum * v + r * g`, `w <- w - learning_rate * v`. Excluded variables
    have neither weight decay nor the ratio `r`.

    The published variants:

    | code of | arguments |
    | --- | --- |
    | BYOL, MoCo v3, Barlow Twins, VICReg | the defaults |
    | SimCLR (TensorFlow) | `learning_rate_in_momentum=True` |
    | SwAV | `exclude=()` |
    | solo-learn | `trust_coefficient=0.02, clip=True`: its learning rates mean nothing without |

    Args:
        learning_rate: A float, a schedule or a callable. About 1000 times that of SGD.
        momentum: In [0, 1), default 0.9.
        weight_decay: Factor of the weights in the gradient, at least 0, default 0.
        trust_coefficient: Factor of the ratio `r`, positive, default 0.001.
        clip: Use `min(r / learning_rate, 1)` for `r`, so that no step is longer than SGD's; `r`
            then has `|g| + weight_decay * |w|`, with the bare gradient, in its denominator.
        nesterov: Step along `r * g + momentum * v` instead of `v`.
        learning_rate_in_momentum: Multiply the gradient by the learning rate before it enters
            `v`. It matters when the learning rate changes.
        exclude: Variables with neither weight decay nor adaptation: regular expressions that
            are searched in `variable.path`, or a function `variable -> bool` (registered with
            `keras.saving.register_keras_serializable` if the model is to be saved).
            Default: `is_vector`, which holds for biases and the scales of normalisations.
        name: Name of the optimizer.
        **kwargs: `clipnorm`, `global_clipnorm`, `gradient_accumulation_steps`, ... of
            `keras.optimizers.Optimizer`.

    Raises:
        ValueError: On a momentum, weight decay or trust coefficient outside its range.

    Example:

    >>> import numpy as np
    >>> variable = keras.Variable([[3.0, 4.0]])
    >>> optimizer = LARS(1.0, trust_coefficient=0.1)
    >>> optimizer.apply([ops.ones((1, 2)) / 2**0.5], [variable])  # a gradient of length 1
    >>> moved = np.asarray(variable) - [[3.0, 4.0]]
    >>> round(float(np.linalg.norm(moved)), 3)  # 0.1 * |w|
    0.5

    Reference:
        You et al., "Large Batch Training of Convolutional Networks", 2017, algorithm 1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.2,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 0.001,
        clip: bool = False,
        nesterov: bool = False,
        learning_rate_in_momentum: bool = False,
        exclude: Exclude = is_vector,
        name: str = "lars",
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            nesterov=nesterov,
            learning_rate_in_momentum=learning_rate_in_momentum,
            exclude=exclude,
            name=name,
            **kwargs,
        )
        if not trust_coefficient > 0:
            raise ValueError(
                f"Expected a positive trust_coefficient. "
                f"Received: trust_coefficient={trust_coefficient}."
            )
        self.trust_coefficient = trust_coefficient
        self.clip = clip

    def direction(self, gradient: Any, weight: Any, learning_rate: Any) -> Any:
        """The decayed gradient, scaled by the trust ratio."""
        decayed = super().direction(gradient, weight, learning_rate)
        weight_norm = _norm(weight)
        if self.clip:
            gradient_norm = _norm(gradient)
            denominator = gradient_norm + self.l2 * weight_norm
        else:
            gradient_norm = denominator = _norm(decayed)
        both = ops.logical_and(weight_norm > 0, gradient_norm > 0)
        ratio = self.trust_coefficient * weight_norm / ops.where(both, denominator, 1.0)
        if self.clip:
            # min(ratio / learning_rate, 1), also where a warm-up starts at a rate of 0.
            ratio = ratio / ops.where(both, ops.maximum(ratio, learning_rate), 1.0)
        return ops.where(both, ratio, 1.0) * decayed

    def get_config(self) -> dict[str, Any]:
        """Return every argument of the constructor."""
        return {
            **super().get_config(),
            "trust_coefficient": self.trust_coefficient,
            "clip": self.clip,
        }


def _norm(tensor: Any) -> Any:
    """Length of all entries as one vector (`ops.norm` refuses four dimensions on TensorFlow)."""
    return ops.sqrt(ops.sum(ops.square(tensor)))
