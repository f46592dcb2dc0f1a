"""What the methods share that learn from sentences."""

from typing import Any

import keras
import numpy as np

from keras_contrastive.encoders import check_token_ids
from keras_contrastive.encoders.subword_tokenizer import check_sentences
from keras_contrastive.methods.contrastive import ContrastiveMethod
from keras_contrastive.methods.inputs import is_array
from keras_contrastive.ops.similarity import Tensor


class SentenceMethod(ContrastiveMethod):
    """Base of methods whose encoder takes token ids, and whose `fit` takes the sentences.

    Args:
        encoder: A `keras_contrastive.encoders.SentenceEncoder`, or another built Keras model from
            token ids `(N, T)` to `(N, D)`, for which `fit` takes those.
        augmentation: As `ContrastiveMethod`.
        max_length: Tokens of the longest sentence in training.
        **kwargs: As `ContrastiveMethod`.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        *,
        max_length: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(encoder, augmentation, **kwargs)
        self.max_length = max_length

    def prepare(self, x: Any) -> Any:
        """Turns sentences, or tuples of two or three lists of them, into token ids."""
        if isinstance(x, dict) and "inputs" in x:
            return {**x, "inputs": self.prepare(x["inputs"])}
        if isinstance(x, (tuple, list)) and x and all(map(_is_texts, x)):
            return self._token_ids(*x)
        return self._token_ids(x)[0] if _is_texts(x) or isinstance(x, str) else x

    def _token_ids(self, *lists: Any) -> tuple[np.ndarray, ...]:
        """Token ids `(N, T)` of lists of sentences, all of one T."""
        tokenizer = getattr(self.encoder, "tokenizer", None)
        if tokenizer is None:
            raise ValueError(
                "Expected token ids, since the encoder has no tokenizer. Received: strings. Wrap "
                "it in a `keras_contrastive.encoders.SentenceEncoder`."
            )
        counts = [len(texts) for texts in lists]
        if len(set(counts)) > 1 or len(lists) > 3:
            raise ValueError(
                "Expected sentences, or premises, entailments and, if any, contradictions, as many "
                f"of each. Received: {len(lists)} lists of {counts} sentences."
            )
        for texts in lists:
            check_sentences(texts)
        together = tokenizer([text for texts in lists for text in texts], self.max_length)
        return tuple(np.split(together, len(lists)))

    def check_inputs(self, inputs: Any) -> None:
        for view in inputs if isinstance(inputs, (tuple, list)) else (inputs,):
            if not is_array(view):
                continue
            if "int" not in str(view.dtype) or len(view.shape) != 2:
                raise ValueError(
                    "Expected sentences, or integer token ids of shape (N, T). "
                    f"Received: dtype {view.dtype} and shape {tuple(view.shape)}."
                )
            check_token_ids(view, self.encoder)

    def as_inputs(self, batch: Tensor) -> Tensor:
        """A batch as the encoder takes it: token ids as they are."""
        return batch

    def get_config(self) -> dict:
        return {**super().get_config(), "max_length": self.max_length}


def _is_texts(value: Any) -> bool:
    """Whether it is a list of sentences, some of which may be missing."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "OUT" and value.ndim == 1
    is_flat = isinstance(value, (tuple, list)) and not any(
        isinstance(part, (tuple, list)) or is_array(part) for part in value
    )
    return is_flat and any(isinstance(part, str) for part in value)
