"""Back-translation: batches, the cache, a run that breaks, and translators that misbehave."""

import warnings

import pytest

from keras_contrastive.augmentation import BackTranslation

TEXTS = ["a cat", "a dog", "a man", "a cat", "a fish"]


class Translator:
    """Adds a mark, counts what it has seen, and breaks at some text."""

    def __init__(self, mark, breaks_at=None):
        self.mark, self.breaks_at, self.batches = mark, breaks_at, []

    def __call__(self, texts):
        self.batches.append(list(texts))
        if self.breaks_at in texts:
            raise ConnectionError("no translator")
        return [text + self.mark for text in texts]


def test_each_text_is_translated_once_in_batches():
    forward, backward = Translator(" x"), Translator(" y")
    back = BackTranslation(forward, backward, batch_size=3)
    assert back(TEXTS) == [text + " x y" for text in TEXTS]
    assert forward.batches == [["a cat", "a dog", "a man"], ["a fish"]]
    assert backward.batches[0] == ["a cat x", "a dog x", "a man x"]
    assert back(["a fish", "a bird"]) == ["a fish x y", "a bird x y"]
    assert forward.batches[2:] == [["a bird"]]


@pytest.mark.parametrize("kind", ["folder", "dict"])
def test_a_broken_run_goes_on_where_it_stopped(tmp_path, kind):
    cache = {} if kind == "dict" else tmp_path / "new" / "translated"
    broken = BackTranslation(Translator(" x"), Translator(" y", "a fish x"), cache, batch_size=2)
    with pytest.raises(ConnectionError):
        broken([*TEXTS[:3], "a 'quoted'\nline", "a fish"])
    forward = Translator(" x")
    again = BackTranslation(forward, Translator(" y"), cache, batch_size=2)
    assert again(TEXTS) == [text + " x y" for text in TEXTS]
    assert forward.batches == [["a fish"]]
    assert again.cache["a 'quoted'\nline"] == "a 'quoted'\nline x y"


def test_what_comes_back_the_same_is_counted():
    results = {"A cat!": "a  cat", "a dog": "the dog", "a man": " "}
    back = BackTranslation(lambda texts: texts, lambda texts: [results[text] for text in texts])
    with pytest.warns(UserWarning, match="2 of 3 back-translations equal their text"):
        assert back(["A cat!", "a dog", "a man"]) == ["a  cat", "the dog", "a man"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert back(["a dog"]) == ["the dog"]


@pytest.mark.parametrize(
    ("forward", "backward", "message"),
    [
        (lambda texts: texts[1:], list, "2 translations.*forward translator. Received: 1 of them"),
        (list, lambda texts: [None, "x"], "backward translator. Received: None for 'a cat'"),
        (lambda texts: "ab", list, "forward translator. Received: one string"),
    ],
)
def test_translators_that_misbehave(forward, backward, message):
    back = BackTranslation(forward, backward)
    with pytest.raises(ValueError, match=message):
        back(["a cat", "a dog"])
    assert len(back.cache) == 0


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ("a cat", "one string"),
        (["a cat", None], "Received: None at position 1"),
        (["a cat", " "], "an empty one at position 1"),
    ],
)
def test_anything_but_sentences(sentences, message):
    with pytest.raises(ValueError, match=message):
        BackTranslation(list, list)(sentences)


def test_no_batch_and_a_damaged_cache(tmp_path):
    with pytest.raises(ValueError, match="batch_size=0"):
        BackTranslation(list, list, batch_size=0)
    (tmp_path / "texts.sqlite3").write_bytes(b"no data base at all" * 100)
    with pytest.raises(ValueError, match="another or a damaged file"):
        BackTranslation(list, list, tmp_path)
