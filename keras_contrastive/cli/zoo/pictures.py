"""The picture of a card: the curve, a map of the representation, and whose neighbours are whose.

It shows no image of the data: those have licences of their own. The report of a run does.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from keras_contrastive.cli.report.map import draw_points, project
from keras_contrastive.cli.report.pictures import PALETTE, new_figure
from keras_contrastive.cli.zoo.subject import Subject

PICTURE = "picture.png"
_POINTS, _BANK, _NEIGHBOURS = 800, 10_000, 10
_MOST_CLASSES = len(PALETTE)


def write_picture(subject: Subject, history: list[float], every: int, path: Path) -> None:
    """Write the picture.

    Args:
        subject: The encoder and its images.
        history: kNN accuracies while it was trained, the first after one epoch.
        every: Epochs between two of them.
        path: A `.png` file, of some twenty thousand bytes.

    Raises:
        ImportError: Without matplotlib or scikit-learn.
    """
    with_labels = subject.labelled and (subject.splits.test.num_classes or 0) <= _MOST_CLASSES
    columns = 1 + (len(history) > 1) + with_labels
    figure, axes = new_figure(columns, 3.4 * columns, 3.3)
    rest = iter(axes)
    if len(history) > 1:
        _curve(next(rest), history, every)
    _map(next(rest), subject)
    if with_labels:
        _neighbours(next(rest), subject)
    _write(figure, path)


def _curve(axis: Any, history: list[float], every: int) -> None:
    epochs = [1 + every * row for row in range(len(history))]
    axis.plot(epochs, [100 * value for value in history], color=PALETTE[0], linewidth=1.8)
    axis.set_title("kNN accuracy of held-out\ntraining images, %", fontsize=9, loc="left")
    axis.set_xlabel("epoch", fontsize=8, color="#5d6b7a")
    axis.grid(axis="y", color="#eef1f4")


def _map(axis: Any, subject: Subject) -> None:
    test = subject.splits.test
    rows = _some(len(test), _POINTS)
    points = project(subject.test_features[rows])
    draw_points(axis, points, test.subset(rows), "")
    axis.collections[0].set_sizes([7])
    axis.set_title(f"{len(rows)} test images by their\nfeatures (t-SNE)", fontsize=9, loc="left")


def _neighbours(axis: Any, subject: Subject) -> None:
    shares, names = neighbour_shares(subject)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.05:
            axis.text(
                column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=6,
                color="white" if share > 0.5 else "#1d2733",
            )  # fmt: skip
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axis.set_yticks(range(len(names)), names, fontsize=7)
    for label, tick in enumerate(axis.get_yticklabels()):
        tick.set_color(PALETTE[label % len(PALETTE)])  # the colours of the map
        tick.set_fontweight("bold")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    title = f"of each class the classes of its {_NEIGHBOURS}\nnearest training images, %"
    axis.set_title(title, fontsize=9, loc="left")


def neighbour_shares(subject: Subject) -> tuple[np.ndarray, list[str]]:
    """Of the test images of each class, the share of each class among their neighbours.

    Returns:
        An array `(C, C)` whose rows sum to 1, and the names of the classes.
    """
    train, test = subject.splits.train, subject.splits.test
    number = train.num_classes or 0
    rows = _some(len(train), _BANK)
    bank, queries = (
        x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
        for x in (subject.train_features[rows], subject.test_features)
    )
    most = min(_NEIGHBOURS, len(bank))
    nearest = np.argpartition(-(queries @ bank.T), most - 1, axis=1)[:, :most]
    found = np.asarray(train.labels)[rows][nearest]  # (Q, neighbours)
    counts = np.zeros((number, number))
    np.add.at(counts, (np.repeat(np.asarray(test.labels), most), found.ravel()), 1)
    names = train.class_names or tuple(map(str, range(number)))
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), list(names)


def _some(rows: int, most: int) -> np.ndarray:
    return np.sort(np.random.default_rng(0).permutation(rows)[:most])


def _write(figure: Any, path: Path) -> None:
    """As PNG with a palette, which keeps the colours of the classes, in a third of the bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    picture = Image.open(buffer).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
