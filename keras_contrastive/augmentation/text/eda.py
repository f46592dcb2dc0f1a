"""EDA: sentences with some words replaced, inserted, swapped or deleted."""

import math
import random
import re
from collections.abc import Collection, Mapping, Sequence

from keras_contrastive.augmentation.text.stop_words import STOP_WORDS
from keras_contrastive.augmentation.text.synonyms import Synonyms
from keras_contrastive.encoders.subword_tokenizer import check_sentences

_WORD = re.compile(r"\w(?:.*\w)?", re.DOTALL)  # without what stands around it, such as a comma


class EDA:
    """Easy data augmentation: new sentences by one of four operations each.

    | operation | on a sentence of n words |
    | --- | --- |
    | synonym replacement | `max(1, int(alpha * n))` words become one of their synonyms |
    | insertion | as many times, a synonym of one of its words goes to a random place |
    | swap | as many times, two words change places |
    | deletion | each word goes with probability `alpha`; one at least stays |

    Words are what white space separates; punctuation around a replaced word stays, and so does its
    capital letter. Stop words are neither replaced nor do synonyms of theirs come in. Where no word
    has a synonym, the first two operations change nothing, and of a single word none of the others
    does: such copies equal their sentence.

    Calls go on in one sequence of random draws: the same seed and the same calls give the same.

    Args:
        synonyms: A mapping from lower-case words to lists of synonyms, or a function, such as
            `WordNet` or `NearestWords`, from a word to such a list.
        alpha: As above, over 0 to 1. Default 0.1, as in the paper's code.
        num_copies: Copies of each sentence, which share out the operations evenly. Default 9, as
            there; the fewer sentences, the more copies help.
        stop_words: Lower-case words; by default English function words.
        seed: Of the draws; `None` for another one each time.

    Raises:
        ValueError: On arguments out of range; on calls with anything but sentences.

    Example:

    >>> eda = EDA({"quick": ["fast"], "dog": ["hound"]}, num_copies=4, seed=0)
    >>> (copies,) = eda(["The Quick dog, it sleeps."])
    >>> len(copies), eda.replaced(["The", "Quick", "dog,"], 2)
    (4, ['The', 'Fast', 'hound,'])

    Differs from the reference: its code also lower-cases sentences and removes punctuation, counts
    another occurrence of a replaced word as the same word, and adds the sentence to its copies.

    Reference: Wei & Zou, EDA: Easy data augmentation techniques for boosting performance on text
    classification tasks (2019), section 2.
    """

    def __init__(
        self,
        synonyms: Mapping[str, Sequence[str]] | Synonyms,
        alpha: float = 0.1,
        num_copies: int = 9,
        stop_words: Collection[str] = STOP_WORDS,
        seed: int | None = None,
    ) -> None:
        if not isinstance(synonyms, Mapping) and not callable(synonyms):
            raise ValueError(
                "Expected synonyms as a mapping from words to lists of words, or a function from a "
                f"word to such a list. Received: {synonyms!r}."
            )
        if not (0 < alpha <= 1 and num_copies >= 1):
            raise ValueError(
                "Expected alpha above 0 and up to 1, and num_copies of at least 1. "
                f"Received: alpha={alpha}, num_copies={num_copies}."
            )
        self.alpha, self.num_copies = alpha, num_copies
        self.synonyms = synonyms if callable(synonyms) else lambda word: synonyms.get(word, ())
        self.stop_words = frozenset(stop_words)
        self.random = random.Random(seed)
        self._known: dict[str, list[str]] = {}

    def __call__(self, sentences: Sequence[str]) -> list[list[str]]:
        """New sentences.

        Args:
            sentences: N strings that are not empty.

        Returns:
            N lists of `num_copies` strings, none of which is empty.

        Raises:
            ValueError: On empty sentences, or anything but strings.
        """
        check_sentences(sentences)
        return [self._copies(sentence.split()) for sentence in sentences]

    def _copies(self, words: list[str]) -> list[str]:
        number = max(1, int(self.alpha * len(words)))
        operations = [
            lambda: self.replaced(words, number),
            lambda: self.inserted(words, number),
            lambda: self.swapped(words, number),
            lambda: self.deleted(words, self.alpha),
        ] * math.ceil(self.num_copies / 4)
        self.random.shuffle(operations)
        return [" ".join(operation()) for operation in operations[: self.num_copies]]

    # -- the operations -------------------------------------------------------------------------

    def replaced(self, words: Sequence[str], number: int) -> list[str]:
        """The words, `number` of which, as far as so many have synonyms, are replaced."""
        words = list(words)
        known = [position for position, word in enumerate(words) if self._synonyms(word)]
        for position in self.random.sample(known, min(number, len(known))):
            before, word, after = _parts(words[position])
            synonym = self.random.choice(self._synonyms(word))
            if word[0].isupper():
                synonym = synonym[0].upper() + synonym[1:]
            words[position] = before + synonym + after
        return words

    def inserted(self, words: Sequence[str], number: int) -> list[str]:
        """The words, with `number` synonyms of some of them anywhere between."""
        words = list(words)
        known = [word for word in words if self._synonyms(word)]
        for _ in range(number if known else 0):
            synonym = self.random.choice(self._synonyms(self.random.choice(known)))
            words.insert(self.random.randint(0, len(words)), synonym)
        return words

    def swapped(self, words: Sequence[str], number: int) -> list[str]:
        """The words, after two at a time have changed places `number` times."""
        words = list(words)
        for _ in range(number if len(words) > 1 else 0):
            first, second = self.random.sample(range(len(words)), 2)
            words[first], words[second] = words[second], words[first]
        return words

    def deleted(self, words: Sequence[str], rate: float) -> list[str]:
        """The words, each of which is left out with probability `rate`; never all of them."""
        kept = [word for word in words if self.random.random() >= rate]
        return kept or [self.random.choice(words)]

    def _synonyms(self, word: str) -> list[str]:
        """Other words for a word; none for a stop word."""
        key = _parts(word)[1].lower()
        if key not in self._known:
            is_replaced = key and key not in self.stop_words
            found = self.synonyms(key) if is_replaced else ()
            if isinstance(found, str):
                raise ValueError(f"Expected a list of synonyms of {key!r}. Received: {found!r}.")
            self._known[key] = [other for other in found if other.strip() and other.lower() != key]
        return self._known[key]


def _parts(word: str) -> tuple[str, str, str]:
    """What stands before a word, the word, and what stands behind it."""
    match = _WORD.search(word)
    start, end = match.span() if match else (len(word), len(word))
    return word[:start], word[start:end], word[end:]
