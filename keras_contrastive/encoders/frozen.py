"""What was frozen stays frozen in a file."""

from typing import TypeVar

import keras

Network = TypeVar("Network", bound=keras.Layer)


def still_frozen(network: Network) -> Network:
    """A network that was rebuilt from its config, with all inside its frozen layers frozen too.

    Keras rebuilds the parts of a frozen layer, such as those of attention, as trainable ones.
    """
    for layer in network._flatten_layers():
        if not layer.trainable:
            # Not the layer itself, which is frozen: TensorFlow skips what changes no value.
            for part in layer._flatten_layers(include_self=False):
                part.trainable = False
    return network
