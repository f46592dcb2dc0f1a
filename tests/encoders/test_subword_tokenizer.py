"""Text to token ids by BERT's rules, and what its folders say of them."""

import json

import pytest

from keras_contrastive.encoders import SubwordTokenizer
from tests.encoders.tiny_bert import SENTENCES, VOCABULARY, write_folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "model")


def write_json(path, content):
    path.write_text(json.dumps(content))


def test_tokens_are_the_longest_pieces_of_lower_case_words():
    tokenizer = SubwordTokenizer.wordpiece(VOCABULARY)
    rows = tokenizer.tokenize(["Playing  the CAFÉ.", "zebra"])
    pieces = [[VOCABULARY[number] for number in row] for row in rows]
    assert pieces[0] == ["[CLS]", "play", "##ing", "the", "cafe", ".", "[SEP]"]
    assert pieces[1] == ["[CLS]", "[UNK]", "[SEP]"]


def test_a_tokenizer_json_says_the_same_as_the_vocabulary(folder):
    plain = SubwordTokenizer.from_folder(folder)
    definition = json.loads(plain.definition)
    definition["truncation"] = {
        "direction": "Right",
        "max_length": 4,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    write_json(folder / "tokenizer.json", definition)  # what it says of lengths does not count
    assert SubwordTokenizer.from_folder(folder).tokenize(SENTENCES) == plain.tokenize(SENTENCES)


def test_case_counts_where_the_folder_says_so(folder):
    write_json(folder / "tokenizer_config.json", {"do_lower_case": False})
    tokenizer = SubwordTokenizer.from_folder(folder)
    assert tokenizer.tokenize(["café", "Café"]) == [[2, VOCABULARY.index("café"), 3], [2, 1, 3]]


def test_a_vocabulary_without_special_tokens():
    with pytest.raises(ValueError, match=r"without \[PAD\], \[UNK\], \[CLS\], \[SEP\]"):
        SubwordTokenizer.wordpiece(["cat", "dog"])
    with pytest.raises(ValueError, match="max_length=2"):
        SubwordTokenizer.wordpiece(VOCABULARY, max_length=2)
