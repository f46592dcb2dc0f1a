"""The head of SimCSE."""

import keras

from keras_contrastive.layers.heads.base import mlp


def simcse_projector(input_dim: int, output_dim: int | None = None) -> keras.Sequential:
    """SimCSE's head: a dense layer and a hyperbolic tangent, as on BERT's first token.

    Args:
        input_dim: Dimension of the sentence vectors.
        output_dim: Dimension of the projections; `None` for `input_dim`, as in the paper.

    Returns:
        A built `keras.Sequential`.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.simcse_projector(64).output_shape
    (None, 64)

    Reference:
        Gao et al., "SimCSE: Simple Contrastive Learning of Sentence Embeddings", 2021, section 6.3.
    """
    dense = keras.layers.Dense(
        output_dim or input_dim,
        activation="tanh",
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
    )
    return mlp(input_dim, [dense], "projector")
