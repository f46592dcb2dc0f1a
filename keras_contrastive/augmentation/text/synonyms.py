"""Where synonyms come from: WordNet's files, or the nearest of word vectors."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_contrastive.ops import l2_normalize

Synonyms: TypeAlias = Callable[[str], Sequence[str]]  # of a lower-case word; none: no synonyms

_PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")


class WordNet:
    """Synonyms from a folder of WordNet's database files.

    All words that share a sense with the given one, in lower case: of nouns, verbs, adjectives and
    adverbs in turn, the most frequent sense of each first.
    WordNet knows base forms only: "dogs" has no synonyms. The files are free; Debian's package
    `wordnet-base` puts them in `/usr/share/wordnet`.

    Args:
        folder: Folder with `index.noun`, `data.noun` and the same of `verb`, `adj` and `adv`; of
            the four, those that are there.

    Raises:
        ValueError: On a folder without such files, or files that do not belong together.

    Example:

    >>> wordnet = WordNet("/usr/share/wordnet")  # doctest: +SKIP
    >>> wordnet("quick")[:3]  # doctest: +SKIP
    ['speedy', 'flying', 'fast']

    Reference: Miller, WordNet: A lexical database for English (1995); the manual page wndb(5WN).
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._senses: list[tuple[str, bytes, dict[str, list[int]]]] = []
        for part in _PARTS_OF_SPEECH:
            index, data = (self.folder / f"{kind}.{part}" for kind in ("index", "data"))
            if index.is_file() and data.is_file():
                lines = index.read_text(encoding="utf8").splitlines()
                # The licence stands in front, each line behind two blanks.
                entries = [line.split() for line in lines if line and not line.startswith("  ")]
                senses = {entry[0]: _offsets(entry, index) for entry in entries}
                self._senses.append((part, data.read_bytes(), senses))
        if not self._senses:
            raise ValueError(
                f"Expected a folder with WordNet's index.noun, data.noun and so on. Received: "
                f"{self.folder}, without. Debian's package wordnet-base has them in "
                "/usr/share/wordnet."
            )

    def __call__(self, word: str) -> list[str]:
        lemma = word.lower().replace(" ", "_")
        found: dict[str, None] = {}  # in order
        for part, data, senses in self._senses:
            for offset in senses.get(lemma, ()):
                found.update(dict.fromkeys(self._words_at(data, offset, part)))
        found.pop(lemma.replace("_", " "), None)
        return list(found)

    def _words_at(self, data: bytes, offset: int, part: str) -> list[str]:
        """The words of the synset whose line starts there."""
        fields = data[offset : data.find(b"\n", offset)].decode("utf8").split()
        # offset, file, part of speech, number of words in base 16, then each word and its number
        if len(fields) < 4 or fields[0] != f"{offset:08}":
            raise ValueError(
                f"Expected the synset {offset:08} at that byte of {self.folder / f'data.{part}'}. "
                "Received: something else. Its index belongs to another version."
            )
        words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
        return [word.split("(")[0].replace("_", " ").lower() for word in words]


class NearestWords:
    """The words whose vectors have the highest cosine similarity with that of the given one.

    Args:
        words: V different words, as they are looked up: in lower case.
        vectors: Array `(V, D)`, such as GloVe's.
        k: Number of neighbours, the word itself not counted, 1 to V - 1. Default 10.
        min_similarity: Cosine below which a neighbour is none, -1 to 1. Default 0.5.

    Raises:
        ValueError: If these do not fit.

    Example:

    >>> nearest = NearestWords(["big", "large", "cat"], [[1, 0], [0.9, 0.1], [0, 1]], k=2)
    >>> nearest("big")
    ['large']
    """

    def __init__(
        self, words: Sequence[str], vectors: ArrayLike, k: int = 10, min_similarity: float = 0.5
    ) -> None:
        vectors = np.asarray(vectors, "float32")
        if vectors.ndim != 2 or len(vectors) != len(words) or len(set(words)) != len(words):
            raise ValueError(
                "Expected different words and a vector (D,) for each. Received: "
                f"{len(set(words))} different ones of {len(words)} words, and vectors of shape "
                f"{vectors.shape}."
            )
        if not np.isfinite(vectors).all():
            raise ValueError("Expected finite vectors. Received: NaN or infinity among them.")
        if not (1 <= k < len(words) and -1 <= min_similarity <= 1):
            raise ValueError(
                f"Expected k from 1 to {len(words) - 1} and min_similarity from -1 to 1. "
                f"Received: k={k}, min_similarity={min_similarity}."
            )
        self.words, self.k, self.min_similarity = list(words), k, min_similarity
        self._rows = {word: row for row, word in enumerate(self.words)}
        self._directions = l2_normalize(ops.convert_to_tensor(vectors))  # (V, D)

    def __call__(self, word: str) -> list[str]:
        if word not in self._rows:
            return []
        row = self._rows[word]
        cosines = ops.matmul(self._directions, self._directions[row])
        cosines, rows = map(ops.convert_to_numpy, ops.top_k(cosines, self.k + 1))  # and itself
        chosen = rows[(cosines >= self.min_similarity) & (rows != row)]
        return [self.words[row] for row in chosen[: self.k]]


def _offsets(entry: list[str], path: Path) -> list[int]:
    """Where the senses of an entry of the index stand in the data, from its last numbers."""
    # lemma, part of speech, number of senses, number of pointer symbols, ...
    if len(entry) < 4 or not entry[2].isdigit() or len(entry) < 6 + int(entry[2]):
        raise ValueError(
            f"Expected lines of WordNet's index in {path}. Received: {' '.join(entry)[:60]!r}. "
            "Copy the file again."
        )
    return [int(offset) for offset in entry[-int(entry[2]) :]]
