"""Whether token ids are such as a model knows."""

from typing import Any

import keras
import numpy as np
from keras import ops


def vocabulary_size(model: keras.Model) -> int | None:
    """Number of token ids that a model knows, from its embeddings of the input itself.

    Args:
        model: A Functional model from token ids.

    Returns:
        The rows of the smallest such table; `None` for a model without one, such as one that
        changes the ids before it looks them up.

    Example:

    >>> from keras_contrastive.encoders import text_transformer
    >>> vocabulary_size(text_transformer(vocabulary_size=300, dim=8, num_layers=1))
    300
    """
    inputs = {id(tensor) for tensor in getattr(model, "inputs", None) or ()}
    sizes = []
    for layer in model.layers if inputs else ():
        if isinstance(layer, keras.layers.Embedding):
            size = layer.input_dim
        else:
            size = vocabulary_size(layer) if isinstance(layer, keras.Model) else None
        read = {id(tensor) for node in layer._inbound_nodes for tensor in node.input_tensors}
        if size is not None and read & inputs:
            sizes.append(size)
    return min(sizes, default=None)


def check_token_ids(token_ids: Any, model: keras.Model) -> None:
    """Refuses token ids that a model does not know, as far as `vocabulary_size` sees.

    Beyond its table each backend does something else: an error, another row, or not a number.

    Args:
        token_ids: An integer array or tensor.
        model: The model that is to read them.

    Raises:
        ValueError: On ids below 0, or not below the vocabulary's size.

    Example:

    >>> from keras_contrastive.encoders import text_transformer
    >>> encoder = text_transformer(vocabulary_size=300, dim=8, num_layers=1)
    >>> check_token_ids(np.array([[5, 300]]), encoder)
    Traceback (most recent call last):
    ValueError: Expected token ids in 0..299, the vocabulary of 'text_transformer'. ...
    """
    size = vocabulary_size(model)
    if size is None or 0 in token_ids.shape:
        return
    token_ids = ops.convert_to_numpy(token_ids)
    low, high = int(np.min(token_ids)), int(np.max(token_ids))
    if low < 0 or high >= size:
        raise ValueError(
            f"Expected token ids in 0..{size - 1}, the vocabulary of {model.name!r}. Received: ids "
            f"from {low} to {high}. Take the tokenizer that belongs to the encoder."
        )
