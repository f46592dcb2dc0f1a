"""Encoders and tables of sentences, and the figures of one on the other."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.encoders import SentenceEncoder
from keras_contrastive.presets import from_preset

_ALIKE = 0.8  # of the highest score; 4 on the scale of STS


def load_sentence_encoder(encoder: str) -> SentenceEncoder:
    """A sentence encoder of a run, a `.keras` file, or a folder in Hugging Face's layout.

    Raises:
        ValueError: On what is none.
    """
    if (Path(encoder) / "config.json").is_file():
        return SentenceEncoder.from_hugging_face(encoder)
    model = from_preset(encoder)
    if not isinstance(model, SentenceEncoder):
        raise ValueError(
            f"Expected an encoder of sentences. Received: {encoder}, a {type(model).__name__}. "
            "Save a `keras_contrastive.encoders.SentenceEncoder`, or a method that has trained it."
        )
    return model


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, a sentence each.

    Raises:
        ValueError: On an empty file or another encoding than UTF-8.
    """
    try:
        text = path.read_text(encoding="utf8").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"Expected text in UTF-8. Received: {path}: {error}") from None
    if not text:
        raise ValueError(f"Expected a sentence on each line. Received: {path}, which is empty.")
    return text.split("\n")  # `splitlines` knows ends that a sentence may hold


def read_table(path: Path) -> dict[str, list[str]]:
    """The columns of a file with tabs between them and their names in the first line.

    Raises:
        ValueError: On rows that are too short or too long, or none.
    """
    names, *rows = csv.reader(read_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise ValueError(
                f"Expected {len(names)} columns, {', '.join(names)}, on each line of {path}. "
                f"Received: {len(row)} on line {number}."
            )
    if not rows:
        raise ValueError(f"Expected lines below the names of the columns. Received: {path}.")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def evaluate_sentences(
    encoder: SentenceEncoder, data: Path, test: Path | None = None, folds: int = 10, seed: int = 0
) -> dict[str, Any]:
    """Measure a sentence encoder on a table.

    Args:
        encoder: The encoder.
        data: A table with the columns `sentence1`, `sentence2` and `score`, for similarity; or
            `label`, with `text` or with `sentence1` and `sentence2`, for classification.
        test: A second table to test the classification on; `None` for cross-validation.
        folds: Parts of that.
        seed: Of the folds and of what is held out to choose the regularisation.

    Returns:
        `sts`, with a column `source` also `sts_mean` and `sts_wmean`, and `alignment` and
        `uniformity`; or `transfer`, by cross-validation also `transfer_std`.

    Raises:
        ValueError: On other columns, scores that are no numbers, or labels that only the test has.
    """
    columns = read_table(data)
    if {"sentence1", "sentence2", "score"} <= set(columns):
        return _similarity(encoder, columns)
    parts = [columns] if test is None else [columns, read_table(test)]
    for path, part in zip((data, test), parts):
        if "label" not in part or not ({"text"} <= set(part) or "sentence2" in part):
            raise ValueError(
                "Expected a table with the columns sentence1, sentence2 and score, or label with "
                f"text or with sentence1 and sentence2. Received: {path} with {', '.join(part)}."
            )
    classes = {label: number for number, label in enumerate(sorted(set(columns["label"])))}
    unknown = sorted({label for part in parts for label in part["label"]} - set(classes))
    if unknown:
        raise ValueError(f"Expected the labels of {data} in {test}. Received: {unknown[0]!r} too.")
    arguments: list[Any] = [
        argument
        for part in parts
        for argument in (_texts(part), np.array([classes[label] for label in part["label"]]))
    ]
    found = evaluation.transfer(encoder.encode, *arguments, folds=folds, seed=seed)
    names = {"accuracy": "transfer", "std": "transfer_std"}
    return {names[name]: value for name, value in found.items()}


def _texts(columns: dict[str, list[str]]) -> Any:
    return columns["text"] if "text" in columns else (columns["sentence1"], columns["sentence2"])


def _similarity(encoder: SentenceEncoder, columns: dict[str, list[str]]) -> dict[str, Any]:
    first, second = columns["sentence1"], columns["sentence2"]
    scores = np.array([float(score) for score in columns["score"]])
    sentences = list(dict.fromkeys([*first, *second]))
    vectors = dict(zip(sentences, encoder.encode(sentences), strict=True))

    def encode(texts: list[str]) -> list[np.ndarray]:
        return [vectors[text] for text in texts]

    found = evaluation.sts(encode, first, second, scores, columns.get("source"))
    alike = _ALIKE * scores.max()
    return {
        **{f"sts_{name}".removesuffix("_all"): value for name, value in found.items()},
        **evaluation.sts_geometry(encode, first, second, scores, at_least=alike),
    }
