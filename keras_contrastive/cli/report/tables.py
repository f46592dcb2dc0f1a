"""Figures and settings as tables."""

from collections.abc import Mapping
from html import escape
from typing import Any

from keras_contrastive.cli.measure import side_by_side

_PERCENT = {"knn": "kNN", "linear": "linear probe", "ridge": "ridge probe"}
_NUMBERS = {
    "rank_me": "RankMe (dimensions in use)",
    "effective_rank": "effective rank, centred",
    "uniformity": "uniformity (lower: more even)",
    "representation_std": "std of the representation (0: collapsed)",
}


def summary(results: Mapping[str, Any]) -> str:
    """The line under the title, and tiles with the main figures."""
    before = results.get("before", {})
    tiles = [
        (f"{100 * results[key]:.1f} %", f"{label}, was {100 * before[key]:.1f} % untrained")
        for key, label in (("knn", "kNN"), ("linear", "linear probe"))
        if key in results and key in before
    ]
    tiles += [
        (f"{results['seconds_per_epoch']:.3g} s", f"an epoch, {results['epochs']} epochs"),
        (f"{results['images_per_second']:,.0f}", "images a second"),
        (f"{results['parameters']:,}", "weights"),
    ]
    boxes = "".join(f'<div class="tile"><b>{b}</b><span>{escape(s)}</span></div>' for b, s in tiles)
    return f"""<p>Pretrained on {results["num_train"]:,} images without their labels; measured on
{results["num_test"]:,} others that took no part in training or in any choice.</p>
<div class="tiles">{boxes}</div>"""


def results_section(results: Mapping[str, Any]) -> str:
    """Pixels, untrained and pretrained encoder, figure by figure."""
    columns = side_by_side(results)
    rows = [
        [label, *(form(values.get(key)) for values in columns.values())]
        for labels, form in ((_PERCENT, _percent), (_NUMBERS, _number))
        for key, label in labels.items()
        if key in results
    ]
    return f"""<h2>Results</h2>
<p>Frozen features on the test images. The probes' settings are chosen on a held-out part of the
training images.</p>
{_table(["", *columns], rows)}"""


def labels_section(results: Mapping[str, Any]) -> str:
    """Few labels: fine-tuned against the same network from scratch."""
    if not results.get("labels"):
        return ""
    rows = [
        [
            f"{entry['fraction']:.0%} ({entry['num_labels']})".replace("%", " %"),
            _percent(entry["from_scratch"]),
            _percent(entry["fine_tuned"]),
        ]
        for entry in results["labels"]
    ]
    return f"""<h2>Few labels</h2>
<p>The whole network trained with a part of the labels: from random weights, and from the
pretrained ones, with the same schedule.</p>
{_table(["labels", "from scratch", "fine-tuned"], rows)}"""


def settings_section(recipe: str, results: Mapping[str, Any]) -> str:
    """The recipe as it was run, and what it ran on."""
    facts = {
        "backend": results["backend"],
        "hardware": results["hardware"],
        "versions": ", ".join(f"{key} {value}" for key, value in results["versions"].items()),
        "seed": results["seed"],
        "peak memory": f"{results['peak_memory_mb']:,} MB" if results["peak_memory_mb"] else "–",
        "sha256 of encoder.keras": results["sha256"],
    }
    rows = "".join(
        f"<tr><th>{escape(key)}</th><td>{escape(str(value))}</td></tr>"
        for key, value in facts.items()
    )
    return f"""<h2>Settings</h2>
<table>{rows}</table>
<p><code>keras-contrastive pretrain recipe.yaml</code> runs this again:</p>
<pre>{escape(recipe.strip())}</pre>"""


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Rows of a label and numbers; the last column is ours."""
    kinds = ["", *["number"] * (len(head) - 2), "number best"]
    cells = [
        "".join(f'<td class="{kind}">{escape(cell)}</td>' for kind, cell in zip(kinds, row))
        for row in rows
    ]
    top = "".join(f'<th class="{kind}">{escape(cell)}</th>' for kind, cell in zip(kinds, head))
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
