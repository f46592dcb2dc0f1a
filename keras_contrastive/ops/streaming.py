"""Sums over all pairs of queries and keys in little memory, exact in value and gradient.

Each is `F_i` of a query's kept logits `l_ij = q_i.k_j`. With the weights `w_ij = dF_i / dl_ij`, the
gradient of a query is `g_i sum_j w_ij k_j`, which the forward pass collects beside the sum, and
that of a key is `sum_i w_ij g_i q_i`, for which the backward pass makes the tiles again. So nothing
of the size of the matrix of logits is ever held, unless it is a few tiles.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.ops.tiles import Tile, fold, held_whole

# True where a pair of row and column indices counts; they broadcast against one another. What it
# closes over is a constant for the gradient. On JAX, take the gradient inside of `jit` rather than
# of a compiled function if these are arguments of that, such as labels, in more than a tile.
Mask = Callable[[Tensor, Tensor], Tensor]

# Added before the exponential: exp underflows to exactly 0 in float32, without the NaN of -inf.
MASKED = -1e9

Sums = tuple[Tensor, ...]


class Reduction(NamedTuple):
    """A sum over the kept pairs of each query, and its weights.

    Attributes:
        start: Function of queries `(R, D)` that gives what the sums start from.
        step: Function of the sums so far, queries `(R, D)`, keys `(C, D)` and which of their pairs
            are kept, `(R, C)` or `None` for all. It gives the new sums, what shrinks the terms of
            earlier keys, `(R, 1)`, and the terms of these, `(R, C)`.
        finish: Function of the sums that gives F `(R,)` and `scale` `(R, 1)`; the weights are the
            terms times it.
        weights: Function of keys `(C, D)`, queries `(R, D)` and F `(R,)` that gives the weights
            `(C, R)` at once, as far as the pairs are kept.
    """

    start: Callable[[Tensor], Sums]
    step: Callable[[Sums, Tensor, Tensor, Tensor | None], tuple[Sums, Any, Tensor]]
    finish: Callable[[Sums], tuple[Tensor, Any]]
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
    reduce = _at_once if held_whole(rows, columns) else _over_tiles
    value, slope, of_keys, constants = reduce(rows, columns, keep, reduction)
    # Results are constants too, or TensorFlow would differentiate the loops that made them.
    value, slope = ops.stop_gradient(value), ops.stop_gradient(slope)
    # A term that is 0 brings the queries' gradient.
    to_queries = ops.sum((queries - rows) * slope, axis=1)
    return value + to_queries + with_gradient(keys, ops.zeros_like(value), of_keys, constants)


# F, its slope, and the gradient to the keys: a function of that to F and of the constants that
# follow it.
Reduced = tuple[Tensor, Tensor, Callable[..., Tensor], list[Tensor]]


def _at_once(rows: Tensor, columns: Tensor, keep: Mask | None, reduction: Reduction) -> Reduced:
    kept = kept_pairs(keep, indices(rows)[:, None], indices(columns)[None, :], None)
    sums, _, terms = reduction.step(reduction.start(rows), rows, columns, kept)
    value, scale = reduction.finish(sums)

    def of_keys(upstream: Tensor, terms: Tensor, scaled: Tensor) -> Tensor:
        return ops.matmul(ops.transpose(terms), scaled * upstream[:, None])

    return value, scale * ops.matmul(terms, columns), of_keys, [terms, scale * rows]


def _over_tiles(rows: Tensor, columns: Tensor, keep: Mask | None, reduction: Reduction) -> Reduced:
    def start(outer: Tile) -> Sums:
        return *reduction.start(outer.rows[0]), ops.zeros_like(outer.rows[0])

    def step(carry: Sums, outer: Tile, inner: Tile) -> Sums:
        *sums, weighted = carry
        kept = kept_pairs(keep, outer.index[:, None], inner.index[None, :], inner.valid)
        new, shrink, terms = reduction.step(tuple(sums), outer.rows[0], inner.rows[0], kept)
        return *new, shrink * weighted + ops.matmul(terms, inner.rows[0])

    *sums, weighted = fold([rows], [columns], start, step)
    value, scale = reduction.finish(tuple(sums))

    def of_keys(upstream: Tensor, rows: Tensor, columns: Tensor, value: Tensor) -> Tensor:
        def step(carry: Sums, outer: Tile, inner: Tile) -> Sums:
            (tile,), (others, scaled, values) = outer.rows, inner.rows
            weights = reduction.weights(tile, others, values)
            kept = kept_pairs(keep, inner.index[None, :], outer.index[:, None], inner.valid)
            return (carry[0] + ops.matmul(where_kept(kept, weights, 0.0), scaled),)

        inner = [rows, rows * upstream[:, None], value]
        return fold([columns], inner, lambda outer: (ops.zeros_like(outer.rows[0]),), step)[0]

    return value, scale * weighted, of_keys, [rows, columns, value]


def with_gradient(
    keys: Tensor, zeros: Tensor, of_keys: Callable[..., Tensor], constants: list[Tensor]
) -> Tensor:
    """The zeros, whose gradient to the keys is `of_keys`.

    Apart from the queries, since the keys of a queue need no gradient and should cost none. What
    `of_keys` takes are arguments rather than closed over: JAX asks for it where a compiled
    function is differentiated, and TensorFlow where a variable made them.
    """

    @ops.custom_gradient
    def nothing(keys: Tensor, zeros: Tensor, *constants: Tensor) -> tuple[Tensor, Callable]:
        def gradient(*args: Tensor, upstream: Tensor | None = None) -> tuple[Tensor | None, ...]:
            upstream = args[0] if upstream is None else upstream
            return of_keys(upstream, *constants), upstream, *(None for _ in constants)

        return zeros * 1.0, gradient

    return nothing(keys, zeros, *(ops.stop_gradient(constant) for constant in constants))


def count_pairs(queries: Tensor, keys: Tensor, keep: Mask) -> Tensor:
    """How many pairs of each query are kept, float32 `(N,)`."""

    def step(sums: Sums, outer: Tile, inner: Tile) -> Sums:
        kept = kept_pairs(keep, outer.index[:, None], inner.index[None, :], inner.valid)
        everything = ops.zeros_like(outer.index[:, None] + inner.index[None, :], dtype="bool")
        kept = ops.logical_or(kept, everything)  # (R, C) of any mask
        return (sums[0] + ops.sum(ops.cast(kept, "float32"), axis=1),)

    def start(outer: Tile) -> Sums:
        return (ops.zeros_like(outer.index, dtype="float32"),)

    return ops.stop_gradient(fold([indices(queries)], [indices(keys)], start, step)[0])


def nearest(queries: Tensor, keys: Tensor, keep: Mask | None = None) -> tuple[Tensor, Tensor]:
    """The largest inner product of each query with its kept keys, and the key's index."""
    queries, keys = (ops.stop_gradient(ops.cast(x, "float32")) for x in (queries, keys))

    def start(outer: Tile) -> Sums:
        first = ops.zeros_like(outer.index)
        return 2.0 * MASKED + ops.cast(first, "float32"), first

    def step(best: Sums, outer: Tile, inner: Tile) -> Sums:
        kept = kept_pairs(keep, outer.index[:, None], inner.index[None, :], inner.valid)
        logits = where_kept(kept, products(outer.rows[0], inner.rows[0]), MASKED)
        place = ops.cast(ops.argmax(logits, axis=1), best[1].dtype)
        value, index = ops.max(logits, axis=1), ops.take(inner.index, place)
        nearer = value > best[0]  # the first of equals stays
        return ops.where(nearer, value, best[0]), ops.where(nearer, index, best[1])

    value, index = fold([queries], [keys], start, step)
    return ops.stop_gradient(value), index


def most_similar(
    queries: Tensor, keys: Tensor, k: int, keep: Mask | None = None, below: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The k largest inner products of each query with its kept keys, largest first.

    Args:
        queries: Tensor `(N, D)`.
        keys: Tensor `(M, D)`.
        k: How many, at least 1.
        keep: Which pairs count; `None` for all.
        below: Tensor `(N,)`; products of this size or more do not count. `None` for no bound.

    Returns:
        A float32 tensor `(N, k)`, and the keys' indices, int32 `(N, k)`: -1 where a query has
        fewer keys that count.

    Example:

    >>> import numpy as np
    >>> queries, keys = np.array([[3.0, 2.0, 1.0]]), np.eye(3)
    >>> _, index = most_similar(queries, keys, 3, ops.not_equal)
    >>> [int(number) for number in index[0]]
    [1, 2, -1]
    """
    queries, keys = (ops.stop_gradient(ops.cast(x, "float32")) for x in (queries, keys))
    bounds = ops.zeros_like(queries[:, 0]) - 2.0 * MASKED if below is None else below

    def start(outer: Tile) -> Sums:
        none = ops.zeros_like(outer.rows[0][:, :1]) + ops.zeros((1, k))
        return none + MASKED, ops.cast(none, "int32") - 1

    def step(best: Sums, outer: Tile, inner: Tile) -> Sums:
        rows, bound = outer.rows
        logits = products(rows, inner.rows[0])
        counted = kept_pairs(keep, outer.index[:, None], inner.index[None, :], inner.valid)
        counted = both(counted, logits < bound[:, None])
        index = ops.cast(inner.index[None, :], "int32") + ops.zeros_like(logits, dtype="int32")
        values = ops.concatenate([best[0], where_kept(counted, logits, 2.0 * MASKED)], axis=1)
        index = ops.concatenate([best[1], index], axis=1)
        value, place = ops.top_k(values, k)
        return value, ops.take_along_axis(index, place, axis=1)

    return fold([queries, ops.cast(bounds, "float32")], [keys], start, step)


def _log_sum_exp() -> Reduction:
    def start(queries: Tensor) -> Sums:
        zeros = ops.zeros_like(queries[:, :1])
        return zeros + MASKED, zeros

    def step(
        sums: Sums, queries: Tensor, keys: Tensor, kept: Tensor | None
    ) -> tuple[Sums, Tensor, Tensor]:
        peak, total = sums
        logits = where_kept(kept, products(queries, keys), MASKED)
        new_peak = ops.maximum(peak, ops.max(logits, axis=1, keepdims=True))
        shrink, terms = ops.exp(peak - new_peak), ops.exp(logits - new_peak)
        total = shrink * total + ops.sum(terms, axis=1, keepdims=True)
        return (new_peak, total), shrink, terms

    def finish(sums: Sums) -> tuple[Tensor, Tensor]:
        peak, total = sums
        some = ops.cast(peak > MASKED / 2, "float32")  # a query without pairs has no gradient
        return (peak + ops.log(total))[:, 0], some / total

    def weights(keys: Tensor, queries: Tensor, value: Tensor) -> Tensor:
        return ops.exp(products(keys, queries) - value[None, :])

    return Reduction(start, step, finish, weights)


def _sum_of(
    function: Callable[[Tensor], Tensor], derivative: Callable[[Tensor], Tensor]
) -> Reduction:
    """The sum of a function of the logits."""

    def start(queries: Tensor) -> Sums:
        return (ops.zeros_like(queries[:, 0]),)

    def step(
        sums: Sums, queries: Tensor, keys: Tensor, kept: Tensor | None
    ) -> tuple[Sums, float, Tensor]:
        logits = products(queries, keys)
        values = where_kept(kept, function(logits), 0.0)
        terms = where_kept(kept, derivative(logits), 0.0)
        return (sums[0] + ops.sum(values, axis=1),), 1.0, terms

    def finish(sums: Sums) -> tuple[Tensor, float]:
        return sums[0], 1.0

    def weights(keys: Tensor, queries: Tensor, value: Tensor) -> Tensor:
        return derivative(products(keys, queries))

    return Reduction(start, step, finish, weights)


LOG_SUM_EXP = _log_sum_exp()
SOFTPLUS, TOTAL = _sum_of(ops.softplus, ops.sigmoid), _sum_of(lambda x: x, ops.ones_like)


def products(rows: Tensor, columns: Tensor) -> Tensor:
    return ops.matmul(rows, ops.transpose(columns))


def indices(rows: Tensor) -> Tensor:
    return ops.arange(ops.shape(rows)[0])


def kept_pairs(
    keep: Mask | None, row: Tensor, column: Tensor, valid: Tensor | None
) -> Tensor | None:
    kept = None if keep is None else keep(row, column)
    return both(kept, None if valid is None else valid[None, :])


def both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """Where both masks are true; `None` is true everywhere."""
    if first is None or second is None:
        return second if first is None else first
    return ops.logical_and(first, second)


def where_kept(kept: Tensor | None, values: Tensor, otherwise: float) -> Tensor:
    return values if kept is None else ops.where(kept, values, otherwise)
