"""Figures as tables in the terminal."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from keras_contrastive.cli.measure import side_by_side
from keras_contrastive.cli.zoo import Verdict
from keras_contrastive.presets import Preset

_ROWS = {
    "sts": ("STS, Spearman", "{:.2%}"),
    "sts_mean": ("STS, mean of sources", "{:.2%}"),
    "sts_wmean": ("STS, weighted mean", "{:.2%}"),
    "transfer": ("logistic regression", "{:.1%}"),
    "transfer_std": ("deviation of folds", "{:.1%}"),
    "knn": ("kNN", "{:.1%}"),
    "linear": ("linear probe", "{:.1%}"),
    "ridge": ("ridge probe", "{:.1%}"),
    "rank_me": ("RankMe", "{:.1f}"),
    "effective_rank": ("effective rank", "{:.1f}"),
    "alignment": ("alignment", "{:.2f}"),
    "uniformity": ("uniformity", "{:.2f}"),
    "representation_std": ("spread", "{:.2f}"),
}


def results_table(results: Mapping[str, Any]) -> Table:
    """Figures of an encoder, beside those of pixels and the untrained one where known."""
    columns = side_by_side(results)
    table = Table("on the test data")
    for name in columns:
        table.add_column(name, justify="right", style="bold" if name == "pretrained" else None)
    for key, (label, template) in _ROWS.items():
        if key in results:
            table.add_row(label, *(_shown(values, key, template) for values in columns.values()))
    return table


def labels_table(entries: Sequence[Mapping[str, float]]) -> Table:
    """Few labels: from scratch and fine-tuned."""
    table = Table()
    table.add_column("labels")
    table.add_column("from scratch", justify="right")
    table.add_column("fine-tuned", justify="right", style="bold")
    for entry in entries:
        table.add_row(
            f"{entry['fraction']:.0%} ({entry['num_labels']})",
            f"{entry['from_scratch']:.1%}",
            f"{entry['fine_tuned']:.1%}",
        )
    return table


def zoo_table(presets: Mapping[str, Preset]) -> Table:
    """The presets with what was measured; with few labels, fine-tuned and means over the seeds."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    fractions = sorted(
        {f for preset in presets.values() for f in fine_tuned_accuracies(preset.results)}
    )
    table.add_column("preset", overflow="fold")  # nothing is cut, also on 80 columns
    names = ["kNN", "linear", *(f"{f:.0%}\nlabels" for f in fractions)]
    for name in (*names, "weights", "epochs", "s/epoch"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, preset in presets.items():
        known = preset.results
        fine_tuned = fine_tuned_accuracies(known)
        table.add_row(
            name,
            _shown(known, "knn", "{:.1%}"),
            _shown(known, "linear", "{:.1%}"),
            *(_shown(fine_tuned, fraction, "{:.1%}") for fraction in fractions),
            _shown(known, "parameters", "{:,}"),
            _shown(known, "epochs", "{}"),
            _shown(known, "seconds_per_epoch", "{:.3g}"),
        )
    return table


def fine_tuned_accuracies(results: Mapping[str, Any]) -> dict[float, float]:
    """Share of the labels -> accuracy of the fine-tuned network, its mean over the seeds."""
    rows = results.get("labels", [])
    return {
        fraction: statistics.mean(row["fine_tuned"] for row in rows if row["fraction"] == fraction)
        for fraction in sorted({row["fraction"] for row in rows})
    }


def verdicts_table(verdicts: Sequence[Verdict]) -> Table:
    """Cards beside the figures computed again."""
    table = Table("preset")
    for name in ("kNN on the card", "from the weights", ""):
        table.add_column(name, justify="right")
    for verdict in verdicts:
        agrees = "agrees" if verdict.agrees else "[bold red]differs"
        table.add_row(verdict.name, f"{verdict.card:.2%}", f"{verdict.measured:.2%}", agrees)
    return table


def _shown(results: Mapping[Any, Any], key: Any, template: str) -> str:
    return template.format(results[key]) if key in results else "–"
