"""Log-sum-exps of the rows and of the columns of a matrix of logits that is made once for both.

Of logits `l_ij = x_i.y_j`, let `r_i` be those of the rows and `c_j` those of the columns. With the
gradients g and h to them, the weights are `w_ij = g_i exp(l_ij - r_i) + h_j exp(l_ij - c_j)`, and
the gradients to x and y are `w y` and `w^T x`. Where x and y are the same z, and (j, i) is kept
where (i, j) is, half the matrix is enough: its rows are the columns of the other half.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.ops.streaming import (
    MASKED,
    Mask,
    both,
    indices,
    kept_pairs,
    products,
    where_kept,
    with_gradient,
)
from keras_contrastive.ops.tiles import Tile, fold_both_ways, held_whole


class Terms(NamedTuple):
    """What is made of a tile of logits, for its sums and its weights.

    Attributes:
        of_logits: Function of logits `(R, C)`, -1e9 where a pair is left out, that gives the terms.
        log_sum_exp: Function of the terms and an axis that gives the log-sum-exps along it.
        weights: Function of the terms, r `(R,)`, c `(C,)`, g `(R,)` and h `(C,)` that gives the
            weights `(R, C)`.
    """

    of_logits: Callable[[Tensor], Tensor]
    log_sum_exp: Callable[[Tensor, int], Tensor]
    weights: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


def _of_any_logits() -> Terms:
    """Each row and each column has a peak of its own."""

    def log_sum_exp(logits: Tensor, axis: int) -> Tensor:
        peak = ops.max(logits, axis=axis, keepdims=True)
        total = ops.sum(ops.exp(logits - peak), axis=axis)
        return ops.squeeze(peak, axis=axis) + ops.log(total)

    def weights(logits: Tensor, r: Tensor, c: Tensor, g: Tensor, h: Tensor) -> Tensor:
        of_rows = g[:, None] * ops.exp(logits - r[:, None])
        return of_rows + h[None, :] * ops.exp(logits - c[None, :])

    return Terms(lambda logits: logits, log_sum_exp, weights)


def _of_small_logits() -> Terms:
    """One exponential does for row and column: it neither over- nor underflows."""

    def log_sum_exp(terms: Tensor, axis: int) -> Tensor:
        total = ops.sum(terms, axis=axis)
        return ops.where(ops.equal(total, 0.0), MASKED, ops.log(ops.maximum(total, 1e-37)))

    def share(upstream: Tensor, sums: Tensor) -> Tensor:
        return upstream * ops.exp(ops.minimum(-sums, SMALL_LOGIT))  # finite without pairs

    def weights(terms: Tensor, r: Tensor, c: Tensor, g: Tensor, h: Tensor) -> Tensor:
        return terms * (share(g, r)[:, None] + share(h, c)[None, :])

    return Terms(ops.exp, log_sum_exp, weights)


SMALL_LOGIT = 40.0  # exp(-40) to exp(40), and sums of them, are float32 with room to spare
ANY, SMALL = _of_any_logits(), _of_small_logits()


def log_sum_exp_among(z: Tensor, keep: Mask | None = None, of: Terms = ANY) -> Tensor:
    """The log-sum-exp of each row's kept logits with the rows of the same tensor.

    Args:
        z: Tensor `(N, D)`.
        keep: Which pairs count, symmetric in its arguments; `None` for all.
        of: `ANY`, or `SMALL` where no logit is beyond `SMALL_LOGIT` in size.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> round(float(log_sum_exp_among(np.zeros((3, 2)))[0]), 4)  # log 3
    1.0986
    """
    z = ops.cast(z, "float32")
    rows = ops.stop_gradient(z)
    if not held_whole(rows, rows):
        value = ops.logaddexp(*_over_tiles(rows, rows, keep, of, symmetric=True))

        def of_tiles(upstream: Tensor, rows: Tensor, value: Tensor) -> Tensor:
            tensors = [rows, value, upstream]
            return ops.add(*_gradients_over_tiles(tensors, tensors, keep, of, symmetric=True))

        return _with_gradient(value, z, of_tiles, [rows, value])

    terms = of.of_logits(_masked_logits(rows, rows, keep))
    value = of.log_sum_exp(terms, 1)

    def of_whole(upstream: Tensor, rows: Tensor, value: Tensor, terms: Tensor) -> Tensor:
        upstream = _of_some(upstream, value)
        return ops.matmul(of.weights(terms, value, value, upstream, upstream), rows)

    return _with_gradient(value, z, of_whole, [rows, value, terms])


def log_sum_exp_both_ways(
    x: Tensor, y: Tensor, keep: Mask | None = None, of: Terms = ANY
) -> tuple[Tensor, Tensor]:
    """The log-sum-exps of the kept logits of each row of x, and of each row of y.

    Args:
        x: Tensor `(N, D)`.
        y: Tensor `(M, D)`.
        keep: Which pairs count, of rows of x and of y; `None` for all.
        of: As in `log_sum_exp_among`.

    Returns:
        Float32 tensors `(N,)` and `(M,)`.

    Example:

    >>> import numpy as np
    >>> rows, columns = log_sum_exp_both_ways(np.zeros((3, 2)), np.zeros((1, 2)))
    >>> round(float(rows[0]), 4), round(float(columns[0]), 4)  # log 1 and log 3
    (0.0, 1.0986)
    """
    x, y = ops.cast(x, "float32"), ops.cast(y, "float32")
    length = ops.shape(x)[0]
    rows, columns = ops.stop_gradient(x), ops.stop_gradient(y)
    if held_whole(rows, columns):
        whole = [of.of_logits(_masked_logits(rows, columns, keep))]
        values = of.log_sum_exp(whole[0], 1), of.log_sum_exp(whole[0], 0)
    else:
        whole, values = [], _over_tiles(rows, columns, keep, of, symmetric=False)

    def gradient(
        upstream: Tensor, rows: Tensor, columns: Tensor, r: Tensor, c: Tensor, *whole: Tensor
    ) -> Tensor:
        first, second = [rows, r, upstream[:length]], [columns, c, upstream[length:]]
        if whole:
            parts = _gradients(whole[0], first, second, of)
        else:
            parts = _gradients_over_tiles(first, second, keep, of, symmetric=False)
        return ops.concatenate(parts, axis=0)

    joined, value = ops.concatenate([x, y], axis=0), ops.concatenate(values, axis=0)
    value = _with_gradient(value, joined, gradient, [rows, columns, *values, *whole])
    return value[:length], value[length:]


def _over_tiles(
    x: Tensor, y: Tensor, keep: Mask | None, of: Terms, symmetric: bool
) -> tuple[Tensor, Tensor]:
    def step(first: Tile, second: Tile, twice: Tensor) -> tuple[Tensor, Tensor]:
        terms = of.of_logits(_logits_of(first, second, keep))
        return of.log_sum_exp(terms, 1), ops.where(twice, of.log_sum_exp(terms, 0), MASKED)

    def start(tile: Tile) -> Tensor:
        return MASKED + ops.zeros_like(tile.rows[0][:, 0])

    return fold_both_ways([x], [y], start, step, ops.logaddexp, symmetric)


def _gradients_over_tiles(
    first: list[Tensor], second: list[Tensor], keep: Mask | None, of: Terms, symmetric: bool
) -> tuple[Tensor, Tensor]:
    """Of vectors, their log-sum-exps and the gradients to these."""

    def step(first: Tile, second: Tile, twice: Tensor) -> tuple[Tensor, Tensor]:
        terms = of.of_logits(_logits_of(first, second, keep))
        columns, sums, upstream = second.rows
        counted = [columns, sums, ops.where(twice, upstream, 0.0)]
        return _gradients(terms, first.rows, counted, of)

    def start(tile: Tile) -> Tensor:
        return ops.zeros_like(tile.rows[0])

    return fold_both_ways(first, second, start, step, ops.add, symmetric)


def _gradients(
    terms: Tensor, first: list[Tensor], second: list[Tensor], of: Terms
) -> tuple[Tensor, Tensor]:
    (x, r, g), (y, c, h) = first, second
    weights = of.weights(terms, r, c, _of_some(g, r), _of_some(h, c))
    return ops.matmul(weights, y), ops.matmul(ops.transpose(weights), x)


def _of_some(upstream: Tensor, value: Tensor) -> Tensor:
    """What has no pairs has no gradient; what is not a number is not hidden."""
    return ops.where(value < MASKED / 2, 0.0, upstream)


def _logits_of(first: Tile, second: Tile, keep: Mask | None) -> Tensor:
    kept = kept_pairs(keep, first.index[:, None], second.index[None, :], second.valid)
    kept = both(kept, None if first.valid is None else first.valid[:, None])
    return where_kept(kept, products(first.rows[0], second.rows[0]), MASKED)


def _masked_logits(x: Tensor, y: Tensor, keep: Mask | None) -> Tensor:
    return _logits_of(Tile([x], indices(x), None), Tile([y], indices(y), None), keep)


def _with_gradient(
    value: Tensor, x: Tensor, gradient: Callable[..., Tensor], constants: list[Tensor]
) -> Tensor:
    return ops.stop_gradient(value) + with_gradient(x, ops.zeros_like(value), gradient, constants)
