"""ResNet-18, -34 and -50, version 1.5, without a classifier."""

from collections.abc import Callable, Sequence

import keras

from keras_contrastive.encoders import blocks


def resnet18(
    input_shape: Sequence[int | None] = (224, 224, 3),
    stem: str = "imagenet",
    width: float = 1.0,
    zero_init_residual: bool = True,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    name: str = "resnet18",
) -> keras.Model:
    """Build a ResNet-18 that maps images to pooled features.

    A functional model of stock layers: the saved file opens in plain Keras.

    Args:
        input_shape: Shape of one image, `(height, width, channels)` (channels first where
            `keras.config.image_data_format()` says so). The sizes may be `None`.
        stem: `"imagenet"` (7x7 convolution with stride 2, then a 3x3 max pooling with stride 2)
            or `"small"` (3x3 with stride 1, no pooling), which suits images of 32 pixels.
        width: Factor on every layer's number of filters, positive.
        zero_init_residual: Start the last scale of every block at zero, so that each block
            begins as its shortcut.
        mean: Mean of each channel in [0, 1], subtracted inside the model. Default: ImageNet's
            for three channels, else 0.5.
        std: Standard deviation of each channel, divided by inside the model. Default: ImageNet's
            for three channels, else 0.5.
        name: Name of the model.

    Returns:
        A `keras.Model` from float images in [0, 1] to float32 features `(N, 512 * width)`.

    Raises:
        ValueError: On an unknown stem, or a shape, mean or std that does not fit.

    Example:

    >>> encoder = resnet18(input_shape=(32, 32, 3), stem="small")
    >>> encoder.output_shape
    (None, 512)

    Reference:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; the initial zero of
        each block: Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 5.1.
    """
    return _resnet(
        blocks.basic_block,
        (2, 2, 2, 2),
        input_shape,
        stem,
        width,
        zero_init_residual,
        mean,
        std,
        name,
    )


def resnet34(
    input_shape: Sequence[int | None] = (224, 224, 3),
    stem: str = "imagenet",
    width: float = 1.0,
    zero_init_residual: bool = True,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    name: str = "resnet34",
) -> keras.Model:
    """Build a ResNet-34 that maps images to pooled features.

    Args:
        input_shape: As for `resnet18`.
        stem: As for `resnet18`.
        width: As for `resnet18`.
        zero_init_residual: As for `resnet18`.
        mean: As for `resnet18`.
        std: As for `resnet18`.
        name: Name of the model.

    Returns:
        A `keras.Model` from float images in [0, 1] to float32 features `(N, 512 * width)`.

    Raises:
        ValueError: On an unknown stem, or a shape, mean or std that does not fit.

    Example:

    >>> resnet34(input_shape=(32, 32, 3), stem="small", width=0.25).output_shape
    (None, 128)

    Reference:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """
    return _resnet(
        blocks.basic_block,
        (3, 4, 6, 3),
        input_shape,
        stem,
        width,
        zero_init_residual,
        mean,
        std,
        name,
    )


def resnet50(
    input_shape: Sequence[int | None] = (224, 224, 3),
    stem: str = "imagenet",
    width: float = 1.0,
    zero_init_residual: bool = True,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    name: str = "resnet50",
) -> keras.Model:
    """Build a ResNet-50, version 1.5 (the stride is in the 3x3 convolution).

    Args:
        input_shape: As for `resnet18`.
        stem: As for `resnet18`.
        width: As for `resnet18`.
        zero_init_residual: As for `resnet18`.
        mean: As for `resnet18`.
        std: As for `resnet18`.
        name: Name of the model.

    Returns:
        A `keras.Model` from float images in [0, 1] to float32 features `(N, 2048 * width)`.

    Raises:
        ValueError: On an unknown stem, or a shape, mean or std that does not fit.

    Example:

    >>> resnet50(input_shape=(32, 32, 3), stem="small", width=0.125).output_shape
    (None, 256)

    Reference:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """
    return _resnet(
        blocks.bottleneck_block,
        (3, 4, 6, 3),
        input_shape,
        stem,
        width,
        zero_init_residual,
        mean,
        std,
        name,
    )


def _resnet(
    block: Callable,
    depths: Sequence[int],
    input_shape: Sequence[int | None],
    stem: str,
    width: float,
    zero_init_residual: bool,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    name: str,
) -> keras.Model:
    """Stem, four stages of `depths` blocks with 64, 128, 256 and 512 filters, pooling."""
    if stem not in ("imagenet", "small"):
        raise ValueError(
            f'Expected stem to be "imagenet" or "small". Received: stem={stem!r}. '
            f'Use "small" for images of about 32 pixels.'
        )
    inputs, x = blocks.image_input(input_shape, mean, std)
    size, strides = (7, 2) if stem == "imagenet" else (3, 1)
    x = blocks.conv(x, blocks.scaled(64, width), size, strides, "stem_conv")
    x = blocks.relu(blocks.batch_norm(x, "stem_bn"), "stem_relu")
    if stem == "imagenet":
        # Zeros pad as well as -infinity does: the values are rectified.
        x = keras.layers.ZeroPadding2D(1, name="stem_pool_padding")(x)
        x = keras.layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    for stage, depth in enumerate(depths, start=1):
        filters = blocks.scaled(64 * 2 ** (stage - 1), width)
        for index in range(1, depth + 1):
            strides = 2 if stage > 1 and index == 1 else 1
            x = block(x, filters, strides, f"stage{stage}_block{index}", zero_init_residual)
    return keras.Model(inputs, blocks.pool(x), name=name)
