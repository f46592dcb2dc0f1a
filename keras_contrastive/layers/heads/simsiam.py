"""The heads of SimSiam."""

import keras

from keras_contrastive.layers.heads.base import hidden_layers, mlp
from keras_contrastive.layers.heads.moco import moco_v3_mlp


def simsiam_projector(
    input_dim: int, hidden_dim: int = 2048, output_dim: int = 2048, num_hidden: int = 2
) -> keras.Sequential:
    """SimSiam's projector: twice Dense-BN-ReLU, Dense-BN; no biases, no scale at the end.

    It is MoCo v3's with one hidden layer more.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layers, 2048 in the paper.
        output_dim: Dimension of the projections, 2048 in the paper.
        num_hidden: Number of hidden layers, 2 in the paper; 1 for CIFAR-10.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> len(layers.simsiam_projector(64, hidden_dim=32, output_dim=32).layers)
    8

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, section 3.
    """
    return moco_v3_mlp(input_dim, hidden_dim, output_dim, num_hidden)


def simsiam_predictor(
    input_dim: int, hidden_dim: int = 512, output_dim: int | None = None
) -> keras.Sequential:
    """SimSiam's predictor, a bottleneck: Dense-BN-ReLU, Dense with a bias.

    Args:
        input_dim: Dimension of the projections.
        hidden_dim: Width of the hidden layer, a quarter of the projections' in the paper.
        output_dim: Dimension of the predictions; `None` for that of the projections.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.simsiam_predictor(64, hidden_dim=16).output_shape
    (None, 64)

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, section 3.
    """
    last = keras.layers.Dense(output_dim or input_dim)
    return mlp(input_dim, [*hidden_layers(hidden_dim, use_bias=False), last], "predictor")
