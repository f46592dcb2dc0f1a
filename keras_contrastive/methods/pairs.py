"""Pairs of images and texts: what methods that learn from them take."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_contrastive.methods.inputs import check_views, is_array

_PAIRS = "Expected images and their texts, `fit((images, texts))`."


def pair_of(inputs: Any) -> tuple[Any, Any]:
    """Images and texts, or a ValueError."""
    if not isinstance(inputs, (tuple, list)) or len(inputs) != 2:
        raise ValueError(
            f"{_PAIRS} Received: {_described(inputs)}. A data set of pairs and no labels yields "
            "`((images, texts),)`, a tuple of one tuple."
        )
    return inputs[0], inputs[1]


def check_pairs(inputs: Any) -> None:
    """Looks at what is given to `fit`, if they are arrays: images, and a text for each."""
    if is_array(inputs):
        raise ValueError(f"{_PAIRS} Received: {_described(inputs)} alone.")
    if not isinstance(inputs, (tuple, list)):
        return
    images, texts = pair_of(inputs)
    check_views(images)
    arrays = [part for part in keras.tree.flatten((images, texts)) if is_array(part)]
    if len({part.shape[0] for part in arrays}) > 1:
        raise ValueError(
            "Expected a text for each image, row by row. "
            f"Received: images of {_described(images)} and texts of {_described(texts)}. Of "
            "several captions an image, take one, or give the image once for each."
        )


def check_captions(texts: Any) -> None:
    """Refuses empty strings among texts; what is no list of texts is left alone."""
    is_text_array = isinstance(texts, np.ndarray) and texts.dtype.kind in "OUT"
    is_listed = is_text_array or isinstance(texts, (tuple, list))
    for position, text in enumerate(texts if is_listed else ()):
        if isinstance(text, str) and not text.strip():
            raise ValueError(
                "Expected a caption that is not empty for each image. Received: an empty one at "
                f"position {position}. Leave the pair out."
            )


def as_token_ids(texts: Any, tokenizer: Callable[[list[str]], Any] | None) -> Any:
    """Token ids of strings; arrays and what else it may be as they are.

    Args:
        texts: A list or NumPy array of N strings; or token ids.
        tokenizer: A function from a list of strings to an array `(N, L)` or a dict of arrays;
            `None` if only ids are known.

    Returns:
        An array, or a dict of arrays.

    Raises:
        ValueError: If there is no tokenizer, one that gives other than N rows, or something else
            among the strings.

    Example:

    >>> lengths = lambda texts: [[len(text)] for text in texts]
    >>> as_token_ids(["a", "cat"], lengths).tolist()
    [[1], [3]]
    """
    if isinstance(texts, str):
        raise ValueError(f"Expected a list of strings. Received: one string, {texts!r}.")
    if isinstance(texts, np.ndarray) and texts.dtype.kind in "OUT":
        texts = texts.tolist()
    if not isinstance(texts, (tuple, list)):
        return texts
    if not any(isinstance(text, str) for text in texts):
        return np.asarray(texts)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(
                f"Expected a list of strings. Received: {text!r} at position {position}."
            )
    if tokenizer is None:
        raise ValueError(
            "Expected token ids, since there is no tokenizer. Received: strings. Make the method "
            "with `tokenizer=...`, or set `method.tokenizer` if the one that it had was not saved."
        )
    ids = tokenizer([*texts])
    ids = {name: np.asarray(ids[name]) for name in ids} if hasattr(ids, "keys") else np.asarray(ids)
    if any(len(part) != len(texts) for part in keras.tree.flatten(ids)):
        raise ValueError(
            f"Expected a tokenizer that gives a row for each of {len(texts)} strings. "
            f"Received: {_described(ids)} from {tokenizer!r}."
        )
    return ids


def _described(value: Any) -> str:
    if is_array(value):
        return f"shape {tuple(value.shape)}"
    if isinstance(value, dict):
        return str({name: _described(part) for name, part in value.items()})
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__
