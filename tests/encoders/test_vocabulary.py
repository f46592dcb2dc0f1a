"""Token ids that a model does not know."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.encoders import (
    ByteTokenizer,
    SentenceEncoder,
    SubwordTokenizer,
    bert,
    check_token_ids,
    text_transformer,
    vocabulary_size,
)
from tests.encoders.tiny_bert import VOCABULARY

TINY = {"num_layers": 1, "num_heads": 1, "hidden_dim": 4, "intermediate_dim": 4}


def sentence_encoder(vocabulary=30):
    return SentenceEncoder(bert(vocabulary, **TINY), SubwordTokenizer.wordpiece(VOCABULARY))


def test_the_table_that_reads_the_ids_decides():
    """Not those of positions or of token types."""
    assert vocabulary_size(bert(30, max_length=5, **TINY)) == 30
    assert vocabulary_size(text_transformer(31, max_length=5, dim=4)) == 31
    encoder = sentence_encoder(32)
    head = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert vocabulary_size(encoder) == 32
    assert vocabulary_size(encoder.with_head(head)) == 32
    ids = keras.Input((4,), dtype="int32")
    wrapped = keras.layers.Embedding(7, 2)(ops.minimum(ids, 6))
    assert vocabulary_size(keras.Model(ids, wrapped)) is None  # it knows all ids
    images = keras.Input((2, 2, 1))
    assert vocabulary_size(keras.Model(images, keras.layers.Flatten()(images))) is None


def test_ids_within_and_beyond_the_vocabulary():
    model = bert(30, **TINY)
    check_token_ids(np.array([[0, 29]]), model)
    check_token_ids(ops.convert_to_tensor(np.array([[0, 29]])), model)
    check_token_ids(np.zeros((0, 4), "int32"), model)
    for ids, received in (([[3, 30]], "from 3 to 30"), ([[-1, 3]], "from -1 to 3")):
        with pytest.raises(ValueError, match=rf"in 0..29, the vocabulary of 'bert'.*{received}"):
            check_token_ids(np.array(ids), model)


class PositionEmbedding(keras.layers.Layer):
    """As keras-hub's: no stock `Embedding`, and its rows are its `sequence_length`."""

    sequence_length = 6

    def call(self, x):
        return x


def test_rows_longer_than_the_table_of_positions():
    for model in (bert(30, max_length=5, **TINY), text_transformer(30, max_length=5, dim=4)):
        check_token_ids(np.zeros((2, 5), "int32"), model)
        check_token_ids(np.zeros(9, "int32"), model)  # no rows
        with pytest.raises(ValueError, match=r"rows of at most 5 tokens.*Received: 6. Give the"):
            check_token_ids(np.zeros((2, 6), "int32"), model)


def test_what_sets_no_limit_and_what_does():
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(30, 4)(ids)
    without = keras.Model(ids, x)
    relative = keras.Model(ids, x + keras.layers.Embedding(3, 4, name="relative_position")(ids))
    of_keras_hub = keras.Model(ids, PositionEmbedding(name="position_embedding")(x))
    for model in (without, relative):
        check_token_ids(np.zeros((1, 100), "int32"), model)
    with pytest.raises(ValueError, match="at most 6 tokens"):
        check_token_ids(np.zeros((1, 7), "int32"), of_keras_hub)


def test_a_tokenizer_of_more_tokens_than_the_backbone_has_positions():
    backbone = bert(30, max_length=16, **TINY)
    assert SentenceEncoder(backbone, SubwordTokenizer.wordpiece(VOCABULARY, 16)).backbone
    with pytest.raises(ValueError, match=r"max_length of at most 16 tokens.*Received: 17\."):
        SentenceEncoder(backbone, SubwordTokenizer.wordpiece(VOCABULARY, 17))


def test_simcse_refuses_rows_without_positions_in_fit():
    encoder = SentenceEncoder(
        bert(30, max_length=16, **TINY), SubwordTokenizer.wordpiece(VOCABULARY, 16)
    )
    method = kc.SimCSE(encoder)
    method.compile("sgd")
    with pytest.raises(ValueError, match=r"at most 16 tokens.*Received: 17"):
        method.fit(np.full((4, 17), 5, "int32"), verbose=0)


def test_encode_refuses_a_tokenizer_of_another_vocabulary():
    with pytest.raises(ValueError, match=r"in 0..6.*the tokenizer that belongs"):
        sentence_encoder(7).encode(["the cat sits outside"])


def test_simcse_and_clip_refuse_arrays_of_such_ids_in_fit():
    method = kc.SimCSE(sentence_encoder(30))
    method.compile("sgd")
    good, bad = np.full((4, 6), 29, "int32"), np.full((4, 6), 30, "int32")
    for inputs in (bad, (good, bad)):
        with pytest.raises(ValueError, match=r"in 0..29.*from 30 to 30"):
            method.fit(inputs, verbose=0)
    clip = kc.CLIP(
        kc.encoders.small_resnet(input_shape=(8, 8, 1), widths=(4,)),
        text_transformer(30, max_length=8, num_layers=1, num_heads=1, dim=4),
        tokenizer=ByteTokenizer(8),
    )
    clip.compile("sgd")
    images = np.zeros((4, 8, 8, 1), "uint8")
    with pytest.raises(ValueError, match=r"in 0..29, the vocabulary of 'text_transformer'"):
        clip.fit((images, bad), verbose=0)
    with pytest.raises(ValueError, match=r"in 0..29"):
        clip.embed_texts(["a cat"])


@pytest.mark.parametrize("captions", [["a", "", "b", "c"], np.array(["a", " ", "b", "c"])])
def test_clip_refuses_empty_captions_in_fit_and_embeds_them(captions):
    clip = kc.CLIP(
        kc.encoders.small_resnet(input_shape=(8, 8, 1), widths=(4,)),
        text_transformer(max_length=8, num_layers=1, num_heads=1, dim=4),
        tokenizer=ByteTokenizer(8),
    )
    clip.compile("sgd")
    with pytest.raises(ValueError, match=r"caption that is not empty.*position 1. Leave the pair"):
        clip.fit((np.zeros((4, 8, 8, 1), "uint8"), captions), verbose=0)
    assert np.isfinite(clip.embed_texts(captions)).all()
