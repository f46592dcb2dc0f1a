"""Run a recipe: train, keep everything that a run leaves behind, measure."""

import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from keras_contrastive.callbacks import (
    CollapseAlarm,
    KNNAccuracy,
    RepresentationMetrics,
    TrainingBackup,
)
from keras_contrastive.cli import machine
from keras_contrastive.cli.batches import training_batches
from keras_contrastive.cli.build import build, build_callbacks, check
from keras_contrastive.cli.history import EpochHistory, column, read_history
from keras_contrastive.cli.measure import measure
from keras_contrastive.cli.progress import TrainingProgress
from keras_contrastive.cli.recipe import Evaluation, Recipe
from keras_contrastive.cli.run_folder import RunFolder
from keras_contrastive.cli.splits import load_splits
from keras_contrastive.data import Source, train_holdout_split
from keras_contrastive.ops.collectives import from_first, process_index, wait_for_first
from keras_contrastive.presets import save_to_preset

NUM_ADAPT = 2000  # images that a weighting looks at before training


def pretrain(
    recipe: Recipe,
    folder: str | Path,
    resume: bool = True,
    minutes: float | None = None,
    collapse_alarm: bool = True,
    console: Console | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, Any]:
    """Pretrain an encoder as a recipe says, into a folder.

    The folder gets `recipe.yaml`, `history.csv`, `method.keras`, `encoder.keras`, `results.json`
    and `README.md`: it is a preset, which `from_preset` loads. The state after every epoch is
    kept until the run is finished, and a run that was interrupted goes on from there; its results
    equal those of an uninterrupted run.

    Args:
        recipe: The recipe.
        folder: The folder of the run.
        resume: Go on with an unfinished run in the folder; `False` to start again.
        minutes: Stop after the epoch that brings the training time of this call nearest to the
            limit without passing it, though after one epoch at least; the run stays unfinished.
        collapse_alarm: Warn when the representation collapses.
        console: Where progress is shown; `None` for nowhere.
        callbacks: More callbacks.

    Returns:
        The contents of `results.json`; nothing in other processes than the first.

    Raises:
        ValueError: On a recipe, data or folder that does not do, and on a loss that is no number.
    """
    check(recipe)
    console = console or Console(quiet=True)
    run, settings, is_first = RunFolder(Path(folder)), recipe.training, process_index() == 0
    if is_first:
        run.prepare(recipe, resume)
    wait_for_first()
    splits = load_splits(recipe.data, settings.seed)
    train = splits.train
    method = build(recipe, train.images.shape[1:], len(train))
    if method.weighting is not None:
        method.weighting.adapt(_some(train, NUM_ADAPT, settings.seed).images)
    batches = training_batches(recipe, train, method.uses_labels)
    console.print(
        f"{type(method).__name__} · {method.encoder.name}, {method.encoder.count_params():,} "
        f"weights · {len(train):,} images · {settings.epochs} epochs of {len(batches)} steps",
        highlight=False,
    )
    knn = (recipe.evaluation.k, recipe.evaluation.temperature)
    before = measure(method.encoder, splits.train, splits.test, *knn) if is_first else {}
    progress = TrainingProgress(console, settings.epochs, len(batches), settings.batch_size)
    try:
        method.fit(
            batches,
            epochs=settings.epochs,
            shuffle=False,  # the batches have an order of their own for each epoch
            verbose=0,
            callbacks=[
                *build_callbacks(recipe, train.images),
                *(_measurements(train, recipe.evaluation, settings.seed) if is_first else []),
                *([CollapseAlarm()] if collapse_alarm and is_first else []),
                *([EpochHistory(run.history), progress] if is_first else []),
                TrainingBackup(run.backup),
                *([_TimeLimit(minutes)] if minutes else []),
                *callbacks,
            ],
        )
    finally:
        progress.close()
    if not is_first:
        return {}
    rows = read_history(run.history)
    _check_finite(rows[-1], run)
    method.save(run.method)
    results = {
        **measure(method.encoder, splits.train, splits.test, *knn),
        "before": before,
        "finished": rows[-1]["epoch"] >= settings.epochs,
        **_facts(recipe, rows, len(batches)),
        "num_train": len(splits.train),
        "num_test": len(splits.test),
        "num_classes": splits.train.num_classes,
    }
    preset = save_to_preset(method, run.path, run.recipe.read_text("utf8"), results)
    if preset.results["finished"]:
        shutil.rmtree(run.backup)
    return preset.results


def _check_finite(last: dict[str, float], run: RunFolder) -> None:
    if math.isfinite(last["loss"]):
        return
    raise ValueError(
        f"Expected a loss that is a number. Received: {last['loss']} in epoch {last['epoch']}. "
        f"{run.backup} holds the state before that epoch, if there is one. Start a run in another "
        "folder with a lower learning rate or a longer warm-up."
    )


def _measurements(train: Source, settings: Evaluation, seed: int) -> list[keras.callbacks.Callback]:
    """The curves of a run, from training images alone."""
    rows = len(train) if train.labels is None else train.labels
    # A fifth at most, so that a small set keeps a bank to compare with.
    fraction = min(settings.queries / len(train), 0.2)
    bank, queries = (train.subset(part) for part in train_holdout_split(rows, fraction, seed))
    bank = _some(bank, settings.bank, seed)
    curves: list[keras.callbacks.Callback] = [
        RepresentationMetrics(queries.images, every=settings.every)
    ]
    if bank.labels is not None and queries.labels is not None:
        curves.insert(
            0,
            KNNAccuracy(
                bank=(bank.images, bank.labels),
                queries=(queries.images, queries.labels),
                k=settings.k,
                temperature=settings.temperature,
                every=settings.every,
            ),
        )
    return curves


def _some(source: Source, number: int, seed: int) -> Source:
    return source.subset(np.random.default_rng(seed).permutation(len(source))[:number])


def _facts(recipe: Recipe, rows: list[dict[str, float]], steps: int) -> dict[str, Any]:
    """What a reader needs to judge the figures."""
    seconds = sorted(row["seconds"] for row in rows)[len(rows) // 2]
    return {
        "method": recipe.method.name,
        "encoder": recipe.encoder.name,
        "data": Path(recipe.data.source).name,
        "epochs": rows[-1]["epoch"],
        "seconds_per_epoch": seconds,
        "images_per_second": round(steps * recipe.training.batch_size / seconds, 1),
        "peak_memory_mb": machine.peak_memory_mb(),
        "seed": recipe.training.seed,
        "backend": keras.backend.backend(),
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        "history": [round(value, 4) for value in column(rows, "knn_accuracy")[1]],
    }


class _TimeLimit(keras.callbacks.Callback):
    """Stops when one more epoch would pass the limit."""

    def __init__(self, minutes: float) -> None:
        super().__init__()
        self.seconds = 60 * minutes

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch_started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.perf_counter()
        over = now - self.started + (now - self.epoch_started) > self.seconds
        if from_first(int(over)):
            self.model.stop_training = True
