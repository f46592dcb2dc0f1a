"""The expander of VICReg."""

import keras

from keras_contrastive.layers.heads.base import hidden_layers, mlp


def vicreg_projector(
    input_dim: int, hidden_dim: int = 8192, output_dim: int = 8192
) -> keras.Sequential:
    """VICReg's expander: twice Dense-BN-ReLU, then Dense without bias.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the two hidden layers, 8192 in the paper.
        output_dim: Dimension of the projections, 8192 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.vicreg_projector(64, hidden_dim=32, output_dim=16).count_params()
    3904

    Reference:
        Bardes et al., "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised
        Learning", 2022, section 4.2.
    """
    last = keras.layers.Dense(output_dim, use_bias=False)
    return mlp(
        input_dim, [*hidden_layers(hidden_dim), *hidden_layers(hidden_dim), last], "projector"
    )
