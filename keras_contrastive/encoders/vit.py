"""A vision transformer of stock layers."""

from collections.abc import Sequence

import keras
from keras import KerasTensor, layers

from keras_contrastive.encoders import blocks


def vit(
    input_shape: Sequence[int] = (224, 224, 3),
    patch_size: int = 16,
    dim: int = 384,
    depth: int = 12,
    num_heads: int = 6,
    mlp_ratio: float = 4.0,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    name: str = "vit",
) -> keras.Model:
    """Build a vision transformer that maps images to the features of its class token.

    A functional model of stock layers: the saved file opens in plain Keras. One layer, `tokens`,
    projects the patches and has a bias for each position; that of the first, whose patch is
    zero, is the class token. So the image size is fixed. The defaults are those of ViT-S/16;
    ViT-B/16 is `dim=768, num_heads=12`.

    Args:
        input_shape: Shape of one image, `(height, width, channels)` (channels first where
            `keras.config.image_data_format()` says so). Both sizes are multiples of `patch_size`.
        patch_size: Height and width of a patch.
        dim: Dimension of the tokens, a multiple of `num_heads`.
        depth: Number of blocks.
        num_heads: Attention heads of each block.
        mlp_ratio: Width of the hidden layer of each block, in multiples of `dim`.
        mean: Mean of each channel in [0, 1], subtracted inside the model. Default: ImageNet's
            for three channels, else 0.5.
        std: Standard deviation of each channel, divided by inside the model. Default: ImageNet's
            for three channels, else 0.5.
        name: Name of the model.

    Returns:
        A `keras.Model` from float images in [0, 1] to float32 features `(N, dim)`.

    Raises:
        ValueError: On sizes that do not divide.

    Example:

    >>> vit(input_shape=(32, 32, 3), patch_size=8, dim=48, depth=2, num_heads=3).output_shape
    (None, 48)

    Reference:
        Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021.
    """
    inputs, x = blocks.image_input(input_shape, mean, std)
    last = blocks.channel_axis() == -1
    height, width, channels = x.shape[1:] if last else (*x.shape[2:], x.shape[1])
    if None in (height, width) or height % patch_size or width % patch_size or dim % num_heads:
        raise ValueError(
            f"Expected known sizes that are multiples of patch_size, and dim a multiple of "
            f"num_heads. Received: input_shape={tuple(input_shape)}, patch_size={patch_size}, "
            f"dim={dim}, num_heads={num_heads}."
        )
    grid = (height // patch_size, patch_size, width // patch_size, patch_size)
    num_patches = grid[0] * grid[2]
    x = _patches(x, grid, channels, last)  # (N, P, pixels)
    x = layers.ZeroPadding1D((1, 0), data_format="channels_last", name="class_token")(x)
    x = layers.EinsumDense(
        "ntp,pd->ntd",
        output_shape=(num_patches + 1, dim),
        bias_axes="td",
        kernel_initializer=_start(),
        bias_initializer=_start(),
        name="tokens",
    )(x)  # (N, 1 + P, D)
    for index in range(1, depth + 1):
        x = _block(x, dim, num_heads, round(dim * mlp_ratio), f"block{index}")
    x = layers.LayerNormalization(epsilon=1e-6, dtype="float32", name="norm")(x)
    x = layers.Cropping1D((0, num_patches), dtype="float32", name="first_token")(x)
    return keras.Model(
        inputs, layers.Reshape((dim,), dtype="float32", name="features")(x), name=name
    )


def _patches(x: KerasTensor, grid: tuple[int, ...], channels: int, last: bool) -> KerasTensor:
    """Pixels of each patch in the order row, column, channel: `(N, P, pixels)`."""
    if last:
        x = layers.Reshape((*grid, channels), name="patch_grid")(x)
        x = layers.Permute((1, 3, 2, 4, 5), name="patch_order")(x)
    else:
        x = layers.Reshape((channels, *grid), name="patch_grid")(x)
        x = layers.Permute((2, 4, 3, 5, 1), name="patch_order")(x)
    return layers.Reshape((grid[0] * grid[2], -1), name="patches")(x)


def _block(x: KerasTensor, dim: int, num_heads: int, hidden: int, name: str) -> KerasTensor:
    """Attention, then two dense layers, each on normalised tokens beside a shortcut."""
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm1")(x)
    y = layers.MultiHeadAttention(
        num_heads, dim // num_heads, kernel_initializer=_start(), name=f"{name}_attention"
    )(y, y)
    x = layers.Add(name=f"{name}_add1")([x, y])
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm2")(x)
    y = layers.Dense(hidden, kernel_initializer=_start(), name=f"{name}_fc1")(y)
    y = layers.Activation("gelu", name=f"{name}_gelu")(y)
    y = layers.Dense(dim, kernel_initializer=_start(), name=f"{name}_fc2")(y)
    return layers.Add(name=f"{name}_add2")([x, y])


def _start() -> keras.initializers.Initializer:
    return keras.initializers.TruncatedNormal(stddev=0.02)
