"""The head of Barlow Twins, and of MMCR."""

import keras

from keras_contrastive.layers.heads.base import hidden_layers, mlp


def barlow_twins_projector(
    input_dim: int, hidden_dim: int = 8192, output_dim: int = 8192
) -> keras.Sequential:
    """Barlow Twins' head: twice Dense-BN-ReLU, then Dense, all without biases; MMCR's with 512 out.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the two hidden layers, 8192 in the paper.
        output_dim: Dimension of the projections, 8192 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.barlow_twins_projector(64, hidden_dim=32, output_dim=16).count_params()
    3840

    Reference:
        Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", 2021.
    """
    hidden = [layer for _ in range(2) for layer in hidden_layers(hidden_dim, use_bias=False)]
    last = keras.layers.Dense(output_dim, use_bias=False)
    return mlp(input_dim, [*hidden, last], "projector")
