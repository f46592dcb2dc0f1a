"""Synonyms: WordNet's file format, and the nearest of word vectors."""

import numpy as np
import pytest

from keras_contrastive.augmentation import EDA, NearestWords, WordNet

LICENCE = "  1 This software and database is being provided to you  \n  2 as it is.  \n"
SYNSETS = {
    "adj": [
        ["quick", "speedy", "ready_to_hand(p)"],
        ["Agile", "quick(a)"],
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"],
    ],
    "noun": [["quick", "core"], ["dog", "domestic_dog", "Canis_familiaris"]],
}


def write_wordnet(folder):
    """Lines `offset file part words(base 16) word number ... | gloss`, and an index of lemmas."""
    for part, synsets in SYNSETS.items():
        data, offsets = LICENCE, {}
        for words in synsets:
            offset = len(data)
            for word in words:
                offsets.setdefault(word.split("(")[0].lower(), []).append(offset)
            pairs = " ".join(f"{word} 0" for word in words)
            data += f"{offset:08} 00 {part[0]} {len(words):02x} {pairs} 000 | some gloss; quick  \n"
        index = LICENCE
        for lemma, places in sorted(offsets.items()):
            places = " ".join(f"{place:08}" for place in places)
            count = places.count(" ") + 1
            index += f"{lemma} {part[0]} {count} 1 @ {count} 0 {places}  \n"
        (folder / f"data.{part}").write_text(data)
        (folder / f"index.{part}").write_text(index)
    return folder


def test_words_of_all_senses_in_order(tmp_path):
    wordnet = WordNet(write_wordnet(tmp_path))
    assert wordnet("quick") == ["core", "speedy", "ready to hand", "agile"]
    assert wordnet("Quick") == wordnet("quick")
    assert wordnet("ready to hand") == ["quick", "speedy"]
    assert wordnet("dog") == ["domestic dog", "canis familiaris"]
    assert len(wordnet("eleven")) == 10  # the number of words is in base 16
    assert wordnet("cat") == []
    assert EDA(wordnet, seed=0).replaced(["Dog."], 1)[0] in ("Domestic dog.", "Canis familiaris.")


def test_files_that_are_missing_or_do_not_belong_together(tmp_path):
    with pytest.raises(ValueError, match=r"folder with WordNet's index.noun"):
        WordNet(tmp_path)
    write_wordnet(tmp_path)
    data = tmp_path / "data.noun"
    data.write_text("x" + data.read_text())
    with pytest.raises(ValueError, match=r"synset \d{8} at that byte of .*data.noun"):
        WordNet(tmp_path)("dog")
    (tmp_path / "index.noun").write_text("dog n 3 1 @ 3 0 00000001\n")
    with pytest.raises(ValueError, match=r"WordNet's index in .*index.noun.*'dog n 3"):
        WordNet(tmp_path)


def test_nearest_words_are_those_of_the_cosines():
    rng = np.random.default_rng(0)
    words = [f"w{row}" for row in range(50)]
    vectors = rng.normal(size=(50, 4)) * rng.uniform(0.1, 10, (50, 1))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = NearestWords(words, vectors, k=5, min_similarity=0.8)
    lengths = set()
    for row in range(10):
        cosines = unit @ unit[row]
        order = [i for i in np.argsort(-cosines) if i != row and cosines[i] >= 0.8][:5]
        assert nearest(words[row]) == [words[i] for i in order]
        lengths.add(len(order))
    assert len(lengths) > 1
    assert nearest("elsewhere") == []


@pytest.mark.parametrize(
    ("words", "vectors", "kwargs", "message"),
    [
        (["a", "b"], np.eye(3), {}, r"2 different ones of 2 words.*\(3, 3\)"),
        (["a", "a", "b"], np.eye(3), {}, "2 different ones of 3 words"),
        (["a", "b"], np.array([[1, np.nan], [0, 1]]), {}, "NaN"),
        (["a", "b"], np.eye(2), {"k": 2}, "k from 1 to 1.*k=2"),
        (["a", "b"], np.eye(2), {"k": 1, "min_similarity": 2}, "min_similarity=2"),
    ],
)
def test_vectors_that_do_not_fit(words, vectors, kwargs, message):
    with pytest.raises(ValueError, match=message):
        NearestWords(words, vectors, **kwargs)
