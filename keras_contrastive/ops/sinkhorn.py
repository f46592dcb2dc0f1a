"""Soft assignment of samples to clusters of equal size."""

from keras import ops

from keras_contrastive.ops.similarity import Tensor


def sinkhorn(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    """Codes: which prototypes each sample goes to, if all prototypes are to be used equally.

    Formula: `Q = exp(S / epsilon)`; then, `iterations` times, each prototype's column of `Q` is
    scaled to the sum N / K and each sample's row to the sum 1. The last scaling is the rows', so
    they sum to 1 exactly and the columns approximately. In float32 throughout.

    Args:
        scores: Similarities of samples and prototypes, `(N, K)`.
        epsilon: Positive; the smaller, the harder the codes. Default 0.05, SwAV's.
        iterations: Number of scalings of both kinds, at least 1. Default 3, SwAV's.

    Returns:
        A float32 tensor `(N, K)`, a constant: no gradient passes it.

    Raises:
        ValueError: If `epsilon` or `iterations` is out of range.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive import ops
    >>> codes = ops.sinkhorn(np.array([[1.0, 0.9], [1.0, 0.0]], "float32"))
    >>> [[round(float(q), 2) for q in row] for row in codes]  # the second takes the first one's
    [[0.14, 0.86], [1.0, 0.0]]

    Reference:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020, section 3.1; Cuturi, "Sinkhorn Distances", 2013.
    """
    if not epsilon > 0 or iterations < 1:
        raise ValueError(
            "Expected a positive `epsilon` and at least one iteration. "
            f"Received: epsilon={epsilon}, iterations={iterations}."
        )
    # The first scaling on logarithms, since exp(S / epsilon) may overflow. From then on each row
    # and column holds an entry of at least 1 / (N K), so no sum can vanish.
    logits = ops.stop_gradient(ops.cast(scores, "float32")) / epsilon
    logits = logits - ops.logsumexp(logits, axis=0, keepdims=True)
    codes = ops.softmax(logits, axis=1)
    for _ in range(iterations - 1):
        codes = codes / ops.sum(codes, axis=0, keepdims=True)
        codes = codes / ops.sum(codes, axis=1, keepdims=True)
    return codes
