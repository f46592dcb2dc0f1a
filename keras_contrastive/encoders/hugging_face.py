"""BERT weights from a local folder in the layout of Hugging Face."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_contrastive.encoders.bert import bert
from keras_contrastive.encoders.tensor_files import read_tensors

Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class SentenceParts:
    """What a folder says of a sentence encoder.

    Args:
        backbone: Its Transformer, with the folder's weights.
        head: The dense tanh layer on the first token; `None` where the folder has none.
        pooling: As in `SentenceEncoder`.
        normalize: Whether vectors have unit length.
        max_length: Tokens of the longest sequence.
    """

    backbone: keras.Model
    head: keras.Model | None
    pooling: str
    normalize: bool
    max_length: int


def read_folder(folder: Path) -> SentenceParts:
    """Build a BERT and what stands around it from a folder.

    Args:
        folder: As in `SentenceEncoder.from_hugging_face`.

    Returns:
        The `SentenceParts`.

    Raises:
        ValueError: As in `SentenceEncoder.from_hugging_face`.
    """
    config = _read_json(folder / "config.json")
    if config is None:
        raise ValueError(
            f"Expected a folder with config.json. Received: {folder}, without it. Give the folder "
            "that a model of Hugging Face was saved to or downloaded into."
        )
    _check_config(config)
    weights = _named_as_bert(_read_weights(folder))
    backbone = bert(
        vocabulary_size=config["vocab_size"],
        num_layers=config["num_hidden_layers"],
        num_heads=config["num_attention_heads"],
        hidden_dim=config["hidden_size"],
        intermediate_dim=config["intermediate_size"],
        max_length=config["max_position_embeddings"],
        num_token_types=config.get("type_vocab_size", 2),
        dropout=config.get("hidden_dropout_prob", 0.1),
        attention_dropout=config.get("attention_probs_dropout_prob", 0.1),
        epsilon=config.get("layer_norm_eps", 1e-12),
        padding_id=config.get("pad_token_id") or 0,
    )
    for name, variable in _variables(backbone):
        _assign(variable, name, weights)
    head = None
    if "pooler.dense.weight" in weights:
        dim = config["hidden_size"]
        dense = keras.layers.Dense(dim, activation="tanh", name="dense")
        head = keras.Sequential([keras.Input((dim,)), dense], name="head")
        for name, variable in _dense("pooler.dense", dense):
            _assign(variable, name, weights)
    length = (_read_json(folder / "sentence_bert_config.json") or {}).get("max_seq_length")
    return SentenceParts(
        backbone,
        head,
        _pooling(folder),
        "Normalize" in _modules(folder),
        min(length or config["max_position_embeddings"], config["max_position_embeddings"]),
    )


def _check_config(config: Mapping[str, Any]) -> None:
    """Refuses what `bert` would compute otherwise."""
    expected = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "is_decoder": False,
    }
    for key, value in expected.items():
        if config.get(key, value) != value:
            raise ValueError(
                f"Expected a BERT with {key}={value!r} in config.json. "
                f"Received: {key}={config[key]!r}."
            )


def _variables(backbone: keras.Model) -> Iterator[tuple[str, keras.Variable]]:
    """Hugging Face's name of each variable."""
    for kind, name in (("token", "word"), ("position", "position"), ("token_type", "token_type")):
        table = backbone.get_layer(f"{kind}_embedding").embeddings
        yield f"embeddings.{name}_embeddings.weight", table
    yield from _norm("embeddings.LayerNorm", backbone.get_layer("embedding_norm"))
    num_layers = len(backbone.outputs)
    for layer in range(num_layers):
        theirs, ours = f"encoder.layer.{layer}", f"layer{layer + 1}"
        attention = backbone.get_layer(f"{ours}_attention")
        yield from _dense(f"{theirs}.attention.self.query", attention.query_dense)
        yield from _dense(f"{theirs}.attention.self.key", attention.key_dense)
        yield from _dense(f"{theirs}.attention.self.value", attention.value_dense)
        yield from _dense(f"{theirs}.attention.output.dense", attention.output_dense)
        norm = backbone.get_layer(f"{ours}_attention_norm")
        yield from _norm(f"{theirs}.attention.output.LayerNorm", norm)
        intermediate = backbone.get_layer(f"{ours}_intermediate")
        yield from _dense(f"{theirs}.intermediate.dense", intermediate)
        yield from _dense(f"{theirs}.output.dense", backbone.get_layer(f"{ours}_output"))
        norm = backbone.get_layer(f"{ours}_output_norm")
        yield from _norm(f"{theirs}.output.LayerNorm", norm)


def _dense(name: str, layer: keras.Layer) -> Iterator[tuple[str, keras.Variable]]:
    yield f"{name}.weight", layer.kernel
    yield f"{name}.bias", layer.bias


def _norm(name: str, layer: keras.Layer) -> Iterator[tuple[str, keras.Variable]]:
    yield f"{name}.weight", layer.gamma
    yield f"{name}.bias", layer.beta


def _assign(variable: keras.Variable, name: str, weights: Weights) -> None:
    if name not in weights:
        raise ValueError(
            f"Expected weights of a BERT with {name!r}. Received: {len(weights)} arrays without "
            "it. The file belongs to another config.json, or to another architecture."
        )
    value = weights[name]
    if name.endswith("weight") and "embeddings." not in name and value.ndim == 2:
        value = value.T  # a dense layer's, stored (out, in)
    if value.size != np.prod(variable.shape):
        raise ValueError(
            f"Expected {name!r} to fill {tuple(variable.shape)}. Received: an array of shape "
            f"{weights[name].shape}. The file belongs to another config.json."
        )
    variable.assign(value.reshape(variable.shape))  # heads are a dimension of their own here


def _named_as_bert(weights: Weights) -> Weights:
    """Names without the prefix of models that hold a BERT, and without TensorFlow's old ones."""

    def renamed(name: str) -> str:
        name = name.removeprefix("bert.")
        return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
            "LayerNorm.beta", "LayerNorm.bias"
        )

    return {renamed(name): value for name, value in weights.items()}


def _read_weights(folder: Path) -> Weights:
    for name in ("model.safetensors", "pytorch_model.bin"):
        if (folder / name).is_file():
            return read_tensors(folder / name)
    raise ValueError(
        f"Expected model.safetensors or pytorch_model.bin in {folder}. "
        f"Received: {sorted(path.name for path in folder.glob('*'))}."
    )


def _pooling(folder: Path) -> str:
    """The pooling that sentence-transformers has written down; the mean where it has not."""
    config = _read_json(folder / "1_Pooling" / "config.json")
    if config is None:
        return "mean"
    known = {"cls": "cls_before_head", "cls_token": "cls_before_head"}
    known |= {"mean": "mean", "mean_tokens": "mean"}
    switches = {key: value for key, value in config.items() if key.startswith("pooling_mode_")}
    modes = [key.removeprefix("pooling_mode_") for key, on in switches.items() if on]
    modes += [config["pooling_mode"]] if "pooling_mode" in config else []  # newer ones name it
    if len(modes) != 1 or modes[0] not in known:
        raise ValueError(
            f"Expected one pooling of {sorted(known)} in 1_Pooling/config.json. Received: {modes}."
        )
    return known[modes[0]]


def _modules(folder: Path) -> set[str]:
    """Kinds of the modules that sentence-transformers has written down."""
    modules = _read_json(folder / "modules.json") or []
    kinds = {module["type"].rsplit(".", 1)[-1] for module in modules}
    unknown = kinds - {"Transformer", "Pooling", "Normalize"}
    if unknown:
        raise ValueError(
            f"Expected a Transformer, Pooling and Normalize in modules.json. "
            f"Received: {sorted(unknown)}."
        )
    return kinds


def _read_json(path: Path) -> Any:
    """What a file holds; `None` where there is no such file."""
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(
            f"Expected {path} to hold JSON. Received: {error}. If it is damaged, copy it again."
        ) from None
