"""BackTranslation: sentences by way of another language."""

import re
import sqlite3
import unicodedata
import warnings
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from keras_contrastive.encoders.subword_tokenizer import check_sentences

Translator: TypeAlias = Callable[[list[str]], Sequence[str]]


class BackTranslation:
    """Translates sentences to another language and back, for another wording of the same.

    What was translated is kept after each batch: a text that comes again is not translated again,
    and a run that broke goes on where it stopped. The package brings no translator; any function
    from a list of strings to a list of strings is one.

    Args:
        forward: From a list of sentences to a list of translations.
        backward: The way back.
        cache: A dict, or a folder in which a file is kept, one folder for each pair of
            translators; `None` for a dict of its own.
        batch_size: Texts that are given to a translator at a time, at least 1. Default 32.

    Attributes:
        cache: A mapping from texts to what came back.

    Raises:
        ValueError: On a batch size below 1; on calls with anything but sentences, or if a
            translator does not return a string for each.

    Example:

    >>> german = {"A dog sleeps.": "Ein Hund schläft."}
    >>> english = {"Ein Hund schläft.": "A dog is sleeping."}
    >>> back = BackTranslation(
    ...     lambda texts: [german[text] for text in texts],
    ...     lambda texts: [english[text] for text in texts],
    ... )
    >>> back(["A dog sleeps."])
    ['A dog is sleeping.']

    Reference: Edunov et al., Understanding back-translation at scale (2018), on translators; Fang
    et al., CERT: Contrastive self-supervised learning for language understanding (2020), on
    positives.
    """

    def __init__(
        self,
        forward: Translator,
        backward: Translator,
        cache: MutableMapping[str, str] | str | Path | None = None,
        batch_size: int = 32,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"Expected a positive batch_size. Received: batch_size={batch_size}.")
        self.forward, self.backward, self.batch_size = forward, backward, batch_size
        self.cache: MutableMapping[str, str] = (
            TextStore(cache) if isinstance(cache, (str, Path)) else {} if cache is None else cache
        )

    def __call__(self, sentences: Sequence[str]) -> list[str]:
        """What comes back of sentences.

        Args:
            sentences: N strings that are not empty.

        Returns:
            N strings. Of a text whose translation comes back empty, the text itself. A warning
            counts those that equal their text but for case, punctuation and white space: as a
            positive, such a one differs from it by dropout alone.

        Raises:
            ValueError: As above.
        """
        check_sentences(sentences)
        new = [text for text in dict.fromkeys(sentences) if text not in self.cache]
        for start in range(0, len(new), self.batch_size):
            texts = new[start : start + self.batch_size]
            translations = _translated(self.forward, texts, "forward")
            results = _translated(self.backward, translations, "backward")
            self.cache.update(dict(zip(texts, results, strict=True)))
        found = [self.cache[text] for text in sentences]
        found = [result if result.strip() else text for text, result in zip(sentences, found)]
        same = sum(normalized(text) == normalized(result) for text, result in zip(sentences, found))
        if same:
            warnings.warn(
                f"{same} of {len(found)} back-translations equal their text but for case, "
                "punctuation and white space, or were empty.",
                stacklevel=2,
            )
        return found


class TextStore(dict):
    """A dict of texts that `update` also writes to a file of a folder, which it starts from.

    Args:
        folder: The folder, which is made if need be.

    Example:

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> TextStore(folder).update({"a cat": "the cat"})
    >>> TextStore(folder)
    {'a cat': 'the cat'}
    """

    def __init__(self, folder: str | Path) -> None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "texts.sqlite3"
        try:
            with closing(sqlite3.connect(self.path)) as file, file:
                file.execute("CREATE TABLE IF NOT EXISTS texts (source PRIMARY KEY, result)")
                super().__init__(file.execute("SELECT source, result FROM texts"))
        except sqlite3.DatabaseError as error:
            raise ValueError(
                f"Expected stored texts in {self.path}. Received: another or a damaged file "
                f"({error}). Give another folder, or remove the file."
            ) from error

    def update(self, texts: dict[str, str]) -> None:  # type: ignore[override]
        """Adds texts: all of them are stored, or none if it breaks."""
        with closing(sqlite3.connect(self.path)) as file, file:
            file.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?)", texts.items())
        super().update(texts)


def normalized(text: str) -> str:
    """Its words in lower case, without punctuation, with single blanks between."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _translated(translator: Translator, texts: list[str], name: str) -> list[str]:
    results = translator(texts)
    if isinstance(results, str) or len(results) != len(texts):
        received = "one string" if isinstance(results, str) else f"{len(results)} of them"
        raise ValueError(
            f"Expected a list of {len(texts)} translations, one a text, from the {name} "
            f"translator. Received: {received}."
        )
    for text, result in zip(texts, results, strict=True):
        if not isinstance(result, str):
            raise ValueError(
                f"Expected strings from the {name} translator. Received: {result!r} for {text!r}."
            )
    return list(results)
