"""What all heads are made of, and how a method takes one."""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras

Head: TypeAlias = keras.Model | Callable[[int], keras.Model] | None


def batch_norm(**kwargs: object) -> keras.layers.BatchNormalization:
    """Batch normalisation with the constants of the reference implementations.

    Keras' own defaults (epsilon 1e-3, momentum 0.99) change every method built on them.

    Returns:
        A `keras.layers.BatchNormalization` with epsilon 1e-5 and momentum 0.9.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.batch_norm().epsilon
    1e-05
    """
    return keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, **kwargs)


def mlp(input_dim: int, layers: list[keras.layers.Layer], name: str) -> keras.Sequential:
    """A built head of these layers."""
    return keras.Sequential([keras.Input((input_dim,)), *layers], name=name)


def hidden_layers(
    dim: int, normalized: bool = True, use_bias: bool = True
) -> list[keras.layers.Layer]:
    """Dense, batch normalisation unless it is left out, ReLU."""
    dense, relu = keras.layers.Dense(dim, use_bias=use_bias), keras.layers.ReLU()
    return [dense, batch_norm(), relu] if normalized else [dense, relu]


def build_head(head: Head, default: Callable[[int], keras.Model], input_dim: int) -> keras.Model:
    """Turns a method's head argument into a built model.

    Args:
        head: A Keras model that takes `(N, input_dim)`, a function from the input dimension to
            such a model, or `None` for the paper's.
        default: The paper's head, a function from the input dimension to a model.
        input_dim: Dimension of what enters the head.

    Returns:
        A built Keras model.

    Raises:
        ValueError: If the head expects another input dimension.

    Example:

    >>> from keras_contrastive import layers
    >>> layers.build_head(None, layers.moco_v1_projector, 64).output_shape
    (None, 128)
    """
    model: Any = default if head is None else head
    if not isinstance(model, keras.Layer):
        model = model(input_dim)
    if not model.built:
        model.build((None, input_dim))
    if model.input_shape[-1] != input_dim:
        raise ValueError(
            f"Expected a head that takes vectors of dimension {input_dim}, the output of what it "
            f"stands on. Received: '{model.name}' with input shape {model.input_shape}. Pass a "
            "function such as `keras_contrastive.layers.simclr_v2_projector` to have it sized."
        )
    return model
