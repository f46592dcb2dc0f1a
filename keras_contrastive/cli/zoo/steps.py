"""The measurements of a preset, each in pieces that are written as soon as they are known.

A step takes the figures that there are already and yields those that are missing, so that an
interrupted series goes on where it ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.cli.measure import accuracies, geometry
from keras_contrastive.cli.splits import repeat
from keras_contrastive.cli.zoo.protocol import Protocol
from keras_contrastive.cli.zoo.subject import Subject, splits_for
from keras_contrastive.data import Source
from keras_contrastive.evaluation.fine_tune import accuracy_after_training

Figures = dict[str, Any]
# Figures of another network that hold for this one too: (share of the labels, seed) -> accuracy.
FromScratch = Mapping[tuple[float, int], float]


def frozen(subject: Subject, protocol: Protocol, known: Figures) -> Iterator[Figures]:
    """kNN, linear and ridge probe, and the geometry of the features."""
    if "rank_me" in known:
        return
    train, test = subject.splits.train, subject.splits.test
    figures: Figures = {"num_train": len(train), "num_test": len(test)}
    if subject.labelled:
        figures |= accuracies(
            subject.train_features,
            train.labels,
            subject.test_features,
            test.labels,
            protocol.k,
            protocol.temperature,
        )
    yield figures | geometry(subject.test_features)


def few_labels(
    subject: Subject, protocol: Protocol, known: Figures, from_scratch: FromScratch
) -> Iterator[Figures]:
    """Classifiers that see a share of the labels: linear, fine-tuned, and from scratch."""
    rows = list(known.get("labels", []))
    done = {(row["fraction"], row["seed"]) for row in rows}
    fractions = [f for f in protocol.label_epochs if f not in too_few(subject, protocol)]
    wanted = [(f, seed) for f in fractions for seed in protocol.seeds]
    for fraction, seed in wanted if subject.labelled else ():
        if (fraction, seed) in done:
            continue
        row = _few_labels(subject, protocol, fraction, seed, from_scratch.get((fraction, seed)))
        rows = [*rows, row]
        yield {"labels": rows, "task": subject.task}


def too_few(subject: Subject, protocol: Protocol) -> list[float]:
    """Shares with at most one label a class: a probe holds some out to choose its settings on."""
    if not subject.labelled:
        return []
    labels = np.asarray(subject.splits.train.labels)
    return [
        fraction
        for fraction in protocol.label_epochs
        if not repeat(labels[evaluation.label_subset(labels, fraction)])
    ]


def _few_labels(
    subject: Subject, protocol: Protocol, fraction: float, seed: int, from_scratch: float | None
) -> Figures:
    train, test = subject.splits.train, subject.splits.test
    labels = np.asarray(train.labels)
    chosen = evaluation.label_subset(labels, fraction, seed)
    data = (train.images[chosen], labels[chosen], test.images, np.asarray(test.labels))

    def after_training(weights: list[np.ndarray] | None) -> float:
        return accuracy_after_training(
            subject.encoder,
            weights,
            data,
            num_classes=int(labels.max()) + 1,
            epochs=protocol.label_epochs[fraction],
            batch_size=protocol.batch_size,
            learning_rate=protocol.learning_rate,
            augmentation=None,
            seed=seed,
        )

    if from_scratch is None:
        from_scratch = after_training(None)
    linear = evaluation.linear_probe(
        subject.train_features[chosen], data[1], subject.test_features, data[3], seed=seed
    )
    return {
        "fraction": fraction,
        "seed": seed,
        "num_labels": len(chosen),
        "from_scratch": from_scratch,
        "linear": linear.accuracy,
        "fine_tuned": after_training(subject.encoder.get_weights()),
    }


def transfer(
    subject: Subject, protocol: Protocol, known: Figures, sources: Sequence[str]
) -> Iterator[Figures]:
    """Probes on frozen features of images that the encoder never saw."""
    rows = list(known.get("other_data", []))
    for source in sources:
        name = _name(source)
        if name in [row["data"] for row in rows]:
            continue
        splits = splits_for(subject.encoder, source)
        rows = [*rows, {"data": name, **_transfer(subject, protocol, splits.train, splits.test)}]
        yield {"other_data": rows}


def _name(source: str) -> str:
    """`digits` of `digits`, `cells` of `data/cells.npz` and of `cells/train.npz,cells/test.npz`."""
    train, _, test = source.partition(",")
    path = Path(train)
    return path.parent.name if test and path.parent.name else path.stem


def _transfer(subject: Subject, protocol: Protocol, train: Source, test: Source) -> Figures:
    def probes(encoder: Any) -> dict[str, float]:
        features = [evaluation.embed(encoder, source.images) for source in (train, test)]
        k = min(protocol.transfer_k, len(train))
        figures = accuracies(
            features[0], train.labels, features[1], test.labels, k, protocol.temperature
        )
        return {name: figures[name] for name in ("knn", "linear")}

    return {
        "num_train": len(train),
        "num_test": len(test),
        "num_classes": train.num_classes,
        **probes(subject.encoder),
        "untrained": probes(subject.untrained()),
    }


def sample(subject: Subject, known: Figures) -> Iterator[Figures]:
    """Features of noise that anybody can draw again: what every backend must compute."""
    if "sample" in known or None in subject.encoder.input_shape[1:]:
        return
    features = evaluation.embed(subject.encoder, noise(subject.encoder.input_shape))[0]
    yield {"sample": [float(f"{value:.7g}") for value in features]}


def noise(input_shape: Sequence[int | None]) -> np.ndarray:
    """One image of uniform noise, `numpy.random.default_rng(0)`'s first."""
    shape = (1, *(size or 1 for size in input_shape[1:]))
    return np.random.default_rng(0).random(shape, "float32")
