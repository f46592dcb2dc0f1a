"""EDA: counts, places and words of each operation, and what comes in wrong."""

from collections import Counter

import pytest

from keras_contrastive.augmentation import EDA

SYNONYMS = {"quick": ["fast", "rapid"], "fox": ["vixen"], "jumps": ["leaps"], "the": ["this"]}
TEXT = "The Quick brown fox, jumps over the lazy dog every single morning before it eats again now"


def eda(**kwargs):
    return EDA(SYNONYMS, **{"seed": 0, **kwargs})


def test_nine_copies_of_the_four_operations():
    (copies,) = eda()([TEXT])
    assert len(copies) == 9
    given = Counter(TEXT.split())
    kinds = Counter()
    for words in map(str.split, copies):
        more, fewer = Counter(words) - given, given - Counter(words)
        if not more and not fewer:
            kinds["swapped or whole"] += 1
        else:
            kinds[("more" if more else "") + ("fewer" if fewer else "")] += 1
    # Twelve operations, three of each kind, of which nine are taken.
    assert set(kinds) == {"more", "fewer", "morefewer", "swapped or whole"}
    assert sum(kinds.values()) == 9


@pytest.mark.parametrize(("alpha", "number"), [(0.1, 1), (0.12, 2), (0.25, 4), (0.001, 1)])
def test_counts_are_those_of_the_paper(alpha, number):
    words = TEXT.split()  # 17
    assert max(1, int(alpha * len(words))) == number
    seen = []
    maker = eda(alpha=alpha)
    for name in ("replaced", "inserted", "swapped"):
        setattr(maker, name, lambda words, n: seen.append(n) or words)
    maker.deleted = lambda words, rate: seen.append(rate) or words
    maker([TEXT])
    assert set(seen) == {number, alpha}


def test_replacement_keeps_case_punctuation_and_stop_words():
    words = TEXT.split()
    for _ in range(10):
        new = eda(seed=None).replaced(words, 17)
        assert new[1] in ("Fast", "Rapid")
        assert new[3:5] == ["vixen,", "leaps"]
        assert [w for i, w in enumerate(new) if i not in (1, 3, 4)] == [
            "The",
            *words[2:3],
            *words[5:],
        ]
    changed = [
        sum(a != b for a, b in zip(words, eda(seed=seed).replaced(words, 2))) for seed in range(20)
    ]
    assert set(changed) == {2}
    assert eda(stop_words=()).replaced(["the"], 1) == ["this"]


def test_insertion_adds_synonyms_anywhere():
    words, places = TEXT.split(), set()
    for seed in range(60):
        new = eda(seed=seed).inserted(words, 2)
        assert len(new) == len(words) + 2
        more = Counter(new) - Counter(words)
        assert set(more) <= {"fast", "rapid", "vixen", "leaps"}
        places.update(i for i, word in enumerate(new) if word in more)
    assert {0, len(words) + 1} <= places


def test_swap_moves_two_words():
    words = TEXT.split()
    for seed in range(20):
        new = eda(seed=seed).swapped(words, 1)
        assert Counter(new) == Counter(words)
        assert sum(a != b for a, b in zip(words, new)) in (0, 2)  # equal words may meet


def test_deletion_has_its_rate_and_never_empties():
    maker, words = eda(), TEXT.split()
    kept = sum(len(maker.deleted(words, 0.3)) for _ in range(300)) / 300 / len(words)
    assert abs(kept - 0.7) < 0.03
    alone = {tuple(maker.deleted(["a", "b"], 1.0)) for _ in range(50)}
    assert alone == {("a",), ("b",)}


@pytest.mark.parametrize("text", ["fox", "!!", "the", "x " * 10_000])
def test_short_and_very_long_sentences_never_become_empty(text):
    (copies,) = eda(alpha=1.0 if len(text) < 10 else 0.1)([text])
    assert len(copies) == 9
    assert all(copy.strip() for copy in copies)


def test_the_seed_decides():
    assert eda()([TEXT, "a fox"]) == eda()([TEXT, "a fox"])
    assert eda()([TEXT]) != eda(seed=1)([TEXT])
    maker = eda()
    assert maker([TEXT]) != maker([TEXT])


def test_a_function_gives_synonyms_and_is_asked_once():
    asked = []

    def synonyms(word):
        asked.append(word)
        return ["hound", "Dog", " "] if word == "dog" else []

    maker = EDA(synonyms, seed=0)
    assert {maker.replaced(["Dog!"], 1)[0] for _ in range(20)} == {
        "Hound!"
    }  # not itself, not blank
    assert asked == ["dog"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: EDA(["fast"]), "mapping from words"),
        (lambda: eda(alpha=0.0), "alpha=0.0"),
        (lambda: eda(alpha=1.5), "alpha=1.5"),
        (lambda: eda(num_copies=0), "num_copies=0"),
        (lambda: eda()("a fox"), "one string"),
        (lambda: eda()(["a fox", ""]), "an empty one at position 1"),
        (lambda: eda()(["a fox", None]), "Received: None at position 1"),
        (lambda: EDA({"fox": "vixen"})(["a fox"]), "list of synonyms of 'fox'.*'vixen'"),
    ],
)
def test_nonsense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
