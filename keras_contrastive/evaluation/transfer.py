"""Classification of sentences by frozen vectors, as SentEval has it."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import check_features, check_labels
from keras_contrastive.evaluation.logistic import logistic_probe
from keras_contrastive.evaluation.sts import Encode

Texts: TypeAlias = Sequence[str] | tuple[Sequence[str], Sequence[str]]


def transfer(
    encode: Encode,
    texts: Texts,
    labels: ArrayLike,
    test_texts: Texts | None = None,
    test_labels: ArrayLike | None = None,
    *,
    folds: int = 10,
    seed: int = 0,
    **kwargs: Any,
) -> dict[str, float]:
    """Accuracy of a logistic regression on vectors of sentences, which stay as they are.

    With a test set, as for TREC, SST2 and MRPC, the regression is fitted to the training set.
    Without, as for MR, CR, SUBJ and MPQA, every sentence is tested on once, by a regression fitted
    to the other folds. Either way a held-out part of the training data chooses the regularisation.

    Args:
        encode: A function from a list of strings to vectors `(N, D)`, such as the `encode` of a
            `keras_contrastive.encoders.SentenceEncoder`.
        texts: N sentences; or, for tasks on pairs such as MRPC, a tuple of two lists of N, whose
            vectors u and v are put together as `[|u - v|, u v]`.
        labels: Class indices `(N,)`.
        test_texts: The same to test on; `None` for cross-validation.
        test_labels: Class indices of these.
        folds: Number of parts for cross-validation, each with all classes in proportion, 2 to N.
            Default 10.
        seed: Draws the folds and what is held out.
        **kwargs: `strengths` and `held_out_fraction` of `logistic_probe`.

    Returns:
        A dict with `"accuracy"`, 0 to 1, and with cross-validation `"std"`, the deviation between
        folds.

    Raises:
        ValueError: On texts and labels that do not fit together, or a class with fewer samples than
            folds.
        ImportError: Without scikit-learn.

    Example:

    >>> def lengths(texts):
    ...     return [[float(len(text)), 1.0] for text in texts]
    >>> transfer(lengths, ["a", "bb", "cccccc", "ddddddd"] * 5, [0, 0, 1, 1] * 5, folds=5)
    {'accuracy': 1.0, 'std': 0.0}

    Differs from the reference: the regression is fitted to the end rather than for some epochs, on
    a wider grid, since vectors of unit length ask for less regularisation; and one held-out part
    chooses in place of an inner cross-validation.

    Reference:
        Conneau and Kiela, "SentEval: An Evaluation Toolkit for Universal Sentence Representations",
        2018.
    """
    x = _vectors(encode, texts)
    y = check_labels(labels, len(x))
    if test_texts is not None and test_labels is not None:
        test_x = _vectors(encode, test_texts)
        result = logistic_probe(x, y, test_x, test_labels, seed=seed, **kwargs)
        return {"accuracy": result.accuracy}
    if test_texts is not None or test_labels is not None:
        raise ValueError("Expected test texts with their labels, or neither. Received: one.")
    fold = _folds(y, folds, seed)
    results = [
        logistic_probe(
            x[fold != k], y[fold != k], x[fold == k], y[fold == k], seed=seed, **kwargs
        ).accuracy
        for k in range(folds)
    ]
    sizes = np.bincount(fold)
    return {
        "accuracy": float(np.average(results, weights=sizes)),
        "std": float(np.std(results)),
    }


def _vectors(encode: Encode, texts: Texts) -> np.ndarray:
    if not isinstance(texts, tuple) or isinstance(texts[0], str):
        return check_features(encode([*texts]), "vectors of the sentences")
    first, second = (check_features(encode([*part]), "vectors of the pairs") for part in texts)
    if len(first) != len(second):
        raise ValueError(
            f"Expected as many second sentences as first ones. "
            f"Received: {len(first)} and {len(second)}."
        )
    return np.concatenate([np.abs(first - second), first * second], axis=1)


def _folds(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """A fold for each sample, `(N,)`: every class goes round all of them."""
    smallest = np.bincount(labels)[np.unique(labels)].min()
    if not 2 <= folds <= smallest:
        raise ValueError(
            "Expected `folds` from 2 to the number of samples of the smallest class, "
            f"{smallest}. Received: folds={folds}."
        )
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # class after class
    fold = np.empty(len(labels), int)
    fold[order] = np.arange(len(labels)) % folds
    return fold
