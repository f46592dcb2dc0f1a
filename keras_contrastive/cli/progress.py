"""What a run shows while it trains."""

import time
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class TrainingProgress(keras.callbacks.Callback):
    """A progress bar with loss, kNN accuracy, rank, images a second and the time left.

    Where the output is no terminal, a line now and then.

    Args:
        console: Where to write.
        epochs: Epochs of the whole run.
        steps: Batches an epoch.
        batch_size: Images a batch.
    """

    def __init__(self, console: Console, epochs: int, steps: int, batch_size: int) -> None:
        super().__init__()
        self.console = console
        self.epochs, self.steps, self.batch_size = epochs, steps, batch_size
        self.figures: dict[str, float] = {}
        self.bar: Progress | None = None
        self.shown = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.started, self.epoch = time.perf_counter(), epoch
        if self.bar is None and self.console.is_terminal:
            self.bar = Progress(
                TextColumn("epoch"),
                MofNCompleteColumn(),
                BarColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=self.console,
                speed_estimate_period=600,
            )
            self.task = self.bar.add_task("", total=self.epochs, completed=epoch, figures="")
            self.bar.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.perf_counter()
        if self.bar is None or now - self.shown < 0.5:
            return  # reading the loss waits for the device: not at every step
        self.shown = now
        self.figures["loss"] = float((logs or {}).get("loss", float("nan")))
        self.figures["rate"] = (batch + 1) * self.batch_size / (now - self.started)
        done = self.epoch + (batch + 1) / self.steps
        self.bar.update(self.task, completed=done, figures=self._text())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        seconds = time.perf_counter() - self.started
        self.figures |= {name: float(value) for name, value in (logs or {}).items()}
        self.figures["rate"] = self.steps * self.batch_size / seconds
        if self.bar is not None:
            self.bar.update(self.task, completed=epoch + 1, figures=self._text())
        elif (epoch + 1) % max(1, self.epochs // 10) == 0:
            self.console.print(f"epoch {epoch + 1}/{self.epochs}  {self._text()}", highlight=False)

    def close(self) -> None:
        """Take the bar away, also after an interruption."""
        if self.bar is not None:
            self.bar.stop()

    def _text(self) -> str:
        shown = {
            "loss": ("loss", "{:.3f}"),
            "knn_accuracy": ("kNN", "{:.1%}"),
            "effective_rank": ("rank", "{:.1f}"),
            "rate": ("images/s", "{:,.0f}"),
        }
        return "  ".join(
            f"{label} {template.format(self.figures[name])}"
            for name, (label, template) in shown.items()
            if name in self.figures
        )
