"""What every method logs of its outputs, and a collapse shows in."""

from keras import ops

from keras_contrastive.ops import participation_ratio, representation_std
from keras_contrastive.ops.similarity import Tensor

# Std (1: spread over the sphere, 0: collapsed) and rank of each, the std first.
FIGURES = {
    "features": ("representation_std", "effective_rank"),
    "projections": ("projection_std", "projection_rank"),
}
# Rows that they are computed from: enough to watch, at a bounded cost; fewer of the projections,
# which are wider.
RANK_ROWS = 256
PROJECTION_ROWS = 128


def figures_of(features: Tensor, projections: Tensor) -> dict[str, Tensor]:
    """Std and rank of a batch's features and projections, without a gradient.

    Args:
        features: Tensor `(N, D)`.
        projections: Tensor `(N, d)`; the features where there is no head.

    Returns:
        A float32 scalar for each name in `FIGURES`.

    Example:

    >>> import numpy as np
    >>> z = np.eye(4, dtype="float32")
    >>> figures = figures_of(features=z, projections=z[:, :2])
    >>> [round(float(figures[name]), 1) for name in ("effective_rank", "projection_rank")]
    [3.0, 1.8]
    """
    features, projections = ops.stop_gradient(features), ops.stop_gradient(projections)
    projections = projections[:PROJECTION_ROWS]
    return {
        "representation_std": representation_std(features),
        "effective_rank": participation_ratio(features[:RANK_ROWS]),
        "projection_std": representation_std(projections),
        "projection_rank": participation_ratio(projections),
    }
