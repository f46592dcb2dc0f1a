"""Change single entries of a recipe: what the command line's flags do."""

from collections.abc import Mapping
from typing import Any

from keras_contrastive.cli.recipe import Recipe, parse_yaml


def override(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A recipe with some entries changed.

    Args:
        recipe: The recipe to start from.
        changes: Dotted key -> value: `training.epochs`, `method.probe_classes`, or a section:
            `method`.

    Returns:
        A new recipe.

    Raises:
        ValueError: On a key that recipes do not have.

    Example:

    >>> override(Recipe(), {"training.epochs": 3, "encoder.width": 0.5}).encoder
    Component(name='small_resnet', arguments={'width': 0.5})
    """
    values = recipe.to_dict()
    for key, value in changes.items():
        section, *path = key.split(".")
        if not path:
            values[section] = value
            continue
        inner = values.setdefault(section, {})
        if isinstance(inner, str):
            inner = values[section] = {"name": inner}
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return Recipe.parse(values)


def parse_assignment(text: str) -> tuple[str, Any]:
    """Key and value of `key=value`; the value is read as in a recipe file.

    Example:

    >>> parse_assignment("optimizer.learning_rate=1e-3")
    ('optimizer.learning_rate', 0.001)
    """
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise ValueError(
            f"Expected --set key=value, such as --set training.epochs=50. Received: {text!r}."
        )
    return key, parse_yaml(value)
