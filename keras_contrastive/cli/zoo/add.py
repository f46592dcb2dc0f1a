"""From the folder of a run to a preset: half-size weights, figures, and a card."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from keras_contrastive.cli.recipe import Recipe
from keras_contrastive.cli.run_folder import RunFolder
from keras_contrastive.cli.splits import load_splits
from keras_contrastive.cli.zoo import steps
from keras_contrastive.cli.zoo.pictures import PICTURE, write_picture
from keras_contrastive.cli.zoo.protocol import Protocol
from keras_contrastive.cli.zoo.subject import Subject
from keras_contrastive.presets import Preset, from_preset, save_to_preset
from keras_contrastive.presets.folder import RESULTS, read_results
from keras_contrastive.presets.save import write_results
from keras_contrastive.presets.weights import sha256

# What a run has measured on the weights before they were rounded.
_REMEASURED = (
    "knn", "linear", "ridge", "rank_me", "effective_rank", "uniformity", "representation_std",
    "labels", "num_train", "num_test",
)  # fmt: skip


def add(
    run: str | Path,
    folder: str | Path,
    transfer: Sequence[str] = (),
    protocol: Protocol | None = None,
    texts: Mapping[str, str] | None = None,
    console: Console | None = None,
) -> Preset:
    """Make a preset of a run, and measure it.

    The images are those of the run's recipe. Nothing is chosen on the test images. Every figure
    is written as soon as it is known; the same call goes on after an interruption. Figures of the
    same network from scratch on the same images are taken from a preset beside it that has them.

    Args:
        run: The folder of a run, or of a preset.
        folder: The folder of the preset; its name is the preset's.
        transfer: Other labelled data to probe the frozen features on: sources of which a fifth
            is tested on, or pairs with a comma between.
        protocol: How it is measured. Default: that of `Protocol`, with the k and the temperature
            of the recipe.
        texts: `note` and `limits`, sentences for the card.
        console: Where progress is shown; `None` for nowhere.

    Returns:
        The `Preset`.

    Raises:
        ValueError: On a folder without a run, or with a preset of another one.
        ImportError: Without matplotlib or scikit-learn.
    """
    console = console or Console(quiet=True)
    source, folder = RunFolder(Path(run)), Path(folder)
    if not (source.recipe.exists() and source.results.exists() and source.encoder.exists()):
        raise ValueError(
            f"Expected the folder of a run, with recipe.yaml, encoder.keras and results.json. "
            f"Received: {run}. Run `keras-contrastive pretrain --run {run}` first."
        )
    recipe = Recipe.load(source.recipe)
    settings = recipe.evaluation
    protocol = protocol or Protocol(k=settings.k, temperature=settings.temperature)
    results = {**_start(source, folder, protocol), **(texts or {})}
    splits = load_splits(recipe.data, recipe.training.seed)
    subject = Subject(from_preset(folder), splits)
    write_results(folder, results)
    for fraction in steps.too_few(subject, protocol):
        console.print(
            f"Without {100 * fraction:g} % of the labels: at most one a class, and a probe needs "
            "two.",
            highlight=False,
        )

    def measurements() -> Iterator[dict[str, Any]]:
        yield from steps.sample(subject, results)
        yield from steps.frozen(subject, protocol, results)
        yield from steps.transfer(subject, protocol, results, transfer)
        scratch = _from_scratch(subject, protocol, folder)
        yield from steps.few_labels(subject, protocol, results, scratch)

    for figures in measurements():
        results |= figures
        write_results(folder, results)
        console.print(_said(figures), highlight=False, soft_wrap=True)
    write_picture(subject, results.get("history", []), settings.every, folder / PICTURE)
    return write_results(folder, {**results, "picture": PICTURE})


def _said(figures: Mapping[str, Any]) -> str:
    """What is new, of a list its last row."""
    new = {name: value for name, value in figures.items() if name not in ("sample", "task")}
    rows = [value[-1] if isinstance(value, list) else {name: value} for name, value in new.items()]
    shown = [f"{name} {value}" for row in rows for name, value in row.items() if _is_plain(value)]
    return ", ".join(shown) or "features of noise"


def _is_plain(value: Any) -> bool:
    return isinstance(value, (int, float, str))


def _start(run: RunFolder, folder: Path, protocol: Protocol) -> dict[str, Any]:
    """The figures that the preset has already, or a new one with those of the run."""
    setting = {"made_from": sha256(run.encoder), "protocol": protocol.to_dict()}
    if (folder / RESULTS).exists():
        known = read_results(folder)
        if known.get("made_from") != setting["made_from"]:
            raise ValueError(
                f"Expected a new folder, or that of a preset made from {run.path}. Received: "
                f"{folder}, made from other weights. Give another --name, or remove it first."
            )
        if known.get("protocol") == setting["protocol"]:
            return known
    figures = {k: v for k, v in run.read_results().items() if k not in _REMEASURED}
    recipe = run.recipe.read_text("utf8")
    encoder = from_preset(run.path)
    return save_to_preset(encoder, folder, recipe, {**figures, **setting}, "float16").results


def _from_scratch(subject: Subject, protocol: Protocol, folder: Path) -> steps.FromScratch:
    """From presets beside this one: accuracies that do not depend on the preset."""
    if not subject.labelled:
        return {}
    found = {}
    for path in sorted(folder.resolve().parent.glob(f"*/{RESULTS}")):
        results = read_results(path.parent)
        if (results.get("task"), results.get("protocol")) == (subject.task, protocol.to_dict()):
            for row in results.get("labels", []):
                found[row["fraction"], row["seed"]] = row["from_scratch"]
    return found
