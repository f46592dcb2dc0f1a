"""Hard negatives: what an encoder takes for similar, and is not."""

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_contrastive.ops.similarity import Tensor, l2_normalize
from keras_contrastive.ops.streaming import most_similar


def mine_hard_negatives(
    anchors: ArrayLike,
    candidates: ArrayLike,
    positives: ArrayLike | None = None,
    *,
    ranks: tuple[int, int] = (0, 1),
    margin: float = 0.0,
    relative_margin: float = 0.05,
) -> np.ndarray:
    """The candidates nearest to each anchor, by cosine, that are not its positives.

    What is nearly as near as the positive is often right too. So a candidate counts only if
    `s < p - margin - relative_margin * |p|`, with the anchor's cosines s to it and p to its
    positive, and the first of those that count can be left out by `ranks`. The search is exact and
    takes the memory of a tile of cosines (see `keras_contrastive.ops.set_tile_size`).

    Args:
        anchors: Vectors `(N, D)`, such as `encode` gives.
        candidates: Vectors `(M, D)`; among sentences without pairs the anchors themselves.
        positives: Row of each anchor's positive among the candidates, `(N,)`; or several,
            `(N, P)`, of which the least similar one sets the bound. `None` if row i is that of
            anchor i.
        ranks: First rank, from 0, and the one after the last. `(0, 1)` is the nearest of those that
            count; `(10, 50)` leaves ten out, to draw from the next 40.
        margin: How much less similar than the positive a negative is at least, 0 or more.
        relative_margin: The same as a share of the positive's cosine, 0 or more; 0.05 in the
            reference. With both 0, what is as near as the positive does not count.

    Returns:
        An int32 array `(N, last - first)` of rows of the candidates, nearest first; -1 where there
        are no more.

    Raises:
        ValueError: On vectors that do not fit together or are not finite, positives that are no
            rows, or ranks or margins out of range.

    Example:

    >>> anchors = [[1.0, 0.0]]
    >>> candidates = [[1.0, 0.1], [0.9, 0.1], [0.5, 0.5], [0.0, 1.0]]  # the second is a paraphrase
    >>> mine_hard_negatives(anchors, candidates, ranks=(0, 2)).tolist()
    [[2, 3]]

    Reference:
        Moreira et al., "NV-Retriever: Improving text embedding models with effective hard-negative
        mining", 2024, section 3; with several positives and ranks beside it.
    """
    rows, columns = _unit(anchors, "anchors"), _unit(candidates, "candidates")
    if rows.shape[1] != columns.shape[1]:
        raise ValueError(
            "Expected anchors and candidates of the same dimension, from the same encoder. "
            f"Received: {rows.shape[1]} and {columns.shape[1]}."
        )
    if not 0 <= ranks[0] < ranks[1] or min(margin, relative_margin) < 0:
        raise ValueError(
            "Expected ranks (first, last) with 0 <= first < last, and margins of at least 0. "
            f"Received: ranks={ranks}, margin={margin}, relative_margin={relative_margin}."
        )
    places = _positives(positives, rows.shape[0], columns.shape[0])  # (N, P)
    own = [ops.convert_to_tensor(column) for column in places.T]
    to_own = [ops.sum(rows * ops.take(columns, column, axis=0), axis=1) for column in own]
    nearness = ops.min(ops.stack(to_own), axis=0)  # (N,)

    def no_positive(row: Tensor, column: Tensor) -> Tensor:
        kept = [ops.not_equal(ops.take(part, row), column) for part in own]
        return ops.all(ops.stack(kept), axis=0)

    bound = nearness - margin - relative_margin * ops.abs(nearness)
    _, found = most_similar(rows, columns, ranks[1], no_positive, bound)
    return np.asarray(ops.convert_to_numpy(found))[:, ranks[0] :]


def _unit(vectors: ArrayLike, name: str) -> Tensor:
    vectors = np.asarray(vectors, "float32")
    if vectors.ndim != 2 or 0 in vectors.shape or not np.isfinite(vectors).all():
        raise ValueError(
            f"Expected finite {name} of shape (N, D). Received: shape {vectors.shape}, "
            f"{np.sum(~np.isfinite(vectors))} values that are not finite."
        )
    return l2_normalize(vectors)


def _positives(positives: ArrayLike | None, num_anchors: int, num_candidates: int) -> np.ndarray:
    """Rows of the positives, int32 `(N, P)`."""
    found = np.arange(num_anchors) if positives is None else np.asarray(positives)
    fits = found.ndim in (1, 2) and len(found) == num_anchors and found.dtype.kind in "iu"
    if not fits or found.size == 0 or found.min() < 0 or found.max() >= num_candidates:
        raise ValueError(
            f"Expected a positive for each of {num_anchors} anchors, a row of the "
            f"{num_candidates} candidates. Received: "
            f"{'none' if positives is None else f'shape {found.shape}, dtype {found.dtype}'}"
            f"{f', from {found.min()} to {found.max()}' if found.size else ''}."
        )
    return found.reshape(num_anchors, -1).astype("int32")
