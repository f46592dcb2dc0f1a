"""The card of a preset, generated from its recipe and its figures."""

from collections.abc import Mapping
from typing import Any

_FIGURES = {
    "knn": "kNN accuracy",
    "linear": "linear probe",
    "ridge": "ridge probe",
}
_SETTINGS = {
    "epochs": "epochs",
    "seconds_per_epoch": "seconds an epoch",
    "images_per_second": "images a second",
    "peak_memory_mb": "peak memory, MB",
    "seed": "seed",
    "parameters": "weights",
    "feature_dim": "feature dimension",
    "input_shape": "image shape",
    "backend": "backend",
    "hardware": "hardware",
    "versions": "versions",
    "sha256": "sha256 of encoder.keras",
}


def card(name: str, results: Mapping[str, Any], recipe: str | None = None) -> str:
    """Markdown that says what an encoder is, how good it is, how to use it and its limits.

    Args:
        name: Name of the preset.
        results: The contents of `results.json`. Known keys become rows of the tables, `history`
            (a list of `knn_accuracy` an epoch) a small curve, `before` the untrained encoder's
            figures, `note` and `limits` sentences.
        recipe: Text of `recipe.yaml`.

    Returns:
        Text of `README.md`.

    Example:

    >>> print(card("simclr_tiny_digits", {"knn": 0.9712}).splitlines()[0])
    # simclr_tiny_digits
    """
    parts = [
        f"# {name}",
        "An image encoder pretrained without labels. This page is generated from `recipe.yaml` "
        "and `results.json`.",
        results.get("note", ""),
        _accuracies(results),
        _curve(results.get("history", [])),
        _usage(name, results),
        _settings(results),
        _recipe(name, recipe),
        _limits(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _accuracies(results: Mapping[str, Any]) -> str:
    known = [key for key in _FIGURES if key in results]
    if not known:
        return ""
    before = results.get("before", {})
    rows = [
        f"| {_FIGURES[key]} | {_percent(before.get(key))} | {_percent(results[key])} |"
        for key in known
    ]
    head = ["## Measured", "", "| on the test images | untrained | pretrained |", "|---|---|---|"]
    return "\n".join([*head, *rows])


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _curve(history: list[float]) -> str:
    """A curve of characters: cards are read in terminals too."""
    if len(history) < 2:
        return ""
    low, high = min(history), max(history)
    scale = 7 / (high - low) if high > low else 0.0
    bars = "".join("▁▂▃▄▅▆▇█"[round((value - low) * scale)] for value in _thin(history, 60))
    return (
        f"kNN accuracy on held-out training images, epoch by epoch ({_percent(low)} to "
        f"{_percent(high)}):\n\n    {bars}"
    )


def _thin(values: list[float], most: int) -> list[float]:
    step = max(1, -(-len(values) // most))
    return values[::step]


def _usage(name: str, results: Mapping[str, Any]) -> str:
    classes = results.get("num_classes", 10)
    return f"""## Use

```python
import keras, keras_contrastive as kc
encoder = kc.from_preset("{name}")           # float images in [0, 1] -> features
classifier = keras.Sequential([encoder, keras.layers.Dense({classes})])
```

The file is plain Keras: `keras.saving.load_model("encoder.keras")` opens it without this
package."""


def _settings(results: Mapping[str, Any]) -> str:
    rows = [
        f"| {label} | {_text(results[key])} |" for key, label in _SETTINGS.items() if key in results
    ]
    return "\n".join(["## How it was made", "", "| | |", "|---|---|", *rows]) if rows else ""


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {entry}" for key, entry in value.items())
    if isinstance(value, (list, tuple)):
        return " × ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _recipe(name: str, recipe: str | None) -> str:
    if recipe is None:
        return ""
    return f"""## Make it again

```
keras-contrastive pretrain recipe.yaml --run runs/{name}
```

```yaml
{recipe.strip()}
```"""


def _limits(results: Mapping[str, Any]) -> str:
    shape: list = results.get("input_shape") or [None]
    size = f" It has seen images of {shape[0]}x{shape[1]} pixels only." if None not in shape else ""
    lines = [
        "## Limits",
        "",
        f"The figures hold for the data, seed and settings above.{size} The features carry "
        f"whatever the pictures carried, their biases included; measure on your own data before "
        f"relying on them.",
    ]
    return "\n".join([*lines, "", results["limits"]] if "limits" in results else lines)
