"""Logistic regression on frozen features, its regularisation chosen on held-out data."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from keras_contrastive.data.split import train_holdout_split
from keras_contrastive.evaluation.probe import ProbeResult, check_probe_data

_STRENGTHS = (1e2, 1e1, 1.0, 1e-1, 1e-2, 1e-3)
_MOST_STEPS = 1000


def logistic_probe(
    train_x: ArrayLike,
    train_y: ArrayLike,
    test_x: ArrayLike,
    test_y: ArrayLike,
    *,
    strengths: Sequence[float] = _STRENGTHS,
    held_out_fraction: float = 0.1,
    seed: int = 0,
) -> ProbeResult:
    """Test accuracy of a logistic regression, fitted to the end by scikit-learn.

    The strength is the one that does best on a held-out part of the training data (the strongest,
    if several do); then the regression is fitted again to all of them. For a few thousand samples,
    as in tasks of sentences; `linear_probe` and `ridge_probe` are for more.

    Args:
        train_x: Features of shape `(N, D)`.
        train_y: Class indices of shape `(N,)`.
        test_x: Features of shape `(M, D)`.
        test_y: Class indices of shape `(M,)`; used for the final accuracy only.
        strengths: Strengths s of the penalty `s |w|^2 / 2` to try, positive, beside the sum over
            the samples of the cross-entropy. Default: 1e-3 to 1e2.
        held_out_fraction: Share of the training data that chooses the strength. Default 0.1.
        seed: Draws the held-out part.

    Returns:
        A `ProbeResult` whose `chosen` is the strength.

    Raises:
        ValueError: On features or labels that do not fit together, or strengths not positive.
        ImportError: Without scikit-learn.

    Example:

    >>> import numpy as np
    >>> x, y = np.eye(4, dtype="float32").repeat(5, axis=0), np.arange(4).repeat(5)
    >>> logistic_probe(x, y, x, y).accuracy
    1.0
    """
    if not len(strengths) or min(strengths) <= 0:
        raise ValueError(f"Expected positive `strengths`. Received: strengths={strengths}.")
    train_x, train_y, test_x, test_y, _ = check_probe_data(train_x, train_y, test_x, test_y)
    # In float32 the solver stops early, with a warning.
    train_x, test_x = train_x.astype("float64"), test_x.astype("float64")
    strengths = sorted(map(float, strengths), reverse=True)
    part, held = train_holdout_split(train_y, held_out_fraction, seed)
    model = _regression()
    tried = {}
    for strength in strengths:  # each from the solution before
        model.set_params(C=1.0 / strength).fit(train_x[part], train_y[part])
        tried[strength] = float(model.score(train_x[held], train_y[held]))
    chosen = max(tried, key=lambda strength: (tried[strength], strength))
    model.set_params(C=1.0 / chosen, warm_start=False).fit(train_x, train_y)
    return ProbeResult(float(model.score(test_x, test_y)), chosen, tried)


def _regression() -> Any:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise ImportError(
            'Logistic regression needs scikit-learn: pip install "keras-contrastive[eval]".'
        ) from None
    return LogisticRegression(max_iter=_MOST_STEPS, warm_start=True)
