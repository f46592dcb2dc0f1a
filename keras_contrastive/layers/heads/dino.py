"""The head of DINO."""

import keras

from keras_contrastive.layers.heads.base import batch_norm, mlp


def dino_projector(
    input_dim: int, hidden_dim: int = 2048, output_dim: int = 256, normalized: bool = False
) -> keras.Sequential:
    """DINO's head up to its bottleneck: twice Dense-GELU, Dense.

    The last layer of the paper's head, on the bottleneck at unit length, is
    `keras_contrastive.layers.WeightNormPrototypes`, which the method itself adds.

    Args:
        input_dim: Dimension of the encoder's features.
        hidden_dim: Width of the hidden layers, 2048 in the paper.
        output_dim: Width of the bottleneck, 256 in the paper.
        normalized: Whether batch normalisation comes before each GELU, as the paper has it for
            a ResNet, or not, as for a vision transformer.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.dino_projector(64).output_shape
    (None, 256)

    Reference:
        Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021,
        appendix C.
    """
    layers: list[keras.layers.Layer] = []
    for _ in range(2):
        layers.append(_dino_dense(hidden_dim))
        layers += [batch_norm()] if normalized else []
        layers.append(keras.layers.Activation("gelu"))
    return mlp(input_dim, [*layers, _dino_dense(output_dim)], "projector")


def _dino_dense(dim: int) -> keras.layers.Dense:
    start = keras.initializers.TruncatedNormal(stddev=0.02)
    return keras.layers.Dense(dim, kernel_initializer=start)
