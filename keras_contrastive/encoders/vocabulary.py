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


def num_positions(model: keras.Model) -> int | None:
    """Tokens of the longest row that a model has positions for, from its tables of positions.

    Args:
        model: A model from token ids.

    Returns:
        The rows of the smallest stock `Embedding`, or `PositionEmbedding` of keras-hub, with
        "position" in its name; `None` for a model without one. Relative ones set no limit.

    Example:

    >>> from keras_contrastive.encoders import text_transformer
    >>> num_positions(text_transformer(max_length=16, dim=8, num_layers=1))
    16
    """
    tables = (
        layer
        for layer in model._flatten_layers(include_self=False)
        if "position" in layer.name and "relative" not in layer.name
    )
    sizes = (
        layer.input_dim
        if isinstance(layer, keras.layers.Embedding)
        else getattr(layer, "sequence_length", None)
        for layer in tables
    )
    return min((size for size in sizes if size is not None), default=None)


def check_length(length: int, model: keras.Model, name: str) -> None:
    """Refuses more tokens a row than a model has positions for, as far as `num_positions` sees.

    Args:
        length: Tokens a row.
        model: The model that is to read them.
        name: What the length is of, for the message.

    Raises:
        ValueError: If it has fewer positions.

    Example:

    >>> from keras_contrastive.encoders import text_transformer
    >>> encoder = text_transformer(max_length=16, dim=8, num_layers=1)
    >>> check_length(20, encoder, "rows")
    Traceback (most recent call last):
    ValueError: Expected rows of at most 16 tokens, the positions of 'text_transformer'. ...
    """
    most = num_positions(model)
    if most is not None and length > most:
        raise ValueError(
            f"Expected {name} of at most {most} tokens, the positions of {model.name!r}. "
            f"Received: {length}. Give the tokenizer a max_length of {most} or less."
        )


def check_token_ids(token_ids: Any, model: keras.Model) -> None:
    """Refuses token ids or rows that a model does not know, as far as its tables show.

    Beyond a table each backend does something else: an error, another row, or not a number.

    Args:
        token_ids: An integer array or tensor of rows `(N, T)`, or of ids in any order `(M,)`.
        model: The model that is to read them.

    Raises:
        ValueError: On ids below 0 or not below the vocabulary's size, or on rows longer than the
            table of positions.

    Example:

    >>> from keras_contrastive.encoders import text_transformer
    >>> encoder = text_transformer(vocabulary_size=300, dim=8, num_layers=1)
    >>> check_token_ids(np.array([[5, 300]]), encoder)
    Traceback (most recent call last):
    ValueError: Expected token ids in 0..299, the vocabulary of 'text_transformer'. ...
    """
    if 0 in token_ids.shape:
        return
    if len(token_ids.shape) == 2:
        check_length(token_ids.shape[1], model, "rows")
    size = vocabulary_size(model)
    if size is None:
        return
    token_ids = ops.convert_to_numpy(token_ids)
    low, high = int(np.min(token_ids)), int(np.max(token_ids))
    if low < 0 or high >= size:
        raise ValueError(
            f"Expected token ids in 0..{size - 1}, the vocabulary of {model.name!r}. Received: ids "
            f"from {low} to {high}. Take the tokenizer that belongs to the encoder."
        )
