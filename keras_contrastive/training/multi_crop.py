"""Views of several sizes through one network."""

from collections.abc import Callable, Sequence
from itertools import groupby

from keras import ops

from keras_contrastive.ops.similarity import Tensor


def forward_by_size(
    network: Callable[..., Tensor], views: Sequence[Tensor], training: bool
) -> Tensor:
    """Features of all views, those of equal size that follow each other in one forward pass.

    Batch normalisation so sees every view of a size at once, and each size apart.

    Args:
        network: A function from a list of batches of one size to their features, batch after
            batch.
        views: Batches of V views, `(N, height, width, channels)` each.
        training: Whether batch normalisation uses the batch.

    Returns:
        A tensor `(V * N, D)`, view after view.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.training import forward_by_size
    >>> def brightest(batches, training):
    ...     return np.max(np.concatenate(batches), axis=(1, 2))
    >>> views = [np.ones((2, size, size, 3), "float32") for size in (8, 8, 4)]
    >>> tuple(forward_by_size(brightest, views, training=False).shape)
    (6, 3)

    Reference:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020, section 3.2.
    """
    groups = groupby(views, key=lambda view: tuple(view.shape[1:]))
    features = [network(list(group), training=training) for _, group in groups]
    return ops.concatenate(features, axis=0)


def by_view(x: Tensor, num_views: int) -> list[Tensor]:
    """Takes a batch of all views apart.

    Args:
        x: Tensor `(num_views * N, ...)`, view after view.
        num_views: Number of views.

    Returns:
        A tensor `(N, ...)` for each view.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.training.multi_crop import by_view
    >>> [part.tolist() for part in map(np.asarray, by_view(np.arange(4.0), 2))]
    [[0.0, 1.0], [2.0, 3.0]]
    """
    num_samples = ops.shape(x)[0] // num_views
    return [x[view * num_samples : (view + 1) * num_samples] for view in range(num_views)]
