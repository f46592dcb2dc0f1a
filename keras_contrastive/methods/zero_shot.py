"""A classifier made of class names."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_contrastive.training import copy_network


def class_embeddings(
    embed: Callable[[list[str]], np.ndarray], classes: Sequence[str], templates: Sequence[str]
) -> np.ndarray:
    """One unit vector a class: the mean over its texts, each at unit length.

    Args:
        embed: A function from M strings to embeddings `(M, d)` of unit length.
        classes: Names of C classes.
        templates: Texts with a `{}` where the name goes.

    Returns:
        A float32 array `(C, d)`.

    Raises:
        ValueError: If names or templates are missing, not strings, or there twice; or a template
            has no place for the name.
    """
    for name, given in (("classes", classes), ("templates", templates)):
        if isinstance(given, str) or not len(given) or not all(isinstance(t, str) for t in given):
            raise ValueError(f"Expected `{name}` as a list of strings. Received: {given!r}.")
    if len({*classes}) < len(classes):
        twice = sorted({name for name in classes if [*classes].count(name) > 1})
        raise ValueError(f"Expected each class once. Received: {twice} more than once.")
    for template in templates:
        if "{}" not in template:
            raise ValueError(
                "Expected templates with a {} where the class goes, such as 'a photo of a {}.'. "
                f"Received: {template!r}."
            )
    texts = [template.replace("{}", name) for name in classes for template in templates]
    means = embed(texts).reshape(len(classes), len(templates), -1).mean(axis=1)  # (C, d)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)


def cosine_classifier(
    encoder: keras.Model, projector: keras.Model, directions: np.ndarray, scale: float, bias: float
) -> keras.Sequential:
    """A plain Keras model from images to `scale * cosine + bias` with each class.

    Args:
        encoder: From images to features.
        projector: From features to embeddings `(N, d)`.
        directions: Unit vectors of the classes, `(C, d)`.
        scale: Factor of the cosines.
        bias: Added to all logits.

    Returns:
        A `keras.Sequential` that shares no weight with the networks given.
    """
    last = keras.layers.Dense(len(directions), dtype="float32", name="classes")
    model = keras.Sequential(
        [
            keras.Input(encoder.inputs[0].shape[1:]),
            copy_network(encoder),
            copy_network(projector),
            keras.layers.UnitNormalization(dtype="float32", name="unit_length"),
            last,
        ],
        name="zero_shot_classifier",
    )
    last.set_weights([scale * directions.T, np.full(len(directions), bias)])
    return model
