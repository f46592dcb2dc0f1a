"""Sentences to vectors: a Transformer, its readout and its tokenizer in one model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from keras import KerasTensor, ops

from keras_contrastive.encoders.frozen import still_frozen
from keras_contrastive.encoders.hugging_face import read_folder
from keras_contrastive.encoders.subword_tokenizer import SubwordTokenizer, padded
from keras_contrastive.encoders.vocabulary import check_length, check_token_ids
from keras_contrastive.ops import pairwise_cosine

POOLINGS = ("cls", "cls_before_head", "mean", "first_last_mean")


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SentenceEncoder(keras.Model):
    """A Keras model from token ids to sentence vectors that also takes the sentences themselves.

    `save` writes weights, readout and tokenizer to one `.keras` file.

    Args:
        backbone: A built Keras model from int32 token ids `(N, T)` to hidden states `(N, T, D)`, or
            to a list of those of all layers, such as `keras_contrastive.encoders.bert`.
        tokenizer: What turns strings into token ids, such as
            `keras_contrastive.encoders.SubwordTokenizer`.
        pooling: How the tokens of a sentence become one vector. "mean": the mean of the last layer
            over all tokens but padding. "first_last_mean": the mean of the first and the last
            layer's. "cls_before_head": the first token of the last layer. "cls": the same, through
            `head`. Default "mean".
        head: A Keras model from `(N, D)` to the sentence vector, for "cls".
        normalize: Whether vectors have unit length. Cosines do not change with it.
        name: Name of the model.

    Raises:
        ValueError: On an unknown pooling, one that needs what is not there, or a tokenizer whose
            `max_length` is beyond the backbone's positions.

    Example:

    >>> import numpy as np
    >>> import keras_contrastive as kc
    >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "cat", "sits"]
    >>> encoder = kc.encoders.SentenceEncoder(
    ...     kc.encoders.bert(7, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=16),
    ...     kc.encoders.SubwordTokenizer.wordpiece(words),
    ... )
    >>> encoder.encode(["A cat sits", "a cat"]).shape
    (2, 8)
    >>> encoder.similarity(["a cat"], ["A cat", "sits"]).round(4)[0, 0].item()
    1.0
    """

    def __init__(
        self,
        backbone: keras.Model,
        tokenizer: SubwordTokenizer,
        pooling: str = "mean",
        head: keras.Model | None = None,
        normalize: bool = False,
        name: str = "sentence_encoder",
    ) -> None:
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        states = keras.tree.flatten(backbone(token_ids))
        x = _pool(states, ops.not_equal(token_ids, tokenizer.padding_id), pooling)
        if (head is not None) != (pooling == "cls"):
            raise ValueError(
                "Expected a head with pooling 'cls', and with no other. "
                f"Received: pooling={pooling!r}, head={getattr(head, 'name', None)!r}."
            )
        check_length(tokenizer.max_length, backbone, "a tokenizer with a max_length")
        if head is not None:
            x = head(x)
        if normalize:
            x = keras.layers.UnitNormalization(dtype="float32", name="unit_length")(x)
        super().__init__(token_ids, x, name=name)
        self.backbone, self.tokenizer, self.head = backbone, tokenizer, head
        self.pooling, self.normalize = pooling, normalize
        # Batches differ in length, and XLA would compile for each; JAX has no other way.
        self.jit_compile = keras.backend.backend() == "jax"

    @classmethod
    def from_hugging_face(
        cls,
        folder: str | Path,
        pooling: str | None = None,
        max_length: int | None = None,
        normalize: bool | None = None,
        name: str = "sentence_encoder",
    ) -> Self:
        """A BERT of a local folder in the layout of Hugging Face.

        Args:
            folder: Folder with `config.json`, `model.safetensors` or `pytorch_model.bin`, and
                `tokenizer.json` or `vocab.txt`. What sentence-transformers adds is heeded:
                `modules.json`, `1_Pooling/config.json` and `sentence_bert_config.json`.
            pooling: As above; `None` for that of `1_Pooling/config.json`, or "mean" without it.
            max_length: Tokens of the longest sequence; `None` for what the folder says.
            normalize: As above; `None` for what `modules.json` says, or no.
            name: Name of the model.

        Returns:
            A `SentenceEncoder`.

        Raises:
            ValueError: On a missing or damaged file, another architecture than BERT, or a part of
                sentence-transformers that is not known here.
            ImportError: Without `safetensors`, or for `pytorch_model.bin` without PyTorch.
        """
        parts = read_folder(Path(folder))
        pooling = pooling or parts.pooling
        return cls(
            parts.backbone,
            SubwordTokenizer.from_folder(folder, min(max_length or 512, parts.max_length)),
            pooling,
            parts.head if pooling == "cls" else None,
            parts.normalize if normalize is None else normalize,
            name=name,
        )

    def with_head(self, head: keras.Model) -> "SentenceEncoder":
        """The same backbone, whose first token passes through a head: pooling "cls".

        Args:
            head: A Keras model from `(N, D)`, such as the projector that `SimCSE` has trained.

        Returns:
            A `SentenceEncoder` that shares the weights.
        """
        return SentenceEncoder(self.backbone, self.tokenizer, "cls", head, self.normalize)

    def encode(
        self, sentences: Sequence[str], batch_size: int = 64, verbose: int = 1
    ) -> np.ndarray:
        """Vectors of sentences.

        Sentences of like length go together, so that little is padded; where a backend compiles
        for each length, a batch's is rounded up to one of a few.

        Args:
            sentences: A list, tuple or array of N strings. An empty one gives the vector of the
                special tokens; one longer than the tokenizer's `max_length` loses its end, with a
                warning.
            batch_size: Sentences in one forward pass, positive. Default 64.
            verbose: 1 for a progress bar where there is more than one batch, 0 for none.

        Returns:
            A float32 array `(N, D)`, in the order of the sentences; `(0, D)` for an empty list.

        Raises:
            ValueError: On anything but strings, with the position of the first, on a generator, set
                or dict of them, or if the tokenizer gives ids that the backbone has no embedding
                of.
        """
        if batch_size < 1:
            raise ValueError(f"Expected a positive batch_size. Received: batch_size={batch_size}.")
        rows = self.tokenizer.tokenize(sentences)
        check_token_ids(np.array([token for row in rows for token in row], "int32"), self)
        order = np.argsort([-len(row) for row in rows], kind="stable")
        vectors = np.empty((len(rows), self.output_shape[-1]), "float32")
        shown = verbose if len(rows) > batch_size else 0
        bar = keras.utils.Progbar(len(rows), verbose=shown, unit_name="sentence")
        for start in range(0, len(rows), batch_size):
            chosen = order[start : start + batch_size]
            batch = [rows[row] for row in chosen]
            length = min(_length_of_batch(len(batch[0])), self.tokenizer.max_length)
            token_ids = padded(batch, length, self.tokenizer.padding_id)
            # In a strategy of TensorFlow every device gets the whole batch.
            vectors[chosen] = self.predict_on_batch(token_ids)[: len(chosen)]
            bar.add(len(chosen))
        return vectors

    def similarity(
        self,
        first: Sequence[str] | np.ndarray,
        second: Sequence[str] | np.ndarray,
        batch_size: int = 64,
    ) -> np.ndarray:
        """Cosine similarity of each sentence with each other.

        Args:
            first: N strings, or their vectors as `encode` gives them.
            second: M strings or vectors.
            batch_size: Sentences in one forward pass, positive. Default 64.

        Returns:
            A float32 array `(N, M)`, -1 to 1.
        """

        def vectors_of(part: Any) -> np.ndarray:
            is_encoded = isinstance(part, np.ndarray) and part.ndim == 2
            return part if is_encoded else self.encode(part, batch_size, verbose=0)

        vectors = (ops.convert_to_tensor(vectors_of(part)) for part in (first, second))
        return ops.convert_to_numpy(pairwise_cosine(*vectors))

    def get_config(self) -> dict[str, Any]:
        """The parts, serialised, so that `from_config` rebuilds the encoder."""
        parts = {"backbone": self.backbone, "tokenizer": self.tokenizer, "head": self.head}
        return {
            **{key: keras.saving.serialize_keras_object(part) for key, part in parts.items()},
            "pooling": self.pooling,
            "normalize": self.normalize,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Self:
        """Rebuilds an encoder from `get_config`."""
        config = {
            key: keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
            if isinstance(value, dict)
            else value
            for key, value in config.items()
        }
        trainable = config.pop("trainable", True)
        encoder = cls(**config)
        if not trainable:  # true says nothing: a frozen part may stand in what is not
            encoder.trainable = False
        return still_frozen(encoder)


def _pool(states: list[KerasTensor], is_token: KerasTensor, pooling: str) -> KerasTensor:
    """Hidden states `(N, T, D)` of the layers to `(N, D)`, in float32."""
    if pooling not in POOLINGS:
        raise ValueError(f"Expected pooling to be one of {POOLINGS}. Received: {pooling!r}.")
    if any(len(layer.shape) != 3 for layer in states):
        raise ValueError(
            "Expected a backbone that gives hidden states (N, T, D), or a list of them. "
            f"Received: outputs of shape {[layer.shape for layer in states]}."
        )
    if pooling == "first_last_mean" and len(states) == 1:
        raise ValueError(
            "Expected a backbone that gives the hidden states of all layers as a list, for "
            "pooling 'first_last_mean'. Received: those of one."
        )
    last = ops.cast(states[-1], "float32")
    if pooling in ("cls", "cls_before_head"):
        return last[:, 0]
    if pooling == "first_last_mean":
        last = (ops.cast(states[0], "float32") + last) / 2
    share = ops.cast(ops.expand_dims(is_token, 2), "float32")  # (N, T, 1)
    return ops.sum(share * last, axis=1) / ops.maximum(ops.sum(share, axis=1), 1.0)


def _length_of_batch(length: int) -> int:
    """The next multiple of 8, and of a quarter of a power of two: twenty lengths up to 512.

    On PyTorch, which compiles for none, the length itself.
    """
    if keras.backend.backend() == "torch":
        return length
    unit = max(8, 2 ** (length.bit_length() - 3))
    return -(-length // unit) * unit
