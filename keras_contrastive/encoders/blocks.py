"""The pieces that every residual network here is made of, as functions on Keras tensors.

Conventions of torchvision, so that its weights fit: convolutions without bias, explicit symmetric
padding, batch normalisation with epsilon 1e-5 and momentum 0.9, He-normal (fan-out) initial values.
"""

from collections.abc import Sequence

import keras
from keras import KerasTensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def channel_axis() -> int:
    """Axis of the channels in a batch of images, by `keras.config.image_data_format()`."""
    return -1 if keras.config.image_data_format() == "channels_last" else 1


def image_input(
    input_shape: Sequence[int | None],
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> tuple[KerasTensor, KerasTensor]:
    """Return the model's input and the same images normalised per channel, in float32."""
    input_shape = tuple(input_shape)
    axis = channel_axis()
    if len(input_shape) != 3:
        raise ValueError(
            f"Expected input_shape to have 3 entries (two sizes and the channels). "
            f"Received: input_shape={input_shape}. Leave the batch size out."
        )
    channels = input_shape[axis if axis < 0 else axis - 1]
    if channels is None:
        raise ValueError(
            f"Expected a known number of channels. Received: input_shape={input_shape} with "
            f"image_data_format={keras.config.image_data_format()!r}."
        )
    mean = mean or (IMAGENET_MEAN if channels == 3 else (0.5,) * channels)
    std = std or (IMAGENET_STD if channels == 3 else (0.5,) * channels)
    for name, values in (("mean", mean), ("std", std)):
        if not isinstance(values, (tuple, list)) or len(values) != channels:
            raise ValueError(
                f"Expected {name} to have one value a channel ({channels}). "
                f"Received: {name}={values}."
            )
    if min(std) <= 0:
        raise ValueError(f"Expected std to be positive. Received: std={std}.")
    inputs = keras.Input(input_shape, name="images")
    # float32 under every policy: the first rounding to half precision comes after centring.
    normalized = keras.layers.Normalization(
        axis=axis,
        mean=list(mean),
        variance=[s * s for s in std],
        dtype="float32",
        name="normalization",
    )(inputs)
    return inputs, normalized


def conv(x: KerasTensor, filters: int, size: int, strides: int, name: str) -> KerasTensor:
    """A convolution without bias whose padding is `size // 2` on every side."""
    same = strides == 1  # then Keras's "same" is symmetric; with a stride it is not
    if size > 1 and not same:
        x = keras.layers.ZeroPadding2D(size // 2, name=f"{name}_padding")(x)
    return keras.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same" if same else "valid",
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(
            2.0, mode="fan_out", distribution="untruncated_normal"
        ),
        name=name,
    )(x)


def batch_norm(x: KerasTensor, name: str, gamma: str = "ones") -> KerasTensor:
    """Batch normalisation with the constants of the papers (PyTorch's), not Keras's."""
    return keras.layers.BatchNormalization(
        axis=channel_axis(), momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, name=name
    )(x)


def relu(x: KerasTensor, name: str) -> KerasTensor:
    """A rectifier under a name of its own."""
    return keras.layers.ReLU(name=name)(x)


def basic_block(
    x: KerasTensor, filters: int, strides: int, name: str, zero_init_residual: bool = True
) -> KerasTensor:
    """Two 3x3 convolutions and a shortcut (ResNet-18, ResNet-34)."""
    y = conv(x, filters, 3, strides, f"{name}_conv1")
    y = relu(batch_norm(y, f"{name}_bn1"), f"{name}_relu1")
    y = conv(y, filters, 3, 1, f"{name}_conv2")
    y = batch_norm(y, f"{name}_bn2", gamma="zeros" if zero_init_residual else "ones")
    return _join(x, y, strides, name)


def bottleneck_block(
    x: KerasTensor, filters: int, strides: int, name: str, zero_init_residual: bool = True
) -> KerasTensor:
    """1x1, 3x3 (with the stride: version 1.5) and 1x1 to four times the filters (ResNet-50)."""
    y = conv(x, filters, 1, 1, f"{name}_conv1")
    y = relu(batch_norm(y, f"{name}_bn1"), f"{name}_relu1")
    y = conv(y, filters, 3, strides, f"{name}_conv2")
    y = relu(batch_norm(y, f"{name}_bn2"), f"{name}_relu2")
    y = conv(y, 4 * filters, 1, 1, f"{name}_conv3")
    y = batch_norm(y, f"{name}_bn3", gamma="zeros" if zero_init_residual else "ones")
    return _join(x, y, strides, name)


def _join(x: KerasTensor, y: KerasTensor, strides: int, name: str) -> KerasTensor:
    """Add the shortcut, projected where its shape differs, and rectify."""
    axis = channel_axis()
    if strides != 1 or x.shape[axis] != y.shape[axis]:
        x = conv(x, y.shape[axis], 1, strides, f"{name}_shortcut_conv")
        x = batch_norm(x, f"{name}_shortcut_bn")
    return relu(keras.layers.Add(name=f"{name}_add")([x, y]), f"{name}_out")


def pool(x: KerasTensor) -> KerasTensor:
    """Average over all positions, in float32 under every policy: `(N, H, W, C)` to `(N, C)`."""
    return keras.layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)


def scaled(filters: int, width: float) -> int:
    """Filters of a layer in a network `width` times as wide."""
    result = round(filters * width)
    if result < 1:
        raise ValueError(
            f"Expected width to leave at least one filter a layer. "
            f"Received: width={width} for a layer of {filters} filters."
        )
    return result
