"""Draws how time and memory grow: of the losses with the batch, of a step with the devices.

    python benchmarks/scaling.py

From what `benchmarks/loss.py` and `benchmarks/devices.py` have written to `benchmarks/results`; of
the losses, what was measured on one core. Their axes are logarithmic: a line of slope 1 grows with
the batch, one of slope 2 with its square.
"""

import pathlib
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter, NullLocator

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results"
sys.path[:0] = [str(HERE.parent)]

from benchmarks.loss import BACKENDS, PEERS, WAYS  # noqa: E402
from benchmarks.rows import read  # noqa: E402

PANELS = {"processor_seconds": "processor seconds", "extra_memory_mb": "extra memory, MB"}
COLOURS = dict(zip((*BACKENDS, *PEERS), matplotlib.color_sequences["tab10"], strict=False))


def lines_of(rows, loss):
    """The rows of each way, ours on every backend and then peers, by the size of the batch."""
    lines = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["pairs"]):
        if row["loss"] == loss:
            lines[row["way"]].append(row)
    return {way: lines[way] for way in WAYS[loss] if way in lines and way in COLOURS}


def draw(axes, lines, column):
    for way, rows in lines.items():
        style = {"marker": "o", "markersize": 3, "linewidth": 1.6, "color": COLOURS[way]}
        label = f"ours, {way}" if way in BACKENDS else way
        pairs, values = ([row[name] for row in rows] for name in ("pairs", column))
        axes.plot(pairs, values, "-" if way in BACKENDS else "--", label=label, **style)
    ticks = sorted({row["pairs"] for rows in lines.values() for row in rows})
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(ticks, [f"{pairs:,}" for pairs in ticks], fontsize=7)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)
    axes.set_xlabel("pairs in the batch")
    axes.set_ylabel(PANELS[column])


def draw_devices(axes, rows, column, label):
    """The same batch on more devices, and a batch for each."""
    one = next(row for row in rows if row["devices"] == 1)
    ways = {
        "one batch for all": [row for row in rows if row["batch_size"] == one["batch_size"]],
        "a batch for each": [
            row for row in rows if row["batch_size"] == row["devices"] * one["batch_size"]
        ],
    }
    for name, of_way in ways.items():
        devices, values = ([row[key] for row in of_way] for key in ("devices", column))
        axes.plot(devices, values, "o-", label=name)
    axes.set_xticks(sorted({row["devices"] for row in rows}))
    axes.set_ylim(0)
    axes.grid(alpha=0.3)
    axes.set_xlabel("devices, a core each")
    axes.set_ylabel(label)
    axes.set_title(f"a step of SimCLR, batches of {one['batch_size']}, PyTorch")


def main():
    rows = [row for row in read(RESULTS / "loss.json") if row["hardware"].endswith("1 core")]
    of_devices = read(RESULTS / "devices.json")
    matplotlib.rcParams["svg.hashsalt"] = "scaling"  # the same figures give the same file
    lines_drawn = len(WAYS) + 1
    figure, grid = plt.subplots(lines_drawn, len(PANELS), figsize=(11, 4 * lines_drawn))
    for loss, line in zip(WAYS, grid, strict=False):
        lines = lines_of(rows, loss)
        for axes, column in zip(line, PANELS, strict=True):
            draw(axes, lines, column)
            axes.set_title(loss)
        line[0].legend(fontsize=8)
    draw_devices(grid[-1][0], of_devices, "seconds_per_step", "seconds a step")
    draw_devices(grid[-1][1], of_devices, "memory_mb", "memory of each, MB")
    grid[-1][0].legend(fontsize=8)
    figure.suptitle(f"D = 128, {rows[0]['hardware']}", fontsize=10)
    figure.tight_layout()
    figure.savefig(RESULTS / "scaling.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
