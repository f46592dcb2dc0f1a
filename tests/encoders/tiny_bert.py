"""A random BERT of two layers as a folder in the layout of Hugging Face, and in plain NumPy."""

import json

import numpy as np
from scipy.special import erf

WORDS = ["a", "the", "cat", "dog", "man", "woman", "plays", "sleeps", "sits", "eats", "guitar"]
WORDS += ["outside", "inside", "not", "##ing", "play"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "café", "cafe", "."]
LAYERS, HEADS, DIM, WIDTH, POSITIONS = 2, 2, 8, 16, 24
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "vocab_size": len(VOCABULARY),
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "hidden_size": DIM,
    "intermediate_size": WIDTH,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "pad_token_id": 0,
}
SENTENCES = [
    "The cat sleeps.",
    "a dog plays guitar outside",
    "woman",
    "",
    "the man sits not inside",
]


def random_weights(seed=0):
    """Arrays by Hugging Face's names, as `BertModel` saves them."""
    rng = np.random.default_rng(seed)
    weights = {}

    def table(name, *shape):
        weights[name] = rng.normal(0, 0.5, shape).astype("float32")

    def dense(name, inputs, outputs):
        table(f"{name}.weight", outputs, inputs)
        table(f"{name}.bias", outputs)

    def norm(name):
        table(f"{name}.weight", DIM)
        table(f"{name}.bias", DIM)

    rows = {"word": len(VOCABULARY), "position": POSITIONS, "token_type": 2}
    for kind, number in rows.items():
        table(f"embeddings.{kind}_embeddings.weight", number, DIM)
    norm("embeddings.LayerNorm")
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{layer}.attention.{part}", DIM, DIM)
        norm(f"{layer}.attention.output.LayerNorm")
        dense(f"{layer}.intermediate.dense", DIM, WIDTH)
        dense(f"{layer}.output.dense", WIDTH, DIM)
        norm(f"{layer}.output.LayerNorm")
    dense("pooler.dense", DIM, DIM)
    return weights


def write_folder(folder, weights=None, **config):
    """The folder as `save_pretrained` writes it, with `vocab.txt` for a tokenizer."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}))
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf8")
    save_file(weights or random_weights(), folder / "model.safetensors")
    return folder


def hidden_states(token_ids, weights):
    """What each layer gives for one sentence's ids, `(T, DIM)` each, in float64."""

    def dense(x, name):
        return x @ weights[f"{name}.weight"].T.astype("float64") + weights[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(axis=1, keepdims=True)
        unit = centred / np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + 1e-12)
        return unit * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    tables = [weights[f"embeddings.{kind}_embeddings.weight"].astype("float64") for kind in ROWS]
    x = tables[0][token_ids] + tables[1][: len(token_ids)] + tables[2][0]
    x = norm(x, "embeddings.LayerNorm")
    states = []
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        query, key, value = (
            dense(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value")
        )
        heads = []
        for head in np.split(np.arange(DIM), HEADS):
            scores = query[:, head] @ key[:, head].T / np.sqrt(DIM // HEADS)
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            heads.append(shares / shares.sum(axis=1, keepdims=True) @ value[:, head])
        attended = dense(np.concatenate(heads, axis=1), f"{layer}.attention.output.dense")
        x = norm(x + attended, f"{layer}.attention.output.LayerNorm")
        y = dense(x, f"{layer}.intermediate.dense")
        y = y * (1 + erf(y / np.sqrt(2))) / 2
        x = norm(x + dense(y, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        states.append(x)
    return states


ROWS = ("word", "position", "token_type")


def vector(token_ids, weights, pooling):
    """The sentence vector, `(DIM,)`."""
    first, last = hidden_states(token_ids, weights)
    if pooling == "mean":
        return last.mean(axis=0)
    if pooling == "first_last_mean":
        return (first + last).mean(axis=0) / 2
    if pooling == "cls_before_head":
        return last[0]
    kernel, bias = weights["pooler.dense.weight"], weights["pooler.dense.bias"]
    return np.tanh(last[0] @ kernel.T + bias)
