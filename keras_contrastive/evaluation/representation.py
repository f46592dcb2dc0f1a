"""The geometry of features, without a classifier."""

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import check_features, check_labels, check_positive
from keras_contrastive.ops import moments
from keras_contrastive.ops import uniformity as sphere
from keras_contrastive.ops.similarity import l2_normalize


def alignment(x: ArrayLike, y: ArrayLike, alpha: float = 2.0) -> float:
    """Mean distance of positive pairs on the unit sphere, to the power `alpha`.

    Args:
        x: Features of shape `(N, D)`.
        y: Features of shape `(N, D)`; row `i` is a view of the same sample as row `i` of `x`.
        alpha: Exponent, positive. Default 2.

    Returns:
        A number in 0 to `2**alpha`; lower is better. `alignment` of
        `keras_contrastive.ops.uniformity` is the same for tensors, with gradients.

    Raises:
        ValueError: On features that are not finite `(N, D)` arrays of one shape.

    Example:

    >>> alignment([[2.0, 0.0]], [[0.0, 1.0]])
    2.0

    Reference:
        Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere", 2020, section 4.
    """
    x, y = check_features(x, "x"), check_features(y, "y")
    check_positive(alpha, "alpha")
    if x.shape != y.shape:
        raise ValueError(
            f"Expected x and y of the same shape. Received: {x.shape} and {y.shape}. "
            "Row i of both must be views of the same sample."
        )
    return float(sphere.alignment(x, y, alpha))


def uniformity(x: ArrayLike, t: float = 2.0) -> float:
    """Logarithm of the mean Gaussian potential between all pairs on the unit sphere.

    Takes O(N^2) time, in the memory of a tile. Use a thousand samples or more.

    Args:
        x: Features of shape `(N, D)`, N at least 2.
        t: Sharpness of the potential, positive. Default 2.

    Returns:
        A number of at most 0; lower is better: 0 for equal features, close to `-2 t` for features
        spread evenly in many dimensions. `uniformity` of `keras_contrastive.ops.uniformity` is the
        same for tensors, with gradients.

    Raises:
        ValueError: On features that are not a finite `(N, D)` array of two rows or more.

    Example:

    >>> round(uniformity([[1.0, 0.0], [0.0, 1.0]]), 4)
    -4.0

    Reference:
        Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere", 2020, section 4.
    """
    x = check_features(x, "x")
    check_positive(t, "t")
    size = len(x)
    if size < 2:
        raise ValueError(f"Expected x with two rows or more. Received: shape {x.shape}.")
    z = l2_normalize(x)
    totals = ops.convert_to_numpy(sphere.log_potentials(z, t))
    return float(np.logaddexp.reduce(totals, dtype="float64") - np.log(size * (size - 1.0)))


def tolerance(x: ArrayLike, labels: ArrayLike) -> float:
    """Mean cosine similarity of the pairs that share a class.

    Args:
        x: Features of shape `(N, D)`.
        labels: Class indices of shape `(N,)`.

    Returns:
        A number in -1 to 1; higher: more compact classes, usually at the cost of uniformity.

    Raises:
        ValueError: On features or labels that do not fit together, or no two samples of a class.

    Example:

    >>> tolerance([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0, 0, 1])
    1.0

    Reference:
        Wang and Liu, "Understanding the Behaviour of Contrastive Loss", 2021, section 4. There, the
        mean is over all pairs, with 0 for pairs of different classes; here it is over the pairs of
        one class, so that it does not depend on the number of classes.
    """
    x = check_features(x, "x").astype("float64")
    labels = check_labels(labels, len(x))
    counts = np.bincount(labels)
    pairs = np.sum(counts * (counts - 1))
    if not pairs:
        raise ValueError("Expected two samples of a class. Received: one of each.")
    z = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    sums = np.stack([z[labels == label].sum(axis=0) for label in np.unique(labels)])
    # Sums over all pairs of a class, less each sample with itself.
    return float((np.sum(sums**2) - np.sum(z**2)) / pairs)


def rank_me(x: ArrayLike) -> float:
    """Effective number of dimensions of the features as they are, without centring.

    Formula: `exp(-sum p ln p)` with `p = s / sum(s) + 1e-7` and `s` the singular values.

    Args:
        x: Features of shape `(N, D)`; ten times as many rows as dimensions are recommended.

    Returns:
        A number in 1 to `min(N, D)`: 1 if all features lie on one line through 0.

    Raises:
        ValueError: On features that are not a finite `(N, D)` array.

    Example:

    >>> import numpy as np
    >>> round(rank_me(np.eye(8)), 4), round(rank_me(np.ones((100, 8))), 2)
    (8.0, 1.0)

    Reference:
        Garrido et al., "RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised
        Representations by Their Rank", 2023, equation 1.
    """
    return _entropy_rank(_singular_values(check_features(x, "x")))


def effective_rank(x: ArrayLike) -> float:
    """Effective number of dimensions of the centred features.

    As `rank_me`, on the roots of the covariance's eigenvalues: a mean that all features share,
    which dominates RankMe after a ReLU, does not count. The figure that methods log under this
    name while they train is `ops.participation_ratio`, cheaper and smaller.

    Args:
        x: Features of shape `(N, D)`.

    Returns:
        A number in 1 to `min(N - 1, D)`; 1 also for constant features.

    Raises:
        ValueError: On features that are not a finite `(N, D)` array.

    Example:

    >>> round(effective_rank([[5.0, 1.0], [5.0, -1.0], [6.0, 0.0], [4.0, 0.0]]), 4)
    2.0

    Reference:
        Roy and Vetterli, "The Effective Rank: A Measure of Effective Dimensionality", 2007.
    """
    return _entropy_rank(_singular_values(_centred(check_features(x, "x"))))


def representation_std(x: ArrayLike) -> float:
    """Spread of the unit-length features: 1 when they fill the sphere, 0 when all are equal.

    Formula: `sqrt(D) * mean_d std_n(x / |x|)`.

    Args:
        x: Features of shape `(N, D)`.

    Returns:
        A number in 0 to 1.

    Raises:
        ValueError: On features that are not a finite `(N, D)` array.

    Example:

    >>> import numpy as np
    >>> representation_std(np.ones((4, 8)))
    0.0

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, figure 2.
    """
    return float(moments.representation_std(check_features(x, "x")))


def singular_spectrum(x: ArrayLike) -> np.ndarray:
    """Singular values of the covariance of the unit-length features, largest first.

    A cliff in their logarithm shows a dimensional collapse; dimensions below 1e-6 of the largest
    count as collapsed.

    Args:
        x: Features of shape `(N, D)`.

    Returns:
        A float64 array of shape `(D,)`.

    Raises:
        ValueError: On features that are not a finite `(N, D)` array.

    Example:

    >>> [round(s, 4) for s in singular_spectrum([[3.0, 0.0], [-2.0, 0.0]]).tolist()]
    [1.0, 0.0]

    Reference:
        Jing et al., "Understanding Dimensional Collapse in Contrastive Self-supervised Learning",
        2022, figure 2.
    """
    x = check_features(x, "x").astype("float64")
    return _covariance_eigenvalues(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))


def explained_variance_auc(x: ArrayLike) -> float:
    """Area under the curve of the cumulative explained variance against the dimensions used.

    Formula: the trapezoid area of `sum_{i <= k} l_i / sum_i l_i` over `k / D`, k = 0 to D, with `l`
    the covariance's eigenvalues, largest first.

    Args:
        x: Features of shape `(N, D)`.

    Returns:
        A number in 0.5 (the same variance in all directions) to `1 - 1 / (2 D)` (in one), and 1 for
        constant features.

    Raises:
        ValueError: On features that are not a finite `(N, D)` array.

    Example:

    >>> explained_variance_auc([[1.0, 0.0], [-1.0, 0.0]])
    0.75

    Reference:
        Li, Efros and Pathak, "Understanding Collapse in Non-Contrastive Siamese Representation
        Learning", 2022.
    """
    eigenvalues = _covariance_eigenvalues(check_features(x, "x").astype("float64"))
    total = eigenvalues.sum()
    if not total:
        return 1.0
    explained = np.concatenate([[0.0], np.cumsum(eigenvalues) / total])
    return float(np.mean((explained[1:] + explained[:-1]) / 2))


def _centred(x: np.ndarray) -> np.ndarray:
    x = x.astype("float64")
    return x - x.mean(axis=0)


def _singular_values(x: np.ndarray) -> np.ndarray:
    """Singular values by the smaller Gram matrix: no SVD of many rows."""
    x = x.astype("float64")
    gram = x.T @ x if x.shape[1] <= x.shape[0] else x @ x.T
    return np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0.0))


def _covariance_eigenvalues(x: np.ndarray) -> np.ndarray:
    x = _centred(x)
    return np.maximum(np.linalg.eigvalsh(x.T @ x / len(x))[::-1], 0.0)


def _entropy_rank(singular_values: np.ndarray) -> float:
    total = singular_values.sum()
    if not total:  # nothing but zeros
        return 1.0
    p = singular_values / total + 1e-7
    return float(np.exp(-np.sum(p * np.log(p))))
