"""Tables of the presets, from the `results.json` of each.

All of them for `zoo/README.md`, the best few for the README, and those that learned from labels
beside cross-entropy.
"""

import pathlib

from benchmarks.markdown import table
from benchmarks.rows import read
from keras_contrastive.presets import presets
from keras_contrastive.presets.card import mean_and_spread

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIRST = 5
PERCENT = "{:.1f} %"


def zoo():
    """The best few."""
    ranked, others = _ranked()
    lines = [*(_line(name, results, "zoo/") for name, results in ranked[:FIRST]), _untaught(ranked)]
    text = (
        f"The best by kNN of {len(ranked) + len(others)} presets; "
        "[zoo/README.md](zoo/README.md) has all."
    )
    return table(_head(ranked), lines) + "\n\n" + text


def all_presets():
    """Every one, the best first."""
    ranked, others = _ranked()
    lines = [*(_line(name, results, "") for name, results in ranked), _untaught(ranked)]
    links = ", ".join(f"[{name}]({name}/README.md)" for name, _ in others)
    text = "" if not others else f"\n\nMeasured in other ways, on their cards: {links}."
    return table(_head(ranked), lines) + text


def supervised():
    """Cross-entropy beside the presets that learned from the same labels for as long."""
    reference = read(ROOT / "benchmarks" / "results" / "supervised.json")
    taught = [
        {**preset.results, "method": f"[{name}](../zoo/{name}/README.md)"}
        for name, preset in presets().items()
        if preset.results.get("learns_from") and preset.results["epochs"] == reference[0]["epochs"]
    ]
    rows = sorted([*reference, *taught], key=lambda row: -row["knn"])
    lines = [
        [row["method"], *(_percent(row, figure) for figure in ("accuracy", "knn", "linear"))]
        for row in rows
    ]
    row = reference[0]
    text = (
        f"{row['epochs']} epochs, seed {row['seed']}, test images, {row['hardware']}: `python "
        "benchmarks/supervised.py zoo/supcon_small_resnet_cifar10/recipe.yaml runs/supervised "
        "--json benchmarks/results/supervised.json`"
    )
    return table(["", "its own last layer", "kNN", "linear"], lines) + "\n\n" + text


def _ranked():
    """Presets with kNN, the best first, and the others."""
    found = [(name, preset.results) for name, preset in presets().items()]
    known = [(name, results) for name, results in found if "knn" in results]
    others = [(name, results) for name, results in found if "knn" not in results]
    return sorted(known, key=lambda preset: -preset[1]["knn"]), others


def _fractions(ranked):
    return sorted({row["fraction"] for _, results in ranked for row in results.get("labels", [])})


def _head(ranked):
    few = [f"{100 * fraction:g} % labels, fine-tuned" for fraction in _fractions(ranked)]
    return ["preset", "learned with", "kNN", "linear", *few, "epochs"]


def _line(name, results, folder):
    link = f"[{name}]({folder}{name}/README.md)"
    teacher = "all labels" if results.get("learns_from") else "images alone"
    few = (_few(results, fraction, "fine_tuned") for fraction in _fractions([(name, results)]))
    probes = (_percent(results, figure) for figure in ("knn", "linear"))
    return [link, teacher, *probes, *few, results["epochs"]]


def _untaught(ranked):
    """The network before pretraining, and trained from scratch on the same few labels."""
    name, results = ranked[0]
    probes = (_percent(results["before"], figure) for figure in ("knn", "linear"))
    few = (_few(results, fraction, "from_scratch") for fraction in _fractions([(name, results)]))
    return ["the same network, not pretrained", "-", *probes, *few, "-"]


def _few(results, fraction, way):
    values = [row[way] for row in results["labels"] if row["fraction"] == fraction]
    return mean_and_spread(values)


def _percent(row, figure):
    return PERCENT.format(100 * row[figure]) if figure in row else "-"
