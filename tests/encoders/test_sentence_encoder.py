"""The sentence encoder: BERT's formulas, the readout, the file, and what comes in wrong."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.encoders import SentenceEncoder, SubwordTokenizer, bert
from keras_contrastive.encoders.sentence_encoder import POOLINGS, _length_of_batch
from tests.encoders.tiny_bert import (
    DIM,
    SENTENCES,
    VOCABULARY,
    random_weights,
    vector,
    write_folder,
)
from tests.plain_keras import outputs_in_plain_keras


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "model")


def loaded(folder, **kwargs):
    return SentenceEncoder.from_hugging_face(folder, **kwargs)


def write_json(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


# -- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
def test_vectors_are_those_of_the_formulas(folder, pooling):
    encoder = loaded(folder, pooling=pooling)
    vectors = encoder.encode(SENTENCES, batch_size=2, verbose=0)
    assert vectors.dtype == "float32"
    for got, token_ids in zip(vectors, encoder.tokenizer.tokenize(SENTENCES), strict=True):
        expected = vector(token_ids, random_weights(), pooling)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_a_sentence_has_the_same_vector_in_any_company(folder):
    encoder = loaded(folder)
    together = encoder.encode(SENTENCES, batch_size=5, verbose=0)
    apart = np.concatenate([encoder.encode([text]) for text in SENTENCES])
    np.testing.assert_allclose(together, apart, rtol=1e-4, atol=1e-5)


def test_similarity_is_the_cosine_of_each_with_each(folder):
    encoder = loaded(folder)
    x, y = (encoder.encode(part, verbose=0) for part in (SENTENCES[:2], SENTENCES[2:]))
    lengths = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(y, axis=1)
    got = encoder.similarity(SENTENCES[:2], y)
    np.testing.assert_allclose(got, x @ y.T / lengths, rtol=1e-4, atol=1e-5)


def test_unit_length_is_what_modules_json_asks_for(folder):
    write_json(
        folder / "modules.json",
        [{"type": f"sentence_transformers.models.{kind}"} for kind in ("Transformer", "Normalize")],
    )
    vectors = loaded(folder).encode(SENTENCES, verbose=0)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_every_sentence_drops_other_values():
    """One sentence twice in a batch, and in two batches: no mask comes again."""
    encoder = bert(10, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=16)
    token_ids = np.tile([[2, 5, 6, 3]], (3, 1))
    rows = np.concatenate(
        [ops.convert_to_numpy(encoder(token_ids, training=True)[-1]) for _ in range(2)]
    ).reshape(6, -1)
    apart = np.abs(rows[:, None] - rows[None]).max(axis=2)
    assert apart[~np.eye(6, dtype=bool)].min() > 1e-3
    still = ops.convert_to_numpy(encoder(token_ids)[-1]).reshape(3, -1)
    np.testing.assert_allclose(still[0], still[1], atol=1e-6)


def test_layers_of_a_bert_have_seeds_that_lie_apart():
    model = bert(10, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=16)
    seeds = sorted(layer.seed for layer in model.layers if getattr(layer, "seed", None) is not None)
    assert len(seeds) == 1 + 2 * 3
    assert min(np.diff(seeds)) > 10**5


def test_mixed_precision_gives_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        backbone = bert(len(VOCABULARY), 2, 2, 8, 16)
        encoder = SentenceEncoder(backbone, SubwordTokenizer.wordpiece(VOCABULARY))
        vectors = encoder.encode(SENTENCES, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert backbone.get_layer("layer1_attention").compute_dtype == "bfloat16"
    assert vectors.dtype == "float32"
    assert np.isfinite(vectors).all()


def test_lengths_of_batches_are_few_and_little_longer():
    lengths = np.arange(2, 513)
    rounded = np.array([_length_of_batch(int(length)) for length in lengths])
    if keras.backend.backend() == "torch":
        np.testing.assert_array_equal(rounded, lengths)
        return
    assert (rounded >= lengths).all()
    assert (rounded - lengths <= np.maximum(7, lengths / 4)).all()
    assert len(set(rounded)) <= 20


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_saved_encoder_gives_the_same_vectors(folder, tmp_path, pooling):
    encoder = loaded(folder, pooling=pooling, max_length=12, normalize=True)
    encoder.save(tmp_path / "sentences.keras")
    again = keras.saving.load_model(tmp_path / "sentences.keras")
    assert isinstance(again, SentenceEncoder)
    assert again.tokenizer.get_config() == encoder.tokenizer.get_config()
    assert (again.pooling, again.normalize) == (pooling, True)
    first, second = (each.encode(SENTENCES, verbose=0) for each in (encoder, again))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("frozen", ["encoder", "attention"])
def test_what_is_frozen_is_frozen_in_its_file(folder, tmp_path, frozen):
    encoder = loaded(folder)
    part = encoder if frozen == "encoder" else encoder.backbone.get_layer("layer1_attention")
    part.trainable = False
    encoder.save(tmp_path / "sentences.keras")
    again = keras.saving.load_model(tmp_path / "sentences.keras")
    trainable = [[v.trainable for v in each.weights] for each in (encoder, again)]
    assert trainable[0] == trainable[1]
    assert not all(trainable[0])


def test_its_backbone_opens_in_plain_keras(folder, tmp_path):
    backbone, token_ids = loaded(folder).backbone, np.array([[2, 6, 7, 3, 0]])
    found = outputs_in_plain_keras(backbone, token_ids, tmp_path)
    expected = ops.convert_to_numpy(backbone(token_ids)[-1])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_head_that_was_trained_elsewhere_joins(folder):
    encoder = loaded(folder, pooling="cls_before_head")
    head = keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(3, "tanh")])
    vectors = encoder.encode(SENTENCES, verbose=0)
    got = encoder.with_head(head).encode(SENTENCES, verbose=0)
    np.testing.assert_allclose(got, ops.convert_to_numpy(head(vectors)), rtol=1e-4, atol=1e-5)


# -- what comes in wrong --------------------------------------------------------------------------


def test_an_empty_sentence_and_no_sentence(folder):
    encoder = loaded(folder)
    assert encoder.tokenizer.tokenize([""]) == [[2, 3]]
    assert np.isfinite(encoder.encode([""])).all()
    assert encoder.encode([]).shape == (0, DIM)


def test_ten_thousand_words_lose_their_end_with_a_warning(folder):
    encoder = loaded(folder)
    with pytest.warns(UserWarning, match=r"1 of 2 texts are longer than max_length=24"):
        long, _ = encoder.encode(["cat " * 10_000, "dog"])
    np.testing.assert_allclose(long, encoder.encode(["cat " * 22])[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        (["a cat", None], r"Received: None at position 1"),
        ([3.5], r"Received: 3.5 at position 0"),
        ("a cat", r"Received: one string. Put it in a list"),
        (iter(["a cat"]), r"Received: list_iterator. Make a list of it"),
        ({"a cat": 1}, r"Received: dict"),
        ({"a cat"}, r"Received: set"),
        (None, r"Received: NoneType"),
        (np.array("a cat"), r"Received: ndarray"),
        ([None], r"Received: None at position 0"),
    ],
)
def test_anything_but_a_list_of_strings(folder, sentences, message):
    with pytest.raises(ValueError, match=message):
        loaded(folder).encode(sentences)


def test_tuples_and_arrays_of_strings_are_as_lists(folder):
    encoder = loaded(folder)
    expected = encoder.encode(SENTENCES, verbose=0)
    for sentences in (tuple(SENTENCES), np.array(SENTENCES)):
        np.testing.assert_array_equal(encoder.encode(sentences, verbose=0), expected)


def test_a_batch_of_none(folder):
    with pytest.raises(ValueError, match="batch_size=0"):
        loaded(folder).encode(SENTENCES, batch_size=0)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"pooling": "max"}, "Expected pooling to be one of"),
        ({"pooling": "cls"}, "Expected a head with pooling 'cls'"),
        ({"head": keras.layers.Identity()}, "Expected a head with pooling 'cls'"),
    ],
)
def test_a_pooling_that_cannot_be(kwargs, message):
    backbone = bert(len(VOCABULARY), 1, 2, 8, 16)
    with pytest.raises(ValueError, match=message):
        SentenceEncoder(backbone, SubwordTokenizer.wordpiece(VOCABULARY), **kwargs)


def test_first_and_last_layer_of_a_backbone_with_one_output():
    inputs = keras.Input((None,), dtype="int32")
    backbone = keras.Model(inputs, keras.layers.Embedding(len(VOCABULARY), 4)(inputs))
    tokenizer = SubwordTokenizer.wordpiece(VOCABULARY)
    assert SentenceEncoder(backbone, tokenizer).encode(["cat"]).shape == (1, 4)
    with pytest.raises(ValueError, match="Received: those of one"):
        SentenceEncoder(backbone, tokenizer, "first_last_mean")
    flat = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(backbone.output))
    with pytest.raises(ValueError, match="hidden states"):
        SentenceEncoder(flat, tokenizer)


def test_heads_that_do_not_divide_the_dimension():
    with pytest.raises(ValueError, match="num_heads=3"):
        bert(10, num_layers=1, num_heads=3, hidden_dim=8)
