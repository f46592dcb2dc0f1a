"""Class labels in a step: shapes are static, and -1 stands for a sample without a label."""

from keras import ops

from keras_contrastive.ops.similarity import Tensor

UNLABELLED = -1


def as_labels(labels: Tensor) -> Tensor:
    """Returns labels `(N,)` or `(N, 1)`, of any integer or float type, as int32 `(N,)`.

    Example:

    >>> import numpy as np
    >>> [int(label) for label in as_labels(np.array([[3], [-1]], "int8"))]
    [3, -1]
    """
    return ops.cast(ops.reshape(labels, (-1,)), "int32")


def class_targets(labels: Tensor, num_classes: int) -> Tensor:
    """One-hot rows of the labels; a row of zeros for every label that is no class.

    Args:
        labels: int32 tensor `(N,)`.
        num_classes: Number of classes K.

    Returns:
        A float32 tensor `(N, K)`.

    Example:

    >>> import numpy as np
    >>> [float(x) for x in ops.sum(class_targets(np.array([1, -1]), 3), axis=1)]
    [1.0, 0.0]
    """
    classes = ops.arange(num_classes, dtype="int32")
    return ops.cast(ops.equal(labels[:, None], classes), "float32")


def labelled_weights(labels: Tensor) -> Tensor:
    """Weights whose plain mean with some values is the mean over the labelled samples.

    Formula: `w_i = N / #labelled` where sample i has a label, else 0; all 0 without any label.

    Args:
        labels: int32 tensor `(N,)`, -1 for samples without a label.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> [float(w) for w in labelled_weights(np.array([4, -1]))]
    [2.0, 0.0]
    """
    labelled = ops.cast(ops.not_equal(labels, UNLABELLED), "float32")
    number = ops.cast(ops.shape(labels)[0], "float32")
    return labelled * number / ops.maximum(ops.sum(labelled), 1.0)


def labels_in_range(labels: Tensor, num_classes: int) -> Tensor:
    """Whether every label is a class or -1, as a boolean scalar.

    Example:

    >>> import numpy as np
    >>> bool(labels_in_range(np.array([-1, 0, 2]), 3)), bool(labels_in_range(np.array([3]), 3))
    (True, False)
    """
    return ops.all(ops.logical_and(labels >= UNLABELLED, labels < num_classes))


def unlabelled_apart(labels: Tensor) -> Tensor:
    """Makes a class of its own of each unlabelled sample, so that only its own views are alike.

    Args:
        labels: int32 tensor `(N,)`, -1 for samples without a label.

    Returns:
        An int32 tensor `(N,)`; the new classes are negative.

    Example:

    >>> import numpy as np
    >>> [int(label) for label in unlabelled_apart(np.array([5, -1, -1, 5], "int32"))]
    [5, -2, -3, 5]
    """
    own = -1 - ops.arange(ops.shape(labels)[0], dtype="int32")
    return ops.where(ops.equal(labels, UNLABELLED), own, labels)
