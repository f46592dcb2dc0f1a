"""Write a preset folder."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_contrastive.encoders import SentenceEncoder, in_float32
from keras_contrastive.methods.base import Method
from keras_contrastive.presets.card import card
from keras_contrastive.presets.folder import CARD, ENCODER, RECIPE, RESULTS, Preset
from keras_contrastive.presets.half_precision import halve
from keras_contrastive.presets.weights import sha256


def save_to_preset(
    model: keras.Model,
    folder: str | Path,
    recipe: str | None = None,
    results: Mapping[str, Any] | None = None,
    weights_dtype: str = "float32",
) -> Preset:
    """Save an encoder with its recipe, its figures and its card.

    Args:
        model: An encoder, or a method, whose encoder is saved; it computes in float32, whatever
            precision it was trained in.
        folder: Where to write `encoder.keras`, `results.json`, `README.md` and, with a recipe,
            `recipe.yaml`. Made if it does not exist; files of these names are replaced.
        recipe: The text of the YAML file that `keras-contrastive pretrain` runs to make the
            encoder again.
        results: What was measured; anything that JSON holds. Parameters, the shapes and the
            sha256 of the weights are added.
        weights_dtype: `"float16"` for a file of half the size, whose kernels are rounded to 11
            bits; measure what `from_preset` then gives. Default `"float32"`.

    Returns:
        The `Preset`.

    Raises:
        ValueError: On results that JSON does not hold, or another `weights_dtype`.

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
    if weights_dtype not in ("float32", "float16"):
        raise ValueError(
            f"Expected `weights_dtype` to be float32 or float16. Received: {weights_dtype!r}."
        )
    _check_json(results or {})
    encoder = in_float32(getattr(model, "encoder", model))
    folder.mkdir(parents=True, exist_ok=True)
    encoder.save(folder / ENCODER)
    if weights_dtype == "float16":
        halve(folder / ENCODER)
    if recipe is not None:
        (folder / RECIPE).write_text(recipe, encoding="utf8")
    figures = {
        **_training(model),
        **(results or {}),
        "parameters": encoder.count_params(),
        **_inputs(encoder),
        "feature_dim": encoder.output_shape[-1],
        "weights_dtype": weights_dtype,
        "sha256": sha256(folder / ENCODER),
    }
    return write_results(folder, figures)


def _training(model: keras.Model) -> dict[str, Any]:
    """What a method says of itself."""
    if not isinstance(model, Method):
        return {}
    teacher = "the labels of its images" if model.learns_from_labels else None
    return {"method": type(model).__name__.lower(), "learns_from": teacher}


def _inputs(encoder: keras.Model) -> dict[str, Any]:
    if isinstance(encoder, SentenceEncoder):
        return {"takes": "sentences"}
    return {"input_shape": encoder.input_shape[1:]}


def write_results(folder: Path, results: Mapping[str, Any]) -> Preset:
    """Write the figures of a preset folder and the card that follows from them.

    Args:
        folder: A folder with `encoder.keras` and, perhaps, `recipe.yaml`.
        results: All that `results.json` is to hold, its sha256 included.

    Returns:
        The `Preset`.

    Raises:
        ValueError: On results that JSON does not hold.
    """
    _check_json(results)
    part = folder / "results.part"
    part.write_text(_json(results), encoding="utf8")
    part.replace(folder / RESULTS)  # never half a file
    recipe = folder / RECIPE
    name = folder.resolve().name
    text = card(name, results, recipe.read_text("utf8") if recipe.exists() else None)
    (folder / CARD).write_text(text, encoding="utf8")
    return Preset(name, folder, dict(results))


def _check_json(results: Mapping[str, Any]) -> None:
    try:
        json.dumps(dict(results))
    except TypeError as error:
        raise ValueError(
            f"Expected results that JSON holds. Received: {error}. Convert arrays and NumPy "
            f"numbers with .tolist() or float()."
        ) from None


def _json(results: Mapping[str, Any]) -> str:
    """JSON with each list of numbers on a line of its own, however long."""
    text = json.dumps(dict(results), indent=2)
    return re.sub(r"\[[-+.\w\s,]*\]", lambda match: " ".join(match[0].split()), text) + "\n"
