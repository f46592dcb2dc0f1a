"""Momentum pairs: a target network that follows an online network."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_contrastive.ops.similarity import Tensor

Momentum = float | Callable[[Tensor], Tensor]


def copy_network(network: keras.Model) -> keras.Model:
    """A second network of the same architecture and the same weights.

    Args:
        network: A built Keras model whose `get_config` describes it.

    Returns:
        A model of the same class that shares no variable with `network`.

    Example:

    >>> import keras, numpy as np
    >>> from keras_contrastive.training import copy_network
    >>> network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> copy = copy_network(network)
    >>> bool(np.array_equal(copy.get_weights()[0], network.get_weights()[0]))
    True
    """
    # Not `clone_model`: it turns subclasses of Functional, such as keras-hub's, into plain ones.
    copy = type(network).from_config(network.get_config())
    if not copy.built:
        copy.build_from_config(network.get_build_config())
    copy.set_weights(network.get_weights())
    return copy


class MomentumPair:
    """Moves target networks towards online networks after each optimizer step.

    Formula: `target <- m * target + (1 - m) * online`, over trainable variables only, those of
    frozen layers too, which may thaw: a target keeps its own batch statistics.

    Args:
        online: The online networks.
        target: Their targets, `copy_network(online[i])` each; frozen here.
        momentum: A number in 0 to 1, or a function of the step, such as
            `keras_contrastive.optimizers.CosineMomentum`.

    Example:

    >>> import keras
    >>> from keras_contrastive.training import MomentumPair, copy_network
    >>> online = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> pair = MomentumPair([online], [copy_network(online)], momentum=0.99)
    >>> len(pair.variables), pair.variables[0][1].trainable
    (2, False)

    Reference:
        He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", 2020,
        equation 2.
    """

    def __init__(
        self,
        online: Sequence[keras.Model],
        target: Sequence[keras.Model],
        momentum: Momentum,
    ) -> None:
        if not callable(momentum) and not 0 <= momentum <= 1:
            raise ValueError(
                "Expected `momentum` in 0 to 1 or a function of the step. "
                f"Received: momentum={momentum}."
            )
        self.momentum = momentum
        self._networks = list(zip(online, target, strict=True))
        for network in target:
            for layer in network._flatten_layers():
                layer.trainable = True
        self.variables = [
            pair
            for online_network, target_network in self._networks
            for pair in zip(online_network.weights, target_network.weights, strict=True)
            if pair[1].trainable
        ]
        self._frozen = [variable for network in target for variable in network.weights]
        self.freeze()

    def freeze(self) -> None:
        """Takes the targets away from the optimizer.

        Each variable rather than the layers: a frozen layer would normalise with its moving
        statistics, and a target normalises as its online network does.
        """
        for networks in self._networks:
            layers = (network._flatten_layers() for network in networks)
            for online, target in zip(*layers, strict=True):
                target.trainable = online.trainable
        for variable in self._frozen:
            variable.trainable = False

    def momentum_at(self, step: Tensor) -> Tensor:
        """The momentum of the update that follows `step` earlier ones, as a float32 scalar."""
        value = self.momentum(step) if callable(self.momentum) else self.momentum
        return ops.cast(value, "float32")

    def update(self, step: Tensor, stepped: Tensor) -> None:
        """Moves the targets, if the optimizer has stepped.

        Args:
            step: Number of earlier updates.
            stepped: Boolean scalar; when it is false, nothing changes.
        """
        rate = ops.where(stepped, 1.0 - self.momentum_at(step), 0.0)
        for online, target in self.variables:
            value = ops.convert_to_tensor(target)
            target.assign(value + ops.cast(rate, value.dtype) * (online - value))


class MomentumPairs:
    """Several targets that follow their online networks, each with a momentum of its own.

    Args:
        pairs: The `MomentumPair`s, at least one.

    Example:

    >>> import keras
    >>> from keras_contrastive.training import MomentumPair, MomentumPairs, copy_network
    >>> online = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> pairs = [MomentumPair([online], [copy_network(online)], m) for m in (0.9, 0.7)]
    >>> round(float(MomentumPairs(pairs).momentum_at(0)), 3)  # the mean
    0.8
    """

    def __init__(self, pairs: Sequence[MomentumPair]) -> None:
        self.pairs = list(pairs)
        self.variables = [variables for pair in self.pairs for variables in pair.variables]

    def freeze(self) -> None:
        """Takes the targets away from the optimizer."""
        for pair in self.pairs:
            pair.freeze()

    def momentum_at(self, step: Tensor) -> Tensor:
        """The mean momentum of the updates that follow `step` earlier ones."""
        return sum(pair.momentum_at(step) for pair in self.pairs) / len(self.pairs)

    def update(self, step: Tensor, stepped: Tensor) -> None:
        """Moves each target, if the optimizer has stepped."""
        for pair in self.pairs:
            pair.update(step, stepped)
