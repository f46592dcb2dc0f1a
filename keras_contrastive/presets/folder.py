"""Preset folders: which there are, and what was measured for them."""

import json
from dataclasses import dataclass
from importlib import import_module, resources
from pathlib import Path
from typing import Any

ENCODER = "encoder.keras"
RESULTS = "results.json"
RECIPE = "recipe.yaml"
CARD = "README.md"


@dataclass(frozen=True)
class Preset:
    """A pretrained encoder and its figures.

    Args:
        name: Name of the folder, `<method>_<encoder>_<data>`.
        folder: Where it lies.
        results: What `results.json` holds: `knn`, `linear`, `seconds_per_epoch`, `seed`,
            `hardware`, `versions`, `sha256`, ...
    """

    name: str
    folder: Path
    results: dict[str, Any]


def presets() -> dict[str, Preset]:
    """The pretrained encoders that come with this package, by name.

    Returns:
        Name -> `Preset`, sorted.

    Raises:
        ValueError: On a folder whose `results.json` cannot be read.

    Example:

    >>> all(preset.name == name for name, preset in presets().items())
    True
    """
    folders = sorted(path.parent for path in zoo_folder().glob(f"*/{RESULTS}"))
    return {path.name: Preset(path.name, path, read_results(path)) for path in folders}


def zoo_folder() -> Path:
    """The folder of the packaged presets."""
    try:
        zoo = import_module("keras_contrastive.zoo")
    except ModuleNotFoundError:  # a checkout that is not installed
        return Path(__file__).parents[2] / "zoo"
    with resources.as_file(resources.files(zoo)) as folder:
        return folder


def read_results(folder: Path) -> dict[str, Any]:
    """What was measured for the preset in a folder.

    Raises:
        ValueError: Where there is no `results.json`, or a damaged one.
    """
    path = folder / RESULTS
    try:
        results = json.loads(path.read_text(encoding="utf8"))
    except FileNotFoundError:
        raise ValueError(
            f"Expected a preset folder with {ENCODER} and {RESULTS}. Received: {folder}, without "
            f"{RESULTS}. Give the path of a lone .keras file to load it without its figures."
        ) from None
    except ValueError as error:
        raise ValueError(
            f"Expected {path} to hold JSON. Received: {error}. The file is damaged: copy it again."
        ) from None
    if not isinstance(results, dict):
        raise ValueError(f"Expected {path} to hold a JSON object. Received: {results!r}.")
    return results
