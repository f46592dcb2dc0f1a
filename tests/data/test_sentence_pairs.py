"""Sentences and their positives: what is paired with what, draws by epoch, and bad lists."""

import numpy as np
import pytest

from keras_contrastive.data import sentence_pairs
from keras_contrastive.encoders import SubwordTokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghij"]
TOKENIZER = SubwordTokenizer.wordpiece(WORDS)
SENTENCES = ["a", "b", "c", "d", "e"]
COPIES = [["a a", "a f"], ["b f"], ["c f", "c g", "c h"], ["d f", "d g"], ["e f"]]


def rows(token_ids):
    return [" ".join(WORDS[i] for i in row if i > 3) for row in np.asarray(token_ids)]


def epochs(batches, number):
    for epoch in range(number):
        batches.epoch = epoch
        yield [tuple(map(rows, batches[i][0])) for i in range(len(batches))]


def test_each_sentence_is_with_its_own_positives_once_an_epoch():
    seen = {}
    for pairs in epochs(sentence_pairs(SENTENCES, COPIES, TOKENIZER, batch_size=2, seed=1), 20):
        anchors = [anchor for part, _ in pairs for anchor in part]
        assert sorted(anchors) == SENTENCES
        for anchor, positive in (pair for part in pairs for pair in zip(*part)):
            seen.setdefault(anchor, set()).add(positive)
    assert seen == {sentence: set(copies) for sentence, copies in zip(SENTENCES, COPIES)}


def test_the_seed_decides_and_shapes_stay():
    first, second = (sentence_pairs(SENTENCES, COPIES, TOKENIZER, batch_size=2) for _ in range(2))
    assert list(epochs(first, 3)) == list(epochs(second, 3))
    assert {batch.shape for batch in first[0][0]} == {(2, 4)}  # of the longest of all


def test_long_sentences_are_cut_with_a_warning():
    with pytest.warns(UserWarning, match="2 of 4 texts are longer than max_length=5"):
        pairs = sentence_pairs(["a " * 10_000, "b"], [["a b"], ["b " * 9]], TOKENIZER, max_length=5)
    assert pairs[0][0][0].shape == (2, 5)


@pytest.mark.parametrize(
    ("sentences", "positives", "message"),
    [
        (["a", "b"], [["a"]], "each of 2 sentences. Received: 1 lists"),
        (["a", "b"], [["a"], []], "2 lists, 1 of them strings or empty"),
        (["a", "b"], ["a", "b"], r"2 of them strings or empty.*fit\(\(sentences, positives\)\)"),
        (["a", ""], [["a"], ["b"]], "sentences that are not empty.*position 1"),
        (["a", "b"], [["a"], ["b", " "]], "positives that are not empty.*position 2"),
        (["a", None], [["a"], ["b"]], "Received: None at position 1"),
        (["a", "b"], [["a"], [None]], "positives as a list of strings. Received: None"),
        ("a", [["a"]], "one string"),
    ],
)
def test_lists_that_do_not_pair(sentences, positives, message):
    with pytest.raises(ValueError, match=message):
        sentence_pairs(sentences, positives, TOKENIZER)
