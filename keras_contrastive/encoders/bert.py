"""BERT's encoder of stock Keras layers."""

from collections.abc import Iterator

import keras
import numpy as np
from keras import KerasTensor, ops


def bert(
    vocabulary_size: int = 30522,
    num_layers: int = 12,
    num_heads: int = 12,
    hidden_dim: int = 768,
    intermediate_dim: int = 3072,
    max_length: int = 512,
    num_token_types: int = 2,
    dropout: float = 0.1,
    attention_dropout: float = 0.1,
    activation: str = "gelu",
    epsilon: float = 1e-12,
    padding_id: int = 0,
    seed: int = 0,
    name: str = "bert",
) -> keras.Model:
    """Build the Transformer of BERT: learned positions, normalisation after each residual sum.

    A functional model of stock layers: the saved file opens in plain Keras. It takes one sentence
    a row: every token has the first token type, and tokens equal to `padding_id` are not attended
    to. `keras_contrastive.encoders.SentenceEncoder` pools its outputs.

    Args:
        vocabulary_size: Number of token ids.
        num_layers: Number of Transformer layers, at least 1.
        num_heads: Attention heads a layer; they divide `hidden_dim`.
        hidden_dim: Dimension of the hidden states.
        intermediate_dim: Width of the feed-forward networks.
        max_length: Number of learned positions, which is the longest sequence.
        num_token_types: Rows of the table of token types, of which the first is used.
        dropout: Share of the hidden values that are dropped in training, 0 to 1.
        attention_dropout: The same for attention weights.
        activation: Of the feed-forward networks; "gelu" is the exact one, by the error function.
        epsilon: Of layer normalisation; 1e-12 in BERT.
        padding_id: Token id that fills short rows.
        seed: Of the dropout. Every layer draws from a generator of its own.
        name: Name of the model.

    Returns:
        A `keras.Model` from int32 token ids `(N, T)` to a list of the layers' outputs, `(N, T,
        hidden_dim)` each, the first layer's first.

    Raises:
        ValueError: If the heads do not divide the dimension, or there is no layer.

    Example:

    >>> import numpy as np
    >>> model = bert(100, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=16)
    >>> [tuple(states.shape) for states in model(np.array([[2, 7, 3, 0]]))]
    [(1, 4, 8), (1, 4, 8)]

    Reference:
        Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language
        Understanding", 2019.
    """
    if hidden_dim % num_heads or num_layers < 1:
        raise ValueError(
            f"Expected at least one layer, and heads that divide hidden_dim. Received: "
            f"num_layers={num_layers}, num_heads={num_heads}, hidden_dim={hidden_dim}."
        )
    seeds = _seeds(seed)

    def embedding(rows: int, of: str, index: KerasTensor) -> KerasTensor:
        return keras.layers.Embedding(rows, hidden_dim, _initializer(), name=f"{of}_embedding")(
            index
        )

    def normalized(x: KerasTensor, name: str) -> KerasTensor:
        return keras.layers.LayerNormalization(epsilon=epsilon, name=name)(x)

    def dropped(x: KerasTensor, name: str) -> KerasTensor:
        return keras.layers.Dropout(dropout, seed=next(seeds), name=name)(x)

    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    attended = ops.expand_dims(ops.not_equal(token_ids, padding_id), 1)  # (N, 1, T)
    positions = ops.cumsum(ops.ones_like(token_ids), axis=1) - 1
    x = embedding(vocabulary_size, "token", token_ids)
    x = x + embedding(max_length, "position", positions)
    x = x + embedding(num_token_types, "token_type", ops.zeros_like(token_ids))
    x = dropped(normalized(x, "embedding_norm"), "embedding_dropout")  # (N, T, D)
    outputs = []
    for layer in range(1, num_layers + 1):
        attention = keras.layers.MultiHeadAttention(
            num_heads,
            hidden_dim // num_heads,
            dropout=attention_dropout,
            kernel_initializer=_initializer(),
            seed=next(seeds),
            name=f"layer{layer}_attention",
        )
        y = dropped(attention(x, x, attention_mask=attended), f"layer{layer}_attention_dropout")
        x = normalized(x + y, f"layer{layer}_attention_norm")
        y = keras.layers.Dense(
            intermediate_dim, activation, True, _initializer(), name=f"layer{layer}_intermediate"
        )(x)
        y = keras.layers.Dense(hidden_dim, None, True, _initializer(), name=f"layer{layer}_output")(
            y
        )
        x = normalized(x + dropped(y, f"layer{layer}_output_dropout"), f"layer{layer}_output_norm")
        outputs.append(x)
    return keras.Model(token_ids, outputs, name=name)


def _seeds(seed: int) -> Iterator[int]:
    """Seeds that lie far apart: a generator counts up from its own, and must not meet another."""
    rng = np.random.default_rng(seed)
    while True:
        yield int(rng.integers(2**31))


def _initializer() -> keras.initializers.Initializer:
    return keras.initializers.TruncatedNormal(stddev=0.02)
