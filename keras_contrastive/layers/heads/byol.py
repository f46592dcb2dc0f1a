"""The heads of BYOL."""

import keras

from keras_contrastive.layers.heads.base import hidden_layers, mlp


def byol_mlp(
    input_dim: int, hidden_dim: int = 4096, output_dim: int = 256, name: str = "projector"
) -> keras.Sequential:
    """BYOL's projector, and its predictor: Dense-BN-ReLU, Dense without bias.

    Args:
        input_dim: Dimension of the features, or of the projections for the predictor.
        hidden_dim: Width of the hidden layer, 4096 in the paper.
        output_dim: Dimension of the projections, 256 in the paper.
        name: Name of the model.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.byol_mlp(64, hidden_dim=32, output_dim=16).output_shape
    (None, 16)

    Reference:
        Grill et al., "Bootstrap Your Own Latent", 2020, section 3.3.
    """
    last = keras.layers.Dense(output_dim, use_bias=False)
    return mlp(input_dim, [*hidden_layers(hidden_dim), last], name)
