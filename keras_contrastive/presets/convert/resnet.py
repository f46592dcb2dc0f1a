"""Our ResNets under torchvision's names, in both directions."""

import re
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
from keras import KerasTensor

from keras_contrastive import encoders
from keras_contrastive.encoders.blocks import channel_axis
from keras_contrastive.presets.convert.keys import check_keys

Arrays = Mapping[str, np.ndarray]

_DEPTHS: dict[tuple[bool, tuple[int, ...]], Callable[..., keras.Model]] = {
    (False, (2, 2, 2, 2)): encoders.resnet18,
    (False, (3, 4, 6, 3)): encoders.resnet34,
    (True, (3, 4, 6, 3)): encoders.resnet50,
}
_CONV = {"weight": "kernel"}
_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def is_resnet(names: Sequence[str] | Arrays) -> bool:
    """Whether these are names of torchvision's ResNets."""
    return "conv1.weight" in names


def resnet_from_torch(
    arrays: Arrays,
    image_size: int | None,
    normalization: tuple[Sequence[float], Sequence[float]],
    border: int = 0,
    stem_relu: bool = True,
    pool_behind: bool = False,
) -> keras.Model:
    """Build the ResNet that the keys and shapes tell, with these weights.

    Args:
        arrays: Name of torchvision -> array.
        image_size: Height and width of the images, or `None` for any.
        normalization: Mean and standard deviation of each channel.
        border: Rows of zeros around the image of a small stem, besides its own padding.
        stem_relu: Whether a small stem ends in a rectifier.
        pool_behind: Whether the pooling of a large stem pads behind alone.

    Raises:
        ValueError: On a network that is none of ours, and on keys that do not fit it.
    """
    stem = arrays["conv1.weight"]
    builder, channels = _builder(arrays), stem.shape[1]
    size = (image_size, image_size)
    model = builder(
        input_shape=(*size, channels) if channel_axis() == -1 else (channels, *size),
        stem="small" if stem.shape[-1] == 3 else "imagenet",
        width=stem.shape[0] / 64,
        mean=normalization[0],
        std=normalization[1],
    )
    variables = torch_names(model)
    shapes = {name: _to_torch(np.asarray(v)).shape for name, v in variables.items()}
    check_keys({n: a.shape for n, a in arrays.items()}, shapes, f"a {model.name}")
    for name, variable in variables.items():
        variable.assign(_to_keras(arrays[name]))
    if stem.shape[-1] != 3:
        return _with_pooling_behind(model) if pool_behind else model
    return model if border == 0 and stem_relu else _with_stem(model, border, stem_relu)


def resnet_to_torch(model: keras.Model) -> dict[str, np.ndarray]:
    """The weights of one of our ResNets under torchvision's names.

    Raises:
        ValueError: On another network.
    """
    return {name: _to_torch(np.asarray(v)) for name, v in torch_names(model).items()}


def torch_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name of torchvision -> variable.

    Raises:
        ValueError: On a layer with weights that torchvision's ResNets do not have.
    """
    variables: dict[str, keras.Variable] = {}
    for layer in model.layers:
        if layer.weights:
            attributes = _BATCH_NORM if "bn" in layer.name else _CONV
            name = _torch_name(layer.name, model)
            variables |= {f"{name}.{k}": getattr(layer, v) for k, v in attributes.items()}
    return variables


def _torch_name(name: str, model: keras.Model) -> str:
    if stem := re.fullmatch(r"stem_(conv|bn)", name):
        return f"{stem[1]}1"
    block = re.fullmatch(r"stage(\d)_block(\d+)_(?:shortcut_(conv|bn)|((?:conv|bn)\d))", name)
    if not block:
        raise ValueError(
            f"Expected a ResNet of keras_contrastive.encoders (resnet18, resnet34, resnet50). "
            f"Received: {model.name!r} with a layer {name!r}, for which torchvision has no name."
        )
    stage, index, shortcut, layer = block.groups()
    inner = {"conv": "downsample.0", "bn": "downsample.1"}[shortcut] if shortcut else layer
    return f"layer{stage}.{int(index) - 1}.{inner}"


def _builder(arrays: Arrays) -> Callable[..., keras.Model]:
    """The network with as many blocks of this kind in each stage."""
    blocks = {match[1] for name in arrays if (match := re.match(r"layer(\d\.\d+)\.", name))}
    depths = tuple(sum(block[0] == str(stage) for block in blocks) for stage in range(1, 5))
    bottleneck = "layer1.0.conv3.weight" in arrays
    try:
        return _DEPTHS[bottleneck, depths]
    except KeyError:
        kind = "bottleneck" if bottleneck else "basic"
        raise ValueError(
            f"Expected a ResNet-18, -34 or -50. Received: {kind} blocks, {depths} a stage."
        ) from None


def _with_stem(model: keras.Model, border: int, stem_relu: bool) -> keras.Model:
    """The same network with a frame of zeros around the normalised image, or no rectifier."""

    def call(layer: keras.Layer, x: KerasTensor, **kwargs: object) -> KerasTensor:
        if layer.name == "stem_relu" and not stem_relu:
            return x
        if layer.name == "stem_conv" and border:
            x = keras.layers.ZeroPadding2D(border, name="stem_border")(x)
        return layer(x, **kwargs)

    return _copied(model, call)


def _with_pooling_behind(model: keras.Model) -> keras.Model:
    """The same network, whose stem pools an even number of rows from the first one on."""

    def call(layer: keras.Layer, x: KerasTensor, **kwargs: object) -> KerasTensor:
        if layer.name == "stem_pool_padding":
            return x
        if layer.name == "stem_pool":
            layer = keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")
        return layer(x, **kwargs)

    return _copied(model, call)


def _copied(model: keras.Model, call: Callable[..., KerasTensor]) -> keras.Model:
    changed = keras.models.clone_model(model, call_function=call)
    changed.set_weights(model.get_weights())
    return changed


def _to_keras(array: np.ndarray) -> np.ndarray:
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def _to_torch(array: np.ndarray) -> np.ndarray:
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
