"""One anchor against many candidates: the sums that every InfoNCE-type loss is made of.

Masks are functions of (row, column) indices rather than matrices: the sums are taken a tile of
pairs at a time, in memory that grows with the number of rows, not with its square.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_contrastive.ops.both_ways import (
    ANY,
    SMALL,
    SMALL_LOGIT,
    Terms,
    log_sum_exp_among,
    log_sum_exp_both_ways,
)
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.ops.streaming import (
    LOG_SUM_EXP,
    MASKED,
    SOFTPLUS,
    TOTAL,
    Mask,
    count_pairs,
    nearest,
    reduce_pairs,
)

# A number, a tensor () or (N, 1), or a function from similarities to logits for those that do not
# just divide.
Temperature = Any


def to_logits(similarity: Tensor, temperature: Temperature) -> Tensor:
    """Similarities at a temperature.

    Args:
        similarity: Tensor `(N, M)`, in -1 to 1 between unit vectors.
        temperature: A positive number or tensor to divide by, such as `(N, 1)` for one a row; or
            a function that takes the similarities, for which sums hold the matrix `(N, M)`.

    Returns:
        A tensor `(N, M)`.

    Example:

    >>> from keras_contrastive import ops
    >>> ops.to_logits(1.0, 0.5)
    2.0
    """
    return temperature(similarity) if callable(temperature) else similarity / temperature


def scaled(temperature: Temperature, factor: float) -> Temperature:
    """The temperature under which logits are `factor` times as large, not 0."""
    if callable(temperature):
        return lambda similarity: factor * temperature(similarity)
    return temperature / factor


def masked_logits(
    queries: Tensor, keys: Tensor, keep: Mask | None = None, temperature: Temperature = 1.0
) -> Tensor:
    """Inner products of queries and keys as logits, with unwanted pairs pushed to -1e9.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        keep: Function of row and column indices, which broadcast against each other, that is true
            where a pair counts. What it closes over is a constant for the gradient. `None` keeps
            all.
        temperature: As in `to_logits`.

    Returns:
        A float32 tensor of shape `(N, M)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.eye(2, dtype="float32")
    >>> float(ops.masked_logits(z, z, keep=lambda row, column: row != column)[0, 0])
    -1000000000.0
    """
    queries, keys = ops.cast(queries, "float32"), ops.cast(keys, "float32")
    logits = to_logits(ops.matmul(queries, ops.transpose(keys)), temperature)  # (N, M)
    if keep is None:
        return logits
    return ops.where(keep(*_indices(queries, keys)), logits, MASKED)


def masked_logsumexp(
    queries: Tensor, keys: Tensor, keep: Mask | None = None, temperature: Temperature = 1.0
) -> Tensor:
    """The log of the summed exponentials of each query's logits: the InfoNCE denominator.

    Formula: `log sum_{j: keep(i, j)} exp(q_i . k_j / t)`.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        keep: As in `masked_logits`.
        temperature: As in `to_logits`.

    Returns:
        A float32 tensor of shape `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.zeros((3, 2), "float32")
    >>> round(float(ops.masked_logsumexp(z, z)[0]), 4)  # log 3
    1.0986
    """
    if callable(temperature):
        return ops.logsumexp(masked_logits(queries, keys, keep, temperature), axis=1)
    return reduce_pairs(_divided(queries, temperature), keys, keep, LOG_SUM_EXP)


def masked_logsumexp_among(
    rows: Tensor,
    keep: Mask | None = None,
    temperature: Temperature = 1.0,
    longest: float | None = None,
) -> Tensor:
    """`masked_logsumexp` of rows with each other, at half the cost where the temperature is one.

    Args:
        rows: Tensor of shape `(N, D)`.
        keep: As in `masked_logits`, and symmetric: true of (j, i) where it is of (i, j).
        temperature: As in `to_logits`.
        longest: No row is longer than that, if it is known, which saves exponentials.

    Returns:
        A float32 tensor of shape `(N,)`.

    Example:

    >>> import numpy as np
    >>> z = np.zeros((3, 2), "float32")
    >>> others = masked_logsumexp_among(z, lambda row, column: row != column)
    >>> round(float(others[0]), 4)  # log 2
    0.6931
    """
    if not is_one(temperature):
        return masked_logsumexp(rows, rows, keep, temperature)
    terms = _terms(temperature, longest)
    return log_sum_exp_among(_divided(rows, ops.sqrt(temperature)), keep, terms)


def masked_logsumexp_both_ways(
    queries: Tensor,
    keys: Tensor,
    keep: Mask | None = None,
    temperature: Temperature = 1.0,
    longest: float | None = None,
) -> tuple[Tensor, Tensor]:
    """`masked_logsumexp` of each query, and of each key with the queries, of the same logits.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        keep: As in `masked_logits`, of a query and a key.
        temperature: A positive number or a scalar.
        longest: As in `masked_logsumexp_among`, of queries and keys.

    Returns:
        Float32 tensors of shapes `(N,)` and `(M,)`.

    Example:

    >>> import numpy as np
    >>> of_queries, of_keys = masked_logsumexp_both_ways(np.zeros((1, 2)), np.zeros((3, 2)))
    >>> round(float(of_queries[0]), 4), round(float(of_keys[0]), 4)  # log 3 and log 1
    (1.0986, 0.0)
    """
    terms = _terms(temperature, longest)
    return log_sum_exp_both_ways(_divided(queries, temperature), keys, keep, terms)


def _terms(temperature: Any, longest: float | None) -> Terms:
    if longest is None or not isinstance(temperature, (int, float)):
        return ANY
    return SMALL if longest**2 / temperature <= SMALL_LOGIT else ANY


def is_one(temperature: Temperature) -> bool:
    """Whether a temperature is a number or a scalar, the same for all pairs."""
    return not callable(temperature) and len(getattr(temperature, "shape", ())) == 0


def masked_mean(
    queries: Tensor,
    keys: Tensor,
    keep: Mask,
    temperature: Temperature = 1.0,
    transform: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """The mean over each query's kept pairs of a function of their logits.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        keep: As in `masked_logits`.
        temperature: As in `to_logits`.
        transform: Function of the logits `(N, M)`; `None` for the logits themselves.

    Returns:
        A float32 tensor of shape `(N,)`; 0 for a query of which no pair is kept.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], "float32")
    >>> float(ops.masked_mean(z, z, lambda row, column: row != column)[0])
    0.5
    """
    number = ops.maximum(masked_count(queries, keys, keep), 1.0)
    if transform is None and not callable(temperature):
        return reduce_pairs(_divided(queries, temperature), keys, keep, TOTAL) / number
    logits = masked_logits(queries, keys, None, temperature)
    values = logits if transform is None else transform(logits)
    return ops.sum(ops.where(keep(*_indices(queries, keys)), values, 0.0), axis=1) / number


def masked_softplus(
    queries: Tensor,
    keys: Tensor,
    keep: Mask | None = None,
    temperature: Temperature = 1.0,
    offset: Any = 0.0,
) -> Tensor:
    """The sum over each query's kept pairs of the softplus of their logits.

    Formula: `sum_{j: keep(i, j)} log(1 + exp(b_i + q_i . k_j / t))`.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        keep: As in `masked_logits`.
        temperature: As in `to_logits`.
        offset: A number or a tensor `()` or `(N,)`, b, with a gradient of its own.

    Returns:
        A float32 tensor of shape `(N,)`; 0 for a query of which no pair is kept.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.zeros((3, 2), "float32")
    >>> round(float(ops.masked_softplus(z, z)[0]), 4)  # 3 log 2
    2.0794
    """
    queries, keys = ops.cast(queries, "float32"), ops.cast(keys, "float32")
    one = ops.ones_like(queries[:, :1])  # (N, 1)
    offset = one * ops.reshape(ops.cast(offset, "float32"), (-1, 1))
    if callable(temperature):
        logits = offset + masked_logits(queries, keys, keep, temperature)
        return ops.sum(ops.softplus(logits), axis=1)
    # One more dimension, in which every key is 1, adds the offset.
    queries = ops.concatenate([_divided(queries, temperature), offset], axis=1)
    keys = ops.concatenate([keys, ops.ones_like(keys[:, :1])], axis=1)
    return reduce_pairs(queries, keys, keep, SOFTPLUS)


def masked_count(queries: Tensor, keys: Tensor, keep: Mask) -> Tensor:
    """How many pairs of each query are kept.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        keep: As in `masked_logits`.

    Returns:
        A float32 tensor of shape `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.zeros((3, 2), "float32")
    >>> float(ops.masked_count(z, z, lambda row, column: row != column)[0])
    2.0
    """
    return count_pairs(queries, keys, keep)


def all_pairs(row: Tensor, column: Tensor) -> Tensor:
    """The mask that keeps every pair."""
    return ops.greater_equal(row + column, 0)


def positive_is_nearest(
    queries: Tensor, keys: Tensor, positive: Tensor, keep: Mask | None = None
) -> Tensor:
    """Whether each query's positive is the most similar of its candidates.

    Args:
        queries: Tensor of shape `(N, D)`.
        keys: Tensor of shape `(M, D)`.
        positive: Integer tensor `(N,)`, the column of each query's positive.
        keep: As in `masked_logits`.

    Returns:
        A float32 tensor of shape `(N,)` of zeros and ones; its mean is the contrastive accuracy.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> z = np.eye(2, dtype="float32")
    >>> [float(hit) for hit in ops.positive_is_nearest(z, z, np.array([0, 0]))]
    [1.0, 0.0]
    """
    _, found = nearest(queries, keys, keep)
    return ops.cast(ops.equal(ops.cast(found, "int32"), ops.cast(positive, "int32")), "float32")


def _divided(queries: Tensor, temperature: Temperature) -> Tensor:
    """Queries whose products with keys are logits at that temperature."""
    shape = getattr(temperature, "shape", ())
    if len(shape) > 1 and tuple(shape[1:]) != (1,):
        raise ValueError(
            "Expected a temperature that is a number, a scalar or one a query, (N, 1). "
            f"Received: shape {tuple(shape)}."
        )
    return ops.cast(queries, "float32") / temperature


def _indices(queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    rows = ops.arange(ops.shape(queries)[0])[:, None]
    columns = ops.arange(ops.shape(keys)[0])[None, :]
    return rows, columns
