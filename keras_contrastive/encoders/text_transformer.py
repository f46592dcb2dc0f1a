"""A small Transformer that reads token ids."""

import random

import keras
from keras import KerasTensor, ops


def text_transformer(
    vocabulary_size: int = 259,
    max_length: int = 64,
    num_layers: int = 2,
    num_heads: int = 4,
    dim: int = 128,
    hidden_dim: int | None = None,
    dropout: float = 0.0,
    seed: int = 0,
    name: str = "text_transformer",
) -> keras.Model:
    """Build a Transformer with normalisation before each residual, and the mean of its tokens.

    A functional model of stock layers: the saved file opens in plain Keras. Padding, token id 0,
    is neither attended to nor part of the mean. It does not look at ids beyond the vocabulary, with
    which each backend does something else; `fit` of `CLIP` and `SimCSE` refuses arrays of such.

    Args:
        vocabulary_size: Number of token ids; the default is `ByteTokenizer`'s.
        max_length: Number of learned positions, which is the longest text.
        num_layers: Number of Transformer layers, at least 1.
        num_heads: Attention heads a layer; they divide `dim`.
        dim: Dimension D of the hidden states and of the features.
        hidden_dim: Width of the feed-forward networks; `None` for four times `dim`.
        dropout: Share of what each residual branch gives that is dropped in training, 0 to 1.
        seed: Of the dropout.
        name: Name of the model.

    Returns:
        A `keras.Model` from int32 token ids `(N, L)` to float32 features `(N, D)`.

    Raises:
        ValueError: If the heads do not divide the dimension, or there is no layer.

    Example:

    >>> import keras_contrastive as kc
    >>> tokenizer = kc.encoders.ByteTokenizer(max_length=16)
    >>> encoder = kc.encoders.text_transformer(max_length=16, dim=32)
    >>> tuple(encoder(tokenizer(["a cat", "two dogs"])).shape)
    (2, 32)

    Differs from the reference: attention goes both ways, and the mean stands for CLIP's last token.

    Reference:
        Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
        2021, section 2.4.
    """
    if num_layers < 1 or dim % num_heads:
        raise ValueError(
            "Expected at least one layer, and heads that divide `dim`. "
            f"Received: num_layers={num_layers}, num_heads={num_heads}, dim={dim}."
        )
    seeds = random.Random(seed)

    def dropped(x: KerasTensor) -> KerasTensor:
        return keras.layers.Dropout(dropout, seed=seeds.randrange(2**31))(x)

    def normalized(x: KerasTensor, name: str) -> KerasTensor:
        return keras.layers.LayerNormalization(epsilon=1e-5, name=name)(x)

    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    is_token = ops.not_equal(token_ids, 0)  # (N, L)
    positions = ops.cumsum(ops.ones_like(token_ids), axis=1) - 1
    x = keras.layers.Embedding(vocabulary_size, dim, name="tokens")(token_ids)
    x = x + keras.layers.Embedding(max_length, dim, name="positions")(positions)  # (N, L, D)
    for layer in range(1, num_layers + 1):
        y = normalized(x, f"layer{layer}_attention_norm")
        y = keras.layers.MultiHeadAttention(num_heads, dim // num_heads, name=f"layer{layer}_att")(
            y, y, attention_mask=ops.expand_dims(is_token, 1)
        )
        x = x + dropped(y)
        y = normalized(x, f"layer{layer}_mlp_norm")
        y = keras.layers.Dense(hidden_dim or 4 * dim, "gelu", name=f"layer{layer}_hidden")(y)
        x = x + dropped(keras.layers.Dense(dim, name=f"layer{layer}_output")(y))
    x = ops.cast(normalized(x, "norm"), "float32")
    share = ops.cast(ops.expand_dims(is_token, 2), "float32")  # (N, L, 1)
    mean = ops.sum(share * x, axis=1) / ops.maximum(ops.sum(share, axis=1), 1.0)
    return keras.Model(token_ids, mean, name=name)
