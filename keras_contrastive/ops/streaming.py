"""Sums over all pairs of queries and keys in little memory, exact in value and gradient.

Each is `F_i` of a query's kept logits `l_ij = q_i.k_j`. With the weights `w_ij = dF_i / dl_ij`, the
gradient of a query is `g_i sum_j w_ij k_j`, which the forward pass collects beside the sum, and
that of a key is `sum_i w_ij g_i q_i`, for which the backward pass makes the tiles again. So nothing
of the size of the matrix of logits is ever held.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.ops.tiles import Tile, fold

# True where a pair of row and column indices counts; they broadcast against one another. What it
# closes over is a constant for the gradient.
Mask = Callable[[Tensor, Tensor], Tensor]

# Added before the exponential: exp underflows to exactly 0 in float32, without the NaN of -inf.
MASKED = -1e9

Sums = tuple[Tensor, ...]


class Reduction(NamedTuple):
    """A sum over the kept pairs of a query, and its weights.

    Attributes:
        start: Function of queries `(R, D)` that gives what the sum starts from.
        step: Function of the sums so far, queries `(R, D)`, keys `(C, D)` and which of their pairs
            are kept, `(R, C)` or `None` for all, that gives the sums with these.
        finish: Function of queries and sums that gives `F` `(R,)` and `sum_j w_ij k_j` `(R, D)`.
        weights: Function of keys `(C, D)`, queries `(R, D)` and F `(R,)` that gives w `(C, R)`.
    """

    start: Callable[[Tensor], Sums]
    step: Callable[[Sums, Tensor, Tensor, Tensor | None], Sums]
    finish: Callable[[Tensor, Sums], tuple[Tensor, Tensor]]
    weights: Callable[[Tensor, Tensor, Tensor], Tensor]


def reduce_pairs(queries: Tensor, keys: Tensor, keep: Mask | None, reduction: Reduction) -> Tensor:
    """A reduction of each query's kept pairs, with its gradients to queries and keys.

    Args:
        queries: Tensor `(N, D)`.
        keys: Tensor `(M, D)`.
        keep: Which pairs count; `None` for all.
        reduction: `LOG_SUM_EXP`, `SOFTPLUS` or `TOTAL`.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> z = np.zeros((3, 2), "float32")
    >>> round(float(reduce_pairs(z, z, None, LOG_SUM_EXP)[0]), 4)  # log 3
    1.0986
    """
    queries, keys = ops.cast(queries, "float32"), ops.cast(keys, "float32")
    rows, columns = ops.stop_gradient(queries), ops.stop_gradient(keys)

    def step(sums: Sums, outer: Tile, inner: Tile) -> Sums:
        kept = _kept(keep, outer.index[:, None], inner.index[None, :], inner.valid)
        return reduction.step(sums, outer.rows[0], inner.rows[0], kept)

    sums = fold([rows], [columns], lambda outer: reduction.start(outer.rows[0]), step)
    value, slope = reduction.finish(rows, sums)

    def of_keys(upstream: Tensor) -> Tensor:
        def step(sums: Sums, outer: Tile, inner: Tile) -> Sums:
            (tile,), (others, scaled, values) = outer.rows, inner.rows
            weights = reduction.weights(tile, others, values)
            kept = _kept(keep, inner.index[None, :], outer.index[:, None], inner.valid)
            return (sums[0] + ops.matmul(_where(kept, weights, 0.0), scaled),)

        inner = [rows, rows * upstream[:, None], value]
        return fold([columns], inner, lambda outer: (ops.zeros_like(outer.rows[0]),), step)[0]

    # Queries get theirs from a term that is 0. Keys get theirs apart, since those of a queue need
    # none, and by a function of what it is given alone, as TensorFlow's graphs ask for.
    @ops.custom_gradient
    def nothing(keys: Tensor, zeros: Tensor) -> tuple[Tensor, Callable]:
        def gradient(*args: Tensor, upstream: Tensor | None = None) -> tuple[Tensor, Tensor]:
            upstream = args[0] if upstream is None else upstream
            return of_keys(upstream), upstream

        return zeros * 1.0, gradient

    return value + ops.sum((queries - rows) * slope, axis=1) + nothing(keys, ops.zeros_like(value))


def count_pairs(queries: Tensor, keys: Tensor, keep: Mask) -> Tensor:
    """How many pairs of each query are kept, float32 `(N,)`."""

    def step(sums: Sums, outer: Tile, inner: Tile) -> Sums:
        kept = _kept(keep, outer.index[:, None], inner.index[None, :], inner.valid)
        everything = ops.zeros_like(outer.index[:, None] + inner.index[None, :], dtype="bool")
        kept = ops.logical_or(kept, everything)  # (R, C) of any mask
        return (sums[0] + ops.sum(ops.cast(kept, "float32"), axis=1),)

    rows, columns = ops.stop_gradient(queries)[:, 0], ops.stop_gradient(keys)[:, 0]
    start = lambda outer: (ops.zeros_like(outer.rows[0], dtype="float32"),)  # noqa: E731
    return fold([rows], [columns], start, step)[0]


def nearest(queries: Tensor, keys: Tensor, keep: Mask | None = None) -> tuple[Tensor, Tensor]:
    """The largest inner product of each query with its kept keys, and the key's index."""
    queries, keys = (ops.stop_gradient(ops.cast(x, "float32")) for x in (queries, keys))

    def start(outer: Tile) -> Sums:
        first = ops.zeros_like(outer.index)
        return 2.0 * MASKED + ops.cast(first, "float32"), first

    def step(best: Sums, outer: Tile, inner: Tile) -> Sums:
        kept = _kept(keep, outer.index[:, None], inner.index[None, :], inner.valid)
        logits = _where(kept, _logits(outer.rows[0], inner.rows[0]), MASKED)
        place = ops.cast(ops.argmax(logits, axis=1), best[1].dtype)
        value, index = ops.max(logits, axis=1), ops.take(inner.index, place)
        nearer = value > best[0]  # the first of equals stays
        return ops.where(nearer, value, best[0]), ops.where(nearer, index, best[1])

    return fold([queries], [keys], start, step)


def _log_sum_exp() -> Reduction:
    def start(queries: Tensor) -> Sums:
        zeros = ops.zeros_like(queries)
        return zeros[:, 0] + MASKED, zeros[:, 0], zeros

    def step(sums: Sums, queries: Tensor, keys: Tensor, kept: Tensor | None) -> Sums:
        peak, total, weighted = sums
        logits = _where(kept, _logits(queries, keys), MASKED)
        new_peak = ops.maximum(peak, ops.max(logits, axis=1))
        shrunk = ops.exp(peak - new_peak)
        terms = ops.exp(logits - new_peak[:, None])
        return (
            new_peak,
            shrunk * total + ops.sum(terms, axis=1),
            shrunk[:, None] * weighted + ops.matmul(terms, keys),
        )

    def finish(queries: Tensor, sums: Sums) -> tuple[Tensor, Tensor]:
        peak, total, weighted = sums
        some = ops.cast(peak > MASKED / 2, "float32")  # a row without pairs has no gradient
        return peak + ops.log(total), weighted * (some / total)[:, None]

    def weights(keys: Tensor, queries: Tensor, value: Tensor) -> Tensor:
        return ops.exp(_logits(keys, queries) - value[None, :])

    return Reduction(start, step, finish, weights)


def _softplus() -> Reduction:
    def start(queries: Tensor) -> Sums:
        zeros = ops.zeros_like(queries)
        return zeros[:, 0], zeros

    def step(sums: Sums, queries: Tensor, keys: Tensor, kept: Tensor | None) -> Sums:
        logits = _where(kept, _logits(queries, keys), MASKED)
        return (
            sums[0] + ops.sum(ops.softplus(logits), axis=1),
            sums[1] + ops.matmul(ops.sigmoid(logits), keys),
        )

    def finish(queries: Tensor, sums: Sums) -> tuple[Tensor, Tensor]:
        return sums[0], sums[1]

    def weights(keys: Tensor, queries: Tensor, value: Tensor) -> Tensor:
        return ops.sigmoid(_logits(keys, queries))

    return Reduction(start, step, finish, weights)


def _total() -> Reduction:
    def start(queries: Tensor) -> Sums:
        return (ops.zeros_like(queries),)

    def step(sums: Sums, queries: Tensor, keys: Tensor, kept: Tensor | None) -> Sums:
        return (sums[0] + ops.matmul(_where(kept, _ones(queries, keys), 0.0), keys),)

    def finish(queries: Tensor, sums: Sums) -> tuple[Tensor, Tensor]:
        return ops.sum(queries * sums[0], axis=1), sums[0]

    def weights(keys: Tensor, queries: Tensor, value: Tensor) -> Tensor:
        return _ones(keys, queries)

    return Reduction(start, step, finish, weights)


LOG_SUM_EXP, SOFTPLUS, TOTAL = _log_sum_exp(), _softplus(), _total()


def _logits(rows: Tensor, columns: Tensor) -> Tensor:
    return ops.matmul(rows, ops.transpose(columns))


def _ones(rows: Tensor, columns: Tensor) -> Tensor:
    return ops.ones_like(rows[:, :1] + columns[None, :, 0])


def _kept(keep: Mask | None, row: Tensor, column: Tensor, valid: Tensor | None) -> Tensor | None:
    valid = None if valid is None else valid[None, :]
    if keep is None or valid is None:
        return valid if keep is None else keep(row, column)
    return ops.logical_and(keep(row, column), valid)


def _where(kept: Tensor | None, values: Tensor, otherwise: float) -> Tensor:
    return values if kept is None else ops.where(kept, values, otherwise)
