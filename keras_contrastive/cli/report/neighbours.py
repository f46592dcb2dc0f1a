"""Nearest neighbours: what the encoder finds alike."""

import numpy as np

from keras_contrastive.cli.report.pictures import shot_html
from keras_contrastive.data import Source

_QUERIES, _NEIGHBOURS = 10, 8


def neighbours_section(
    bank_features: np.ndarray, bank: Source, query_features: np.ndarray, queries: Source
) -> str:
    """Test images, each with the training images whose features are nearest."""
    rows = _choose(queries)
    nearest = _nearest(bank_features, query_features[rows])
    lines = []
    for query, found in zip(rows, nearest):
        shots = [shot_html(queries.images[query], _name(queries, query), "query")]
        shots.append('<div class="gap"></div>')
        for row in found:
            kind, mark = "", ""
            if bank.labels is not None and queries.labels is not None:
                hit = bank.labels[row] == queries.labels[query]
                kind, mark = ("hit", "✓ ") if hit else ("miss", "✗ ")
            shots.append(shot_html(bank.images[row], mark + _name(bank, row), kind))
        lines.append(f'<div class="row">{"".join(shots)}</div>')
    labelled = bank.labels is not None and queries.labels is not None
    marked = " Solid green: the same class; dashed: another." if labelled else ""
    return f"""<h2>Nearest neighbours</h2>
<p>Left a test image, then the {_NEIGHBOURS} training images with the most similar features
(cosine).{marked} The queries are drawn at random, one a class where there are labels.</p>
{"".join(lines)}"""


def _choose(queries: Source) -> list[int]:
    order = np.random.default_rng(0).permutation(len(queries))
    if queries.labels is None:
        return order[:_QUERIES].tolist()
    first = {int(queries.labels[row]): int(row) for row in order[::-1]}
    return [first[label] for label in sorted(first)[:_QUERIES]]


def _nearest(bank: np.ndarray, queries: np.ndarray) -> np.ndarray:
    bank, queries = (
        x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (bank, queries)
    )
    return np.argsort(-(queries @ bank.T), axis=1, kind="stable")[:, :_NEIGHBOURS]


def _name(source: Source, row: int) -> str:
    if source.labels is None:
        return ""
    label = int(source.labels[row])
    return str(label) if source.class_names is None else source.class_names[label]
