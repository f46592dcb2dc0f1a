"""The precision that an encoder computes in, apart from the one it was trained in."""

import keras


def in_float32(model: keras.Model) -> keras.Model:
    """A copy that computes in float32, with the same weights.

    Mixed precision speeds training up; a file that others load should give the same features on
    every backend.

    Args:
        model: A Functional or Sequential model.

    Returns:
        The copy; `model` itself where all its layers compute in float32 already.

    Example:

    >>> inputs = keras.Input((4,))
    >>> model = keras.Model(inputs, keras.layers.Dense(2, dtype="mixed_bfloat16")(inputs))
    >>> in_float32(model).layers[-1].compute_dtype
    'float32'
    """
    if all(layer.compute_dtype == "float32" for layer in _all_layers(model)):
        return model
    copy = keras.models.clone_model(model, clone_function=_as_float32, recursive=True)
    copy.set_weights(model.get_weights())
    return copy


def _as_float32(layer: keras.Layer) -> keras.Layer:
    return type(layer).from_config({**layer.get_config(), "dtype": "float32"})


def _all_layers(model: keras.Model) -> list[keras.Layer]:
    nested = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return [*model.layers, *(inner for sub in nested for inner in _all_layers(sub))]
