"""A small residual network that trains fast on two cores."""

from collections.abc import Sequence

import keras

from keras_contrastive.encoders import blocks


def small_resnet(
    input_shape: Sequence[int | None] = (32, 32, 3),
    widths: Sequence[int] = (32, 64, 128),
    width: float = 1.0,
    zero_init_residual: bool = True,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    name: str = "small_resnet",
) -> keras.Model:
    """Build a residual network with one basic block a width, about 0.3 million weights.

    A 3x3 stem with stride 2, then one block for each of `widths`; every block but the first
    halves the map. A functional model of stock layers: the saved file opens in plain Keras.

    Args:
        input_shape: Shape of one image, `(height, width, channels)` (channels first where
            `keras.config.image_data_format()` says so). The sizes may be `None`.
        widths: Filters of each block; the stem has as many as the first.
        width: Factor on every layer's number of filters, positive.
        zero_init_residual: Start the last scale of every block at zero, so that each block
            begins as its shortcut.
        mean: Mean of each channel in [0, 1], subtracted inside the model. Default: ImageNet's
            for three channels, else 0.5.
        std: Standard deviation of each channel, divided by inside the model. Default: ImageNet's
            for three channels, else 0.5.
        name: Name of the model.

    Returns:
        A `keras.Model` from float images in [0, 1] to float32 features `(N, widths[-1] * width)`.

    Raises:
        ValueError: On empty widths, or a shape, mean or std that does not fit.

    Example:

    >>> encoder = small_resnet()
    >>> encoder.output_shape
    (None, 128)
    """
    if not widths:
        raise ValueError(f"Expected at least one width. Received: widths={widths}.")
    inputs, x = blocks.image_input(input_shape, mean, std)
    x = blocks.conv(x, blocks.scaled(widths[0], width), 3, 2, "stem_conv")
    x = blocks.relu(blocks.batch_norm(x, "stem_bn"), "stem_relu")
    for stage, filters in enumerate(widths, start=1):
        strides = 1 if stage == 1 else 2
        x = blocks.basic_block(
            x, blocks.scaled(filters, width), strides, f"stage{stage}_block1", zero_init_residual
        )
    return keras.Model(inputs, blocks.pool(x), name=name)
