"""Synthetic negatives, harder than those there are."""

import keras
from keras import ops

from keras_contrastive.ops.similarity import Tensor, l2_normalize


def mix_hard_negatives(
    queries: Tensor,
    negatives: Tensor,
    num_hardest: int,
    num_mixed: int,
    num_query_mixed: int,
    seed: keras.random.SeedGenerator,
) -> Tensor:
    """Mixes each query's hardest negatives with each other and with the query itself.

    Formula: `h = a n_i + (1 - a) n_j` with a in 0 to 1, and `h' = b q + (1 - b) n` with b in 0 to
    1/2, at unit length; n are drawn from the `num_hardest` rows nearest to q.

    Args:
        queries: Tensor `(N, D)`.
        negatives: Unit vectors, `(K, D)`.
        num_hardest: How many negatives count as hard, 1 to K.
        num_mixed: Number of mixtures of two negatives.
        num_query_mixed: Number of mixtures of a negative with the query.
        seed: Seed generator of the draws.

    Returns:
        A float32 tensor `(N, num_mixed + num_query_mixed, D)`, constant for gradients. It and what
        is gathered for it are the peak of the memory.

    Example:

    >>> import keras, numpy as np
    >>> from keras_contrastive import ops
    >>> queries, negatives = np.eye(3, dtype="float32")[:1], np.eye(3, dtype="float32")[1:]
    >>> seed = keras.random.SeedGenerator(0)
    >>> hard = ops.mix_hard_negatives(queries, negatives, 2, 4, 0, seed)
    >>> hard.shape[1], float(ops.pairwise_cosine(queries, hard[0])[0, 0])  # orthogonal to q still
    (4, 0.0)

    Reference:
        Kalantidis et al., "Hard Negative Mixing for Contrastive Learning", 2020, equations 4 and 5.
    """
    queries = ops.stop_gradient(l2_normalize(queries))
    negatives = ops.stop_gradient(ops.cast(negatives, "float32"))
    num_queries = ops.shape(queries)[0]
    _, hardest = ops.top_k(ops.matmul(queries, ops.transpose(negatives)), num_hardest)  # (N, h)

    def draw(count: int) -> Tensor:
        which = keras.random.randint((num_queries, count), 0, num_hardest, seed=seed)
        rows = ops.take_along_axis(hardest, which, axis=1)
        return ops.take(negatives, rows, axis=0)  # (N, count, D)

    def weights(count: int, largest: float) -> Tensor:
        return keras.random.uniform((num_queries, count, 1), 0.0, largest, seed=seed)

    share = weights(num_mixed, 1.0)
    mixed = share * draw(num_mixed) + (1.0 - share) * draw(num_mixed)
    share = weights(num_query_mixed, 0.5)
    query_mixed = share * queries[:, None] + (1.0 - share) * draw(num_query_mixed)
    return l2_normalize(ops.concatenate([mixed, query_mixed], axis=1))
