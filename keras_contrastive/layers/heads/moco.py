"""The heads of MoCo, v1 to v3."""

import keras

from keras_contrastive.layers.heads.base import batch_norm, hidden_layers, mlp


def moco_v1_projector(input_dim: int, output_dim: int = 128) -> keras.Sequential:
    """MoCo v1's head: a single linear layer.

    Args:
        input_dim: Dimension of the encoder's features.
        output_dim: Dimension of the projections, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.moco_v1_projector(64).count_params()
    8320

    Reference:
        He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", 2020.
    """
    return mlp(input_dim, [keras.layers.Dense(output_dim)], "projector")


def moco_v2_projector(
    input_dim: int, hidden_dim: int | None = None, output_dim: int = 128
) -> keras.Sequential:
    """MoCo v2's head: Dense-ReLU-Dense, without batch normalisation.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layer; `None` for `input_dim`.
        output_dim: Dimension of the projections, 128 in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.moco_v2_projector(64).count_params()
    12480

    Reference:
        Chen et al., "Improved Baselines with Momentum Contrastive Learning", 2020.
    """
    hidden = hidden_layers(hidden_dim or input_dim, normalized=False)
    return mlp(input_dim, [*hidden, keras.layers.Dense(output_dim)], "projector")


def moco_v3_mlp(
    input_dim: int,
    hidden_dim: int = 4096,
    output_dim: int = 256,
    num_hidden: int = 1,
    last_norm: bool = True,
    name: str = "projector",
) -> keras.Sequential:
    """MoCo v3's projector, and its predictor: Dense-BN-ReLU, Dense-BN, all without biases.

    The last batch normalisation has no scale and offset.

    Args:
        input_dim: Dimension of the features, or of the projections for the predictor.
        hidden_dim: Width of the hidden layers, 4096 in the paper.
        output_dim: Dimension of the projections, 256 in the paper.
        num_hidden: Number of hidden layers; 1 in the paper, 2 for the projector of a ViT.
        last_norm: Whether the last layer is normalised; `False` for the predictor of a ResNet.
        name: Name of the model.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.moco_v3_mlp(64, hidden_dim=32, output_dim=16).count_params()
    2720

    Reference:
        Chen et al., "An Empirical Study of Training Self-Supervised Vision Transformers", 2021.
    """
    layers: list[keras.layers.Layer] = []
    for _ in range(num_hidden):
        layers += hidden_layers(hidden_dim, use_bias=False)
    layers.append(keras.layers.Dense(output_dim, use_bias=False))
    if last_norm:
        layers.append(batch_norm(center=False, scale=False))
    return mlp(input_dim, layers, name)
