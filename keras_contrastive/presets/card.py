"""The card of a preset, generated from its recipe and its figures."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    "weights_dtype": "precision of the file's kernels",
    "sha256": "sha256 of encoder.keras",
}


def card(name: str, results: Mapping[str, Any], recipe: str | None = None) -> str:
    """Markdown that says what an encoder is, how good it is, how to use it and its limits.

    Args:
        name: Name of the preset.
        results: The contents of `results.json`. Known keys become rows of the tables, `history`
            (a list of `knn_accuracy` an epoch) a small curve, `before` the untrained encoder's
            figures, `labels` and `other_data` (lists of rows, as `keras-contrastive zoo add` makes
            them) tables, `picture` the name of a file, `learns_from` what taught it beside the
            images (`None`: nothing), `takes` what it encodes ("sentences", or images without),
            `note` and `limits` sentences.
        recipe: Text of `recipe.yaml`.

    Returns:
        Text of `README.md`.

    Example:

    >>> print(card("simclr_tiny_digits", {"knn": 0.9712}).splitlines()[0])
    # simclr_tiny_digits
    """
    parts = [
        f"# {name}",
        f"An encoder of {_takes(results)}{_teacher(results)}. This page is generated "
        f"from {'`recipe.yaml` and ' if recipe else ''}`results.json`.",
        results.get("note", ""),
        _accuracies(results),
        _labels(results),
        _transfer(results),
        _curve(results.get("history", [])),
        _picture(results),
        _usage(name, results),
        _settings(results),
        _recipe(name, recipe),
        _limits(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _takes(results: Mapping[str, Any]) -> str:
    return results.get("takes", "images")


def _teacher(results: Mapping[str, Any]) -> str:
    """Nothing where it is not known, as of other projects' weights."""
    if not {"learns_from", "method"} & set(results):
        return ""
    teacher = results.get("learns_from")
    return f", pretrained with {teacher}" if teacher else ", pretrained without labels"


def _accuracies(results: Mapping[str, Any]) -> str:
    known = [key for key in _FIGURES if key in results]
    if not known:
        return ""
    before = results.get("before", {})
    rows = [
        f"| {_FIGURES[key]} | {_percent(before.get(key))} | {_percent(results[key])} |"
        for key in known
    ]
    table = _table(["on the test images", "untrained", "pretrained"], rows)
    protocol = results.get("protocol")
    text = (
        f"\n\nFrozen features; kNN with k = {protocol['k']} and temperature "
        f"{protocol['temperature']:g}. Probes choose their settings on held-out training images."
        if protocol
        else ""
    )
    return f"## Measured\n\n{table}{text}"


def _labels(results: Mapping[str, Any]) -> str:
    """Few labels, means over the seeds."""
    by_fraction = defaultdict(list)
    for row in results.get("labels", []):
        by_fraction[row["fraction"]].append(row)
    if not by_fraction:
        return ""
    ways = {"linear": "linear, frozen", "fine_tuned": "fine-tuned", "from_scratch": "from scratch"}
    ways = {key: ways[key] for key in ways if all(key in row for row in results["labels"])}
    rows = [
        f"| {100 * fraction:g} % ({found[0]['num_labels']:,}) | "
        + " | ".join(mean_and_spread([row[key] for row in found]) for key in ways)
        + " |"
        for fraction, found in by_fraction.items()
    ]
    return f"## Few labels\n\n{_table(['labels', *ways.values()], rows)}{_training(results)}"


def mean_and_spread(accuracies: Sequence[float]) -> str:
    """Mean and standard deviation over seeds, in percent.

    Example:

    >>> mean_and_spread([0.5, 0.52])
    '51.0 ± 1.4 %'
    """
    mean = 100 * statistics.mean(accuracies)
    if len(accuracies) < 2:
        return f"{mean:.1f} %"
    return f"{mean:.1f} ± {100 * statistics.stdev(accuracies):.1f} %"


def _training(results: Mapping[str, Any]) -> str:
    protocol = results.get("protocol")
    if protocol is None:
        return ""
    seen = " All labels had been seen in pretraining." if results.get("learns_from") else ""
    measured = {row["fraction"] for row in results["labels"]}
    epochs = " and ".join(
        f"{number} epochs ({100 * fraction:g} %)"
        for fraction, number in protocol["label_epochs"]
        if fraction in measured
    )
    return (
        f"\n\nTest accuracy, mean and standard deviation over {len(protocol['seeds'])} draws of "
        f"the labels. The whole network, fine-tuned or from scratch, saw them for {epochs} in "
        f"batches of {protocol['batch_size']}, with Adam from {protocol['learning_rate']:g} and no "
        f"augmentation; short, to be affordable. The last epoch counts.{seen}"
    )


def _transfer(results: Mapping[str, Any]) -> str:
    """Frozen features of other data, beside those of the untrained network."""
    if not results.get("other_data"):
        return ""
    rows = [
        f"| {row['data']} ({row['num_classes']} classes) | {row['num_train']:,} / "
        f"{row['num_test']:,} | {_percent(row['untrained']['knn'])} | {_percent(row['knn'])} | "
        f"{_percent(row['untrained']['linear'])} | {_percent(row['linear'])} |"
        for row in results["other_data"]
    ]
    head = [
        "data",
        "training / test images",
        "kNN, untrained",
        "kNN",
        "linear, untrained",
        "linear",
    ]
    k = results.get("protocol", {}).get("transfer_k")
    text = f"\n\nFrozen features of images brought to the encoder's size; kNN with k = {k}."
    return f"## Transfer\n\n{_table(head, rows)}{text if k else ''}"


def _picture(results: Mapping[str, Any]) -> str:
    return f"![Curve, map and neighbours]({results['picture']})" if "picture" in results else ""


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *rows])


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
    if _takes(results) == "sentences":
        return f"""## Use

```python
import keras_contrastive as kc
encoder = kc.from_preset("{name}")
encoder.encode(["A cat sits on the mat."])  # vectors (1, {results.get("feature_dim", "D")})
encoder.similarity(["A cat sits."], ["A cat is sitting.", "It rains."])  # cosines
```

It needs tokenizers: `pip install 'keras-contrastive[text]'`."""
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
    shape = [*results.get("input_shape", [])]
    sized = len(shape) == 3 and None not in shape
    size = f" It has seen images of {shape[0]}x{shape[1]} pixels only." if sized else ""
    lines = [
        "## Limits",
        "",
        f"The figures hold for the data, seed and settings above.{size} The features carry "
        f"whatever the {_takes(results)} carried, their biases included; measure on your own data "
        f"before relying on them.{_harm(results)}",
    ]
    return "\n".join([*lines, "", results["limits"]] if "limits" in results else lines)


def _harm(results: Mapping[str, Any]) -> str:
    """The data on which pretraining did not help."""
    behind = [
        row["data"]
        for row in results.get("other_data", [])
        if any(row[probe] <= row["untrained"][probe] for probe in ("knn", "linear"))
    ]
    if not behind:
        return ""
    return (
        f" On {' and '.join(behind)} a probe finds no more in them than in an untrained network's."
    )
