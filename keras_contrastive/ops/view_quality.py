"""How good a pair of views is: the foreground should agree, the background differ."""

from keras import ops

from keras_contrastive.ops.similarity import Tensor, l2_normalize


def foreground_mask(maps: Tensor, direction: Tensor) -> Tensor:
    """A soft mask of the foreground: the projection of each position, brought to 0..1 an image.

    Args:
        maps: Features of the positions, `(N, T, C)`.
        direction: The direction `(C,)` along which foreground and background differ, with the
            foreground on the positive side: a principal component, for instance.

    Returns:
        A float32 tensor `(N, T)`, in 0 to 1; all 0 where all positions are alike.

    Example:

    >>> [float(m) for m in foreground_mask([[[1.0, 0.0], [3.0, 0.0], [2.0, 5.0]]], [1.0, 0.0])[0]]
    [0.0, 1.0, 0.5]

    Reference:
        Li et al., "GenView", 2024, section 3.3.
    """
    projection = ops.matmul(ops.cast(maps, "float32"), ops.cast(direction, "float32")[:, None])
    projection = projection[..., 0]  # (N, T)
    low = ops.min(projection, axis=1, keepdims=True)
    high = ops.max(projection, axis=1, keepdims=True)
    return (projection - low) / ops.maximum(high - low, 1e-7)


def view_quality(maps1: Tensor, maps2: Tensor, mask1: Tensor, mask2: Tensor) -> Tensor:
    """Cosine of the two foregrounds minus cosine of the two backgrounds.

    Args:
        maps1: Features of the positions of the first view, `(N, T, C)`.
        maps2: Those of the second view, `(N, T', C)`.
        mask1: Foreground of the first view, `(N, T)`, in 0 to 1; the rest is background.
        mask2: Foreground of the second view, `(N, T')`.

    Returns:
        A float32 tensor `(N,)`, in -2 to 2; higher is better.

    Example:

    >>> maps1, maps2 = [[[1.0, 0.0], [0.0, 1.0]]], [[[1.0, 0.0], [0.0, -1.0]]]
    >>> mask = [[1.0, 0.0]]  # the same foreground on opposite backgrounds
    >>> float(view_quality(maps1, maps2, mask, mask)[0])
    2.0

    Reference:
        Li et al., "GenView", 2024, section 3.3.
    """
    foreground = _pooled_cosine(maps1, maps2, mask1, mask2)
    background = _pooled_cosine(
        maps1, maps2, 1.0 - ops.cast(mask1, "float32"), 1.0 - ops.cast(mask2, "float32")
    )
    return foreground - background


def quality_weights(quality: Tensor, gamma: float = 1.0) -> Tensor:
    """Weights of the samples from the quality of their views; their mean is 1, constant.

    Formula: `w_i = N softmax_i(gamma q_i)`.

    Args:
        quality: Tensor `(N,)`.
        gamma: How much quality counts; 0 weighs all alike, 1 in the official code.

    Returns:
        A float32 tensor `(N,)` without a gradient.

    Example:

    >>> [float(w) for w in quality_weights([0.3, 0.3])]
    [1.0, 1.0]

    Reference:
        Li et al., "GenView", 2024, section 3.3.
    """
    quality = ops.stop_gradient(ops.cast(quality, "float32"))
    return ops.cast(ops.shape(quality)[0], "float32") * ops.softmax(gamma * quality)


def _pooled_cosine(maps1: Tensor, maps2: Tensor, mask1: Tensor, mask2: Tensor) -> Tensor:
    pooled = [
        ops.sum(ops.cast(maps, "float32") * ops.cast(mask, "float32")[..., None], axis=1)
        for maps, mask in ((maps1, mask1), (maps2, mask2))
    ]  # (N, C) each; its length does not matter
    return ops.sum(l2_normalize(pooled[0]) * l2_normalize(pooled[1]), axis=1)
