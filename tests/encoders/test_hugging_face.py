"""Folders in the layout of Hugging Face: what is read, and what is refused."""

import json
import pickle

import numpy as np
import pytest

from keras_contrastive.encoders import SentenceEncoder
from tests.encoders.tiny_bert import CONFIG, DIM, SENTENCES, random_weights, write_folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "model")


def loaded(folder, **kwargs):
    return SentenceEncoder.from_hugging_face(folder, **kwargs)


def write_json(path, content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def test_names_of_other_savers_are_known(folder):
    """Those of a model that holds a BERT, and TensorFlow's old ones of the normalisation."""
    expected = loaded(folder).encode(SENTENCES, verbose=0)
    renamed = {
        f"bert.{name}".replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): value
        for name, value in random_weights().items()
    }
    write_folder(folder, renamed)
    np.testing.assert_array_equal(loaded(folder).encode(SENTENCES, verbose=0), expected)


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls_before_head"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode": "cls"}, "cls_before_head"),
        ({"pooling_mode": "mean"}, "mean"),
    ],
)
def test_the_pooling_of_sentence_transformers(folder, config, pooling):
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": DIM, **config})
    assert loaded(folder).pooling == pooling
    assert loaded(folder, pooling="first_last_mean").pooling == "first_last_mean"


def test_the_longest_sequence_is_what_the_folder_says(folder):
    assert loaded(folder).tokenizer.max_length == CONFIG["max_position_embeddings"]
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 10})
    assert loaded(folder).tokenizer.max_length == 10
    assert loaded(folder, max_length=7).tokenizer.max_length == 7


def test_a_pickled_file_holds_weights_and_nothing_else(folder):
    torch = pytest.importorskip("torch")
    expected = loaded(folder).encode(SENTENCES, verbose=0)
    (folder / "model.safetensors").unlink()
    path = folder / "pytorch_model.bin"
    torch.save({name: torch.tensor(value) for name, value in random_weights().items()}, path)
    np.testing.assert_array_equal(loaded(folder).encode(SENTENCES, verbose=0), expected)
    path.write_bytes(pickle.dumps({"weight": print}, protocol=2))
    with pytest.raises(ValueError, match="could use to run code"):
        loaded(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", "Expected a folder with config.json"),
        ("vocab.txt", "Expected tokenizer.json or vocab.txt"),
        ("model.safetensors", "Expected model.safetensors or pytorch_model.bin"),
    ],
)
def test_a_missing_file(folder, name, message):
    (folder / name).unlink()
    with pytest.raises(ValueError, match=message):
        loaded(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", "to hold JSON"),
        ("model.safetensors", "a complete .safetensors file"),
        ("tokenizer.json", "Expected the JSON text of a tokenizer"),
    ],
)
def test_a_damaged_file(folder, name, message):
    path = folder / name
    path.write_bytes(path.read_bytes()[:50] if path.exists() else b'{"version": 1}')
    with pytest.raises(ValueError, match=message):
        loaded(folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "roberta"}, "Received: model_type='roberta'"),
        ({"hidden_act": "gelu_new"}, "Received: hidden_act='gelu_new'"),
        ({"num_hidden_layers": 3}, r"with 'encoder.layer.2.*Received: \d+ arrays without it"),
        ({"vocab_size": 20}, r"to fill \(20, 8\). Received: an array of shape \(24, 8\)"),
    ],
)
def test_another_model_than_the_config_says(folder, config, message):
    write_json(folder / "config.json", {**CONFIG, **config})
    with pytest.raises(ValueError, match=message):
        loaded(folder)


def test_parts_of_sentence_transformers_that_are_not_known(folder):
    write_json(folder / "modules.json", [{"type": "sentence_transformers.models.Dense"}])
    with pytest.raises(ValueError, match=r"Received: \['Dense'\]"):
        loaded(folder)
    (folder / "modules.json").unlink()
    write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_max_tokens": True})
    with pytest.raises(ValueError, match="max"):
        loaded(folder)
