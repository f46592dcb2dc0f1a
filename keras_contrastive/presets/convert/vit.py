"""Vision transformers under timm's names: those of DINO, MAE and MoCo v3 as well."""

import math
import re
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_contrastive.encoders import vit
from keras_contrastive.encoders.blocks import channel_axis
from keras_contrastive.presets.convert.keys import check_keys

Arrays = Mapping[str, np.ndarray]


def is_vit(names: Sequence[str] | Arrays) -> bool:
    """Whether these are names of timm's vision transformers."""
    return {"patch_embed.proj.weight", "pos_embed", "blocks.0.mlp.fc1.weight"} <= set(names)


def vit_from_torch(
    arrays: Arrays,
    image_size: int | None,
    normalization: tuple[Sequence[float], Sequence[float]],
    num_heads: int | None,
) -> keras.Model:
    """Build the vision transformer that the keys and shapes tell, with these weights.

    Args:
        arrays: Name of timm -> array.
        image_size: Height and width of the images; must be those of the position embeddings.
        normalization: Mean and standard deviation of each channel.
        num_heads: Attention heads of each block.

    Raises:
        ValueError: On keys that do not fit, on an unknown number of heads, and on another size.
    """
    dim, channels, patch, _ = arrays["patch_embed.proj.weight"].shape
    tokens, hidden = arrays["pos_embed"].shape[1], arrays["blocks.0.mlp.fc1.weight"].shape[0]
    depth = len({m[1] for name in arrays if (m := re.match(r"blocks\.(\d+)\.", name))})
    shapes = _shapes(dim, channels, patch, tokens, hidden, depth)
    what = f"a vision transformer with {depth} blocks"
    check_keys({name: array.shape for name, array in arrays.items()}, shapes, what)
    if num_heads is None:
        raise ValueError(
            f"Expected the number of attention heads, which the keys of a vision transformer do "
            f"not tell. Received: num_heads=None for {dim} features. Pass num_heads=... (on the "
            f"command line, --num-heads)."
        )
    size = patch * math.isqrt(tokens - 1)
    if image_size not in (None, size):
        raise ValueError(
            f"Expected image_size={size}, for which this network has position embeddings. "
            f"Received: image_size={image_size}. Resize the images."
        )
    model = vit(
        (size, size, channels) if channel_axis() == -1 else (channels, size, size),
        patch,
        dim,
        depth,
        num_heads,
        hidden / dim,
        *normalization,
    )
    _assign(model, arrays, depth, num_heads)
    return model


def _shapes(
    dim: int, channels: int, patch: int, tokens: int, hidden: int, depth: int
) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, dim),
        "pos_embed": (1, tokens, dim),
        "patch_embed.proj.weight": (dim, channels, patch, patch),
        "patch_embed.proj.bias": (dim,),
        "norm.weight": (dim,),
        "norm.bias": (dim,),
    }
    block: dict[str, tuple[int, ...]] = {
        "attn.qkv.weight": (3 * dim, dim),
        "attn.qkv.bias": (3 * dim,),
        "attn.proj.weight": (dim, dim),
        "attn.proj.bias": (dim,),
        "mlp.fc1.weight": (hidden, dim),
        "mlp.fc1.bias": (hidden,),
        "mlp.fc2.weight": (dim, hidden),
        "mlp.fc2.bias": (dim,),
        **{f"norm{i}.{name}": (dim,) for i in (1, 2) for name in ("weight", "bias")},
    }
    return shapes | {f"blocks.{i}.{k}": shape for i in range(depth) for k, shape in block.items()}


def _assign(model: keras.Model, arrays: Arrays, depth: int, num_heads: int) -> None:
    kernel = arrays["patch_embed.proj.weight"].transpose(2, 3, 1, 0)  # (row, column, channel, D)
    tokens = arrays["pos_embed"][0].copy()
    tokens[0] += arrays["cls_token"][0, 0]
    tokens[1:] += arrays["patch_embed.proj.bias"]
    model.get_layer("tokens").set_weights([kernel.reshape(-1, kernel.shape[-1]), tokens])
    _set_norm(model, "norm", arrays, "norm")
    for i in range(depth):
        ours, theirs = f"block{i + 1}", f"blocks.{i}"
        for norm in ("norm1", "norm2"):
            _set_norm(model, f"{ours}_{norm}", arrays, f"{theirs}.{norm}")
        for layer in ("fc1", "fc2"):
            weight = arrays[f"{theirs}.mlp.{layer}.weight"]
            bias = arrays[f"{theirs}.mlp.{layer}.bias"]
            model.get_layer(f"{ours}_{layer}").set_weights([weight.T, bias])
        names = ("qkv.weight", "qkv.bias", "proj.weight", "proj.bias")
        parts = [arrays[f"{theirs}.attn.{name}"] for name in names]
        weights = attention_weights(num_heads, *parts)
        model.get_layer(f"{ours}_attention").set_weights(weights)


def _set_norm(model: keras.Model, layer: str, arrays: Arrays, name: str) -> None:
    model.get_layer(layer).set_weights([arrays[f"{name}.weight"], arrays[f"{name}.bias"]])


def attention_weights(
    heads: int, weight: np.ndarray, bias: np.ndarray, out_weight: np.ndarray, out_bias: np.ndarray
) -> list[np.ndarray]:
    """Kernel and bias of query, key, value and output, in Keras's order and shapes.

    Args:
        heads: Number of heads.
        weight: Of query, key and value together, `(3 D, D)`.
        bias: Of the three, `(3 D,)`.
        out_weight: Of the output, `(D, D)`.
        out_bias: Of the output, `(D,)`.

    Returns:
        Eight arrays, for `keras.layers.MultiHeadAttention.set_weights`.
    """
    dim = weight.shape[1]
    weights = []
    for part, offset in zip(np.split(weight, 3), np.split(bias, 3)):
        weights += [part.T.reshape(dim, heads, -1), offset.reshape(heads, -1)]
    return [*weights, out_weight.T.reshape(heads, -1, dim), out_bias]
