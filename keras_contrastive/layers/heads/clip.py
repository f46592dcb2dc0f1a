"""The projections of CLIP."""

import keras

from keras_contrastive.layers.heads.base import mlp


def clip_projector(
    input_dim: int, output_dim: int = 512, name: str = "projector"
) -> keras.Sequential:
    """CLIP's projection into the space that images and texts share: Dense without a bias.

    Args:
        input_dim: Dimension of a tower's features.
        output_dim: Dimension of the projections, the same for both towers. 512 in the paper for a
            ViT-B.
        name: Name of the model.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.clip_projector(64, output_dim=32).output_shape
    (None, 32)

    Reference:
        Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
        2021, section 2.3.
    """
    return mlp(input_dim, [keras.layers.Dense(output_dim, use_bias=False)], name)
