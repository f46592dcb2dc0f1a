"""The figures of every epoch in a CSV file that survives an interruption."""

import csv
import time
from pathlib import Path
from typing import Any

import keras


class EpochHistory(keras.callbacks.Callback):
    """Writes one row an epoch: `epoch` (from 1), `seconds`, and everything in the logs.

    A run that is resumed goes on in the same file: rows of epochs that are trained again are
    replaced.

    Args:
        path: The CSV file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows: list[dict[str, float]] = []
        self.started: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.started is None:  # the first epoch of this call
            self.rows = [row for row in read_history(self.path) if row["epoch"] <= epoch]
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        seconds = round(time.perf_counter() - (self.started or 0.0), 3)
        self.rows.append({"epoch": epoch + 1, "seconds": seconds, **figures})
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        part = self.path.with_suffix(".part")
        with part.open("w", newline="", encoding="utf8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)
        part.replace(self.path)  # never half a file


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a history file, without the entries that an epoch does not have."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf8") as file:
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def column(rows: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    """Epochs and values of one figure, where it was measured."""
    pairs = [(row["epoch"], row[name]) for row in rows if name in row]
    return [epoch for epoch, _ in pairs], [value for _, value in pairs]
