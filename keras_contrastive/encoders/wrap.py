"""Turn any Keras model into an encoder."""

from collections.abc import Mapping

import keras
from keras import KerasTensor


def as_encoder(model: keras.Model, output: str | int | None = None) -> keras.Model:
    """Return a model that shares `model`'s layers and gives one feature vector an input.

    Works for Functional and Sequential models, `keras.applications` (with `include_top=False`)
    and the backbones of keras-hub, the library that succeeds keras-nlp and keras-cv. Feature
    maps `(N, H, W, C)` and sequences `(N, T, D)` are averaged over their positions, sequences
    under their mask where they carry one. The result is flat: it holds the layers of a backbone,
    not the backbone, so it opens in plain Keras where those layers are stock layers.

    `keras.applications` models differ in the pixel range that they expect; put a
    `keras.layers.Rescaling` in front where it is not [0, 1].

    Args:
        model: A built Functional or Sequential model.
        output: Which output gives the features, for models with several: a key of an output
            dict, a name or a position in an output list. Default `None`, for a single output.

    Returns:
        A `keras.Model` with output `(N, D)`; `model` itself where its output has that shape.

    Raises:
        ValueError: On a model without symbolic inputs, an output that is not named though there
            are several, or one that is neither a vector, a sequence nor a map.

    Example:

    >>> inputs = keras.Input((32, 32, 3))
    >>> backbone = keras.Model(inputs, keras.layers.Conv2D(8, 3)(inputs))
    >>> as_encoder(backbone).output_shape
    (None, 8)
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"Expected a keras.Model. Received: {type(model).__name__}.")
    if not _is_symbolic(model):
        raise ValueError(
            f"Expected a built Functional or Sequential model. Received: {model.name!r}, a "
            f"{type(model).__name__} without symbolic inputs and outputs. Give a Sequential an "
            f"Input first, or wrap the model: inputs = keras.Input(shape); "
            f"keras.Model(inputs, model(inputs))."
        )
    x = _select(model, output)
    rank = len(x.shape)
    if rank not in (2, 3, 4):
        raise ValueError(
            f"Expected an output of shape (N, D), (N, T, D) or (N, H, W, C). "
            f"Received: shape {x.shape} from {model.name!r}."
        )
    if rank == 2 and output is None:
        return model
    if rank == 3:
        x = keras.layers.GlobalAveragePooling1D(
            data_format="channels_last", dtype="float32", name=f"{model.name}_features"
        )(x)
    if rank == 4:
        x = keras.layers.GlobalAveragePooling2D(
            data_format=_data_format(model), dtype="float32", name=f"{model.name}_features"
        )(x)
    return keras.Model(_inputs(model), x, name=f"{model.name}_encoder")


def _is_symbolic(model: keras.Model) -> bool:
    """Whether the model knows its inputs and outputs as symbolic tensors."""
    try:
        return bool(model.inputs) and bool(model.outputs)
    except (AttributeError, ValueError):  # subclassed, or a Sequential that is not built
        return False


def _inputs(model: keras.Model) -> KerasTensor | list | dict:
    """The inputs in their structure, which may be a dict; a Sequential has no `input`."""
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def _select(model: keras.Model, output: str | int | None) -> KerasTensor:
    """The output tensor that `output` names."""
    outputs = model.outputs[0] if isinstance(model, keras.Sequential) else model.output
    if isinstance(outputs, KerasTensor):
        if output is not None:
            raise ValueError(
                f"Expected output=None, since {model.name!r} has one output. "
                f"Received: output={output!r}."
            )
        return outputs
    named = (
        dict(outputs)
        if isinstance(outputs, Mapping)
        else {**dict(zip(model.output_names, outputs)), **dict(enumerate(outputs))}
    )
    if output not in named:
        raise ValueError(
            f"Expected output to name one of the outputs of {model.name!r}: {list(named)}. "
            f"Received: output={output!r}."
        )
    return named[output]


def _data_format(model: keras.Model) -> str:
    """Where the model's own image layers have their channels."""
    formats = [layer.data_format for layer in model.layers if hasattr(layer, "data_format")]
    return formats[-1] if formats else keras.config.image_data_format()
