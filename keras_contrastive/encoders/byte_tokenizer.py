"""Text to token ids without a vocabulary: a token is a byte."""

import warnings
from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np

PADDING, START, END = 0, 1, 2  # bytes follow


@keras.saving.register_keras_serializable(package="keras_contrastive")
class ByteTokenizer:
    """The bytes of a text in UTF-8, between a token for its start and one for its end.

    It knows every language and needs no other package, at the price of long rows. Id 0 fills short
    rows, 1 is the start, 2 the end, and a byte b is b + 3.

    Args:
        max_length: Tokens a row L, at least 3. Longer texts lose their end, with a warning that
            counts them.

    Attributes:
        vocabulary_size: Number of token ids, 259.
        special_ids: Ids of start and end.

    Raises:
        ValueError: If `max_length` leaves no room for a byte.

    Example:

    >>> from keras_contrastive.encoders import ByteTokenizer
    >>> ByteTokenizer(max_length=6)(["ab", ""]).tolist()
    [[1, 100, 101, 2, 0, 0], [1, 2, 0, 0, 0, 0]]
    """

    vocabulary_size = 259
    special_ids = (START, END)

    def __init__(self, max_length: int = 64) -> None:
        if max_length < 3:
            raise ValueError(
                "Expected a `max_length` of at least 3: start, a byte, end. "
                f"Received: max_length={max_length}."
            )
        self.max_length = max_length

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Token ids of texts.

        Args:
            texts: A list of N strings.

        Returns:
            An int32 array `(N, max_length)`.

        Raises:
            ValueError: On anything but strings.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"Expected a list of strings. Received: {texts!r}.")
        room = self.max_length - 2
        rows = [text.encode("utf-8") for text in texts]
        token_ids = np.full((len(rows), self.max_length), PADDING, "int32")
        for row, text in zip(token_ids, rows, strict=True):
            kept = np.frombuffer(text[:room], "uint8").astype("int32") + 3
            row[: len(kept) + 2] = [START, *kept, END]
        cut = sum(len(text) > room for text in rows)
        if cut:
            warnings.warn(
                f"{cut} of {len(rows)} texts are longer than max_length={self.max_length} tokens: "
                "what follows is left out.",
                stacklevel=2,
            )
        return token_ids

    def get_config(self) -> dict[str, Any]:
        """What it takes to build the tokenizer again."""
        return {"max_length": self.max_length}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Rebuilds a tokenizer from `get_config`."""
        return cls(**config)
