"""The heads of SimCLR, v1 and v2."""

import keras

from keras_contrastive.layers.heads.base import batch_norm, hidden_layers, mlp


def simclr_v1_projector(
    input_dim: int, hidden_dim: int | None = None, output_dim: int = 128
) -> keras.Sequential:
    """SimCLR's head: Dense-BN-ReLU, Dense-BN.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layer; `None` for `input_dim`, as with a ResNet-50.
        output_dim: Dimension of the projections, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.simclr_v1_projector(64).output_shape
    (None, 128)

    Reference:
        Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020.
    """
    last = [keras.layers.Dense(output_dim, use_bias=False), batch_norm()]
    return mlp(input_dim, [*hidden_layers(hidden_dim or input_dim), *last], "projector")


def simclr_v2_projector(
    input_dim: int, hidden_dim: int | None = None, output_dim: int = 128
) -> keras.Sequential:
    """SimCLR v2's head of three layers: twice Dense-BN-ReLU, then Dense-BN.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layers; `None` for `input_dim`.
        output_dim: Dimension of the projections, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> len(layers.simclr_v2_projector(64).layers)
    8

    Reference:
        Chen et al., "Big Self-Supervised Models are Strong Semi-Supervised Learners", 2020.
    """
    width = hidden_dim or input_dim
    last = [keras.layers.Dense(output_dim, use_bias=False), batch_norm()]
    return mlp(input_dim, [*hidden_layers(width), *hidden_layers(width), *last], "projector")
