"""Write a preset folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_contrastive.encoders import in_float32
from keras_contrastive.presets.card import card
from keras_contrastive.presets.folder import CARD, ENCODER, RECIPE, RESULTS, Preset
from keras_contrastive.presets.weights import sha256


def save_to_preset(
    model: keras.Model,
    folder: str | Path,
    recipe: str | None = None,
    results: Mapping[str, Any] | None = None,
) -> Preset:
    """Save an encoder with its recipe, its figures and its card.

    Args:
        model: An encoder, or a method, whose encoder is saved; in float32, whatever precision
            it was trained in.
        folder: Where to write `encoder.keras`, `results.json`, `README.md` and, with a recipe,
            `recipe.yaml`. Made if it does not exist; files of these names are replaced.
        recipe: The text of the YAML file that `keras-contrastive pretrain` runs to make the
            encoder again.
        results: What was measured; anything that JSON holds. Parameters, the shapes and the
            sha256 of the weights are added.

    Returns:
        The `Preset`.

    Raises:
        ValueError: On results that JSON does not hold.

    Example:

    >>> import tempfile
    >>> from keras_contrastive.encoders import small_resnet
    >>> preset = save_to_preset(
    ...     small_resnet(widths=(8, 16)), tempfile.mkdtemp(), results={"knn": 0.61}
    ... )
    >>> sorted(path.name for path in preset.folder.iterdir())
    ['README.md', 'encoder.keras', 'results.json']
    """
    folder = Path(folder)
    try:
        json.dumps(dict(results or {}))
    except TypeError as error:
        raise ValueError(
            f"Expected results that JSON holds. Received: {error}. Convert arrays and NumPy "
            f"numbers with .tolist() or float()."
        ) from None
    encoder = in_float32(getattr(model, "encoder", model))
    folder.mkdir(parents=True, exist_ok=True)
    encoder.save(folder / ENCODER)
    figures = {
        **(results or {}),
        "parameters": encoder.count_params(),
        "input_shape": encoder.input_shape[1:],
        "feature_dim": encoder.output_shape[-1],
        "sha256": sha256(folder / ENCODER),
    }
    (folder / RESULTS).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf8")
    if recipe is not None:
        (folder / RECIPE).write_text(recipe, encoding="utf8")
    name = folder.resolve().name
    (folder / CARD).write_text(card(name, figures, recipe), encoding="utf8")
    return Preset(name, folder, figures)
