"""Alignment and uniformity on the hypersphere, as functions that can be trained on."""

from keras import ops

from keras_contrastive.ops.contrast import masked_logsumexp
from keras_contrastive.ops.similarity import Tensor, l2_normalize


def alignment(x: Tensor, y: Tensor, alpha: float = 2.0) -> Tensor:
    """Mean distance of positive pairs on the unit sphere, to the power `alpha`.

    Formula: `mean_i |x_i / |x_i| - y_i / |y_i||^alpha`.

    Args:
        x: Embeddings of shape `(N, D)`.
        y: Embeddings of shape `(N, D)`; row `i` is the positive of row `i` of `x`.
        alpha: Exponent, positive. Default 2.

    Returns:
        A float32 scalar, in 0 to `2**alpha`; lower is better.

    Example:

    >>> float(alignment([[2.0, 0.0]], [[0.0, 1.0]]))
    2.0

    Reference:
        Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere", 2020, section 4.
    """
    squared = ops.sum(ops.square(l2_normalize(x) - l2_normalize(y)), axis=-1)  # (N,)
    if alpha == 2:
        return ops.mean(squared)
    # The root has no gradient at 0; the floor keeps it finite for pairs that coincide.
    return ops.mean(ops.power(ops.maximum(squared, 1e-24), alpha / 2))


def uniformity(x: Tensor, t: float = 2.0) -> Tensor:
    """Logarithm of the mean Gaussian potential between all pairs on the unit sphere.

    Formula: `log mean_{i<j} exp(-t |x_i / |x_i| - x_j / |x_j||^2)`.

    Args:
        x: Embeddings of shape `(N, D)`, N at least 2.
        t: Sharpness of the potential, positive. Default 2.

    Returns:
        A float32 scalar, at most 0; lower is better, 0 when all embeddings are equal. Points spread
        evenly in many dimensions approach `-2 t`.

    Raises:
        ValueError: If there is a single embedding.

    Example:

    >>> round(float(uniformity([[1.0, 0.0], [0.0, 1.0]])), 4)
    -4.0

    Reference:
        Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere", 2020, section 4.
    """
    z = l2_normalize(x)
    if z.shape[0] == 1:
        raise ValueError("Expected at least two embeddings. Received: one. Uniformity needs pairs.")
    n = ops.shape(z)[0]
    total = ops.logsumexp(log_potentials(z, t))
    return total - ops.log(ops.cast(n * (n - 1), "float32"))


def log_potentials(z: Tensor, t: float) -> Tensor:
    """Log of the sum of the potentials of each embedding with every other.

    Formula: `log sum_{j != i} exp(-t |z_i - z_j|^2)`, with
    `|z_i - z_j|^2 = |z_i|^2 + |z_j|^2 - 2 z_i.z_j`.

    Args:
        z: Unit-length embeddings of shape `(N, D)`.
        t: Sharpness of the potential.

    Returns:
        A float32 tensor of shape `(N,)`.

    Example:

    >>> from keras import ops
    >>> float(log_potentials(ops.ones((2, 1)), 2.0)[0])
    0.0
    """
    squared = ops.sum(ops.square(z), axis=1, keepdims=True)  # (N, 1), 0 of a zero vector
    queries = ops.concatenate([2.0 * t * z, -t * ops.ones_like(squared)], axis=1)
    keys = ops.concatenate([z, squared], axis=1)
    return masked_logsumexp(queries, keys, ops.not_equal) - t * squared[:, 0]
