"""The head of SwAV."""

import keras

from keras_contrastive.layers.heads.base import hidden_layers, mlp


def swav_projector(
    input_dim: int, hidden_dim: int = 2048, output_dim: int = 128
) -> keras.Sequential:
    """SwAV's head: Dense-BN-ReLU, Dense; the prototypes bring its output to unit length.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layer, 2048 in the paper.
        output_dim: Dimension of the embeddings, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.swav_projector(64).output_shape
    (None, 128)

    Reference:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020.
    """
    return mlp(input_dim, [*hidden_layers(hidden_dim), keras.layers.Dense(output_dim)], "projector")
