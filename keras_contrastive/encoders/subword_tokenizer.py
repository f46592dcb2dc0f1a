"""Text to token ids, by a definition that is saved with the model."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SubwordTokenizer:
    """A tokenizer of the `tokenizers` package, whose definition is part of the model's file.

    All that it does (normalisation, words, pieces, special tokens) stands in one JSON text, the
    contents of a `tokenizer.json`. It goes into the config, and so into the `.keras` file of a
    model. `pip install "keras-contrastive[text]"` brings the package, which needs no backend.

    Args:
        definition: The JSON text.
        max_length: Tokens of the longest sequence, special ones included. Longer texts lose their
            end, with a warning that counts them.
        padding_id: Token id that fills short rows. Default 0, as in BERT.

    Raises:
        ImportError: Without the package.
        ValueError: If the definition is none.

    Example:

    >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing", "outside"]
    >>> tokenizer = SubwordTokenizer.wordpiece(words, max_length=8)
    >>> tokenizer(["Playing outside", "play"]).tolist()
    [[2, 5, 6, 7, 3], [2, 5, 3, 0, 0]]
    """

    def __init__(self, definition: str, max_length: int = 512, padding_id: int = 0) -> None:
        if max_length < 3:
            raise ValueError(
                "Expected a max_length of at least 3, a token between two special ones. "
                f"Received: max_length={max_length}."
            )
        try:
            self._tokenizer = _package().Tokenizer.from_str(definition)
        except ImportError:
            raise
        except Exception as error:
            raise ValueError(
                f"Expected the JSON text of a tokenizer. Received: {definition[:40]!r}... "
                f"({error}). Give the contents of a tokenizer.json."
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length)
        self.definition, self.max_length, self.padding_id = definition, max_length, padding_id

    @classmethod
    def wordpiece(
        cls,
        vocabulary: Sequence[str],
        max_length: int = 512,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        chinese_characters: bool = True,
    ) -> "SubwordTokenizer":
        """BERT's tokenizer of a vocabulary.

        Args:
            vocabulary: The pieces in the order of their ids, `[PAD]`, `[UNK]`, `[CLS]` and `[SEP]`
                among them.
            max_length: As above.
            lowercase: Whether the vocabulary is of lower-case words.
            strip_accents: Whether accents are removed; `None`: as `lowercase`.
            chinese_characters: Whether each Chinese character is a word.

        Returns:
            A `SubwordTokenizer`.

        Raises:
            ValueError: If a special token is missing.
        """
        ids = {piece: row for row, piece in enumerate(vocabulary)}
        missing = [token for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]") if token not in ids]
        if missing:
            raise ValueError(
                f"Expected [PAD], [UNK], [CLS] and [SEP] in the vocabulary. "
                f"Received: {len(ids)} pieces without {', '.join(missing)}."
            )
        tokenizer = _package().BertWordPieceTokenizer(
            ids,
            lowercase=lowercase,
            strip_accents=strip_accents,
            handle_chinese_chars=chinese_characters,
        )
        return cls(tokenizer.to_str(), max_length, ids["[PAD]"])

    @classmethod
    def from_folder(cls, folder: str | Path, max_length: int = 512) -> "SubwordTokenizer":
        """The tokenizer of a model's folder in the layout of Hugging Face.

        Args:
            folder: Folder with `tokenizer.json`, or with BERT's `vocab.txt`; and
                `tokenizer_config.json` where lower-casing differs from BERT's.
            max_length: As above.

        Returns:
            A `SubwordTokenizer`.

        Raises:
            ValueError: If there is no such file.
        """
        folder = Path(folder)
        definition, vocabulary = folder / "tokenizer.json", folder / "vocab.txt"
        if definition.is_file():
            text = definition.read_text(encoding="utf8")
            return cls(text, max_length, _padding_id(text))
        if not vocabulary.is_file():
            found = sorted(path.name for path in folder.glob("*"))
            raise ValueError(
                f"Expected tokenizer.json or vocab.txt in {folder}. Received: {found}. "
                "Copy one of them from where the weights come from."
            )
        path = folder / "tokenizer_config.json"
        settings = json.loads(path.read_text(encoding="utf8")) if path.is_file() else {}
        return cls.wordpiece(
            vocabulary.read_text(encoding="utf8").rstrip("\n").split("\n"),
            max_length,
            settings.get("do_lower_case", True),
            settings.get("strip_accents"),
            settings.get("tokenize_chinese_chars", True),
        )

    def tokenize(self, texts: Sequence[str], max_length: int | None = None) -> list[list[int]]:
        """Token ids of each text, special tokens included.

        Args:
            texts: Strings. An empty one has special tokens alone.
            max_length: A smaller one than the tokenizer's; `None` for that.

        Returns:
            A list of ids for each text, of different lengths.

        Raises:
            ValueError: On anything but strings, with the position of the first, or anything but a
            list, tuple or array of them.
        """
        check_texts(texts)
        limit = min(max_length or self.max_length, self.max_length)
        self._tokenizer.enable_truncation(limit)
        encodings = self._tokenizer.encode_batch(list(map(str, texts)))
        truncated = sum(bool(encoding.overflowing) for encoding in encodings)
        if truncated:
            warnings.warn(
                f"{truncated} of {len(encodings)} texts are longer than max_length={limit} tokens: "
                "what follows is left out.",
                stacklevel=3,
            )
        return [encoding.ids for encoding in encodings]

    def __call__(self, texts: Sequence[str], max_length: int | None = None) -> np.ndarray:
        """Token ids `(N, T)`, int32, filled up to the longest; arguments as in `tokenize`."""
        rows = self.tokenize(texts, max_length)
        return padded(rows, max(map(len, rows), default=0), self.padding_id)

    @property
    def special_ids(self) -> tuple[int, ...]:
        """Ids of the tokens that stand in every text, such as [CLS] and [SEP]."""
        return tuple(self._tokenizer.encode("").ids)

    def token_id(self, token: str) -> int:
        """The id of a token, such as "[MASK]".

        Args:
            token: As it stands in the vocabulary.

        Returns:
            Its id.

        Raises:
            ValueError: If it is not in the vocabulary.
        """
        token_id = self._tokenizer.token_to_id(token)
        if token_id is None:
            raise ValueError(f"Expected a token of the vocabulary. Received: {token!r}.")
        return token_id

    def get_config(self) -> dict[str, Any]:
        """The definition and what else it takes to build the tokenizer again."""
        return {
            "definition": self.definition,
            "max_length": self.max_length,
            "padding_id": self.padding_id,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SubwordTokenizer":
        """Rebuilds a tokenizer from `get_config`."""
        return cls(**config)


def padded(rows: Sequence[Sequence[int]], length: int, padding_id: int) -> np.ndarray:
    """Rows of token ids as an int32 array `(N, length)`."""
    array = np.full((len(rows), length), padding_id, "int32")
    for row, ids in zip(array, rows, strict=True):
        row[: len(ids)] = ids
    return array


def check_texts(texts: Any, name: str = "texts") -> None:
    """Raises a ValueError unless it is a sequence of strings."""
    if isinstance(texts, (str, bytes)):
        raise ValueError(
            f"Expected {name} as a list of strings. Received: one string. Put it in a list."
        )
    # A generator is empty once it has been looked through, and a set has no order.
    if not isinstance(texts, Sequence) and getattr(texts, "ndim", None) != 1:
        raise ValueError(
            f"Expected {name} as a list of strings. Received: {type(texts).__name__}. "
            "Make a list of it."
        )
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(
                f"Expected {name} as a list of strings. Received: {text!r} at position {position}."
            )


def check_sentences(texts: Any, name: str = "sentences") -> None:
    """Raises a ValueError unless it is a sequence of strings none of which is empty."""
    check_texts(texts, name)
    for position, text in enumerate(texts):
        if not text.strip():
            raise ValueError(
                f"Expected {name} that are not empty. Received: an empty one at position "
                f"{position}. Leave it out."
            )


def _padding_id(definition: str) -> int:
    parts = json.loads(definition)
    if parts.get("padding"):
        return parts["padding"]["pad_id"]
    named = {token["content"]: token["id"] for token in parts.get("added_tokens", ())}
    return next((named[token] for token in ("[PAD]", "<pad>") if token in named), 0)


def _package() -> Any:
    try:
        import tokenizers
    except ImportError:
        raise ImportError(
            'Tokenizing text needs the tokenizers package: pip install "keras-contrastive[text]".'
        ) from None
    return tokenizers
