"""Semantic textual similarity: do cosines rank pairs of sentences as people do?"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import check_features, check_same_width


def sts(
    encode: Callable[[list[str]], ArrayLike],
    first: Sequence[str],
    second: Sequence[str],
    scores: ArrayLike,
    groups: Sequence[str] | None = None,
) -> dict[str, float]:
    """Spearman's rank correlation of cosine similarities with what people have said.

    Every distinct sentence is encoded once.

    Args:
        encode: A function from a list of strings to vectors `(N, D)`, such as the `encode` of a
            `keras_contrastive.encoders.SentenceEncoder`.
        first: The first sentence of each of P pairs.
        second: The second sentences.
        scores: How alike people found each pair, `(P,)`, on any scale that grows with it.
        groups: As in `sts_correlations`.

    Returns:
        As `sts_correlations`.

    Raises:
        ValueError: As `sts_correlations`.

    Example:

    >>> def lengths(texts):
    ...     return [[1.0, len(text)] for text in texts]
    >>> sts(lengths, ["a", "a", "a"], ["bb", "b", "bbb"], [0.5, 1.0, 0.0])
    {'all': 1.0}

    Reference:
        Agirre et al., "SemEval-2012 Task 6: A Pilot on Semantic Textual Similarity", 2012; Gao et
        al., "SimCSE: Simple Contrastive Learning of Sentence Embeddings", 2021, appendix B, for
        the choice among rank correlations.
    """
    first, second = list(first), list(second)
    sentences = list(dict.fromkeys([*first, *second]))
    row = {sentence: number for number, sentence in enumerate(sentences)}
    vectors = check_features(encode(sentences), "vectors of the sentences")
    return sts_correlations(
        vectors[[row[sentence] for sentence in first]],
        vectors[[row[sentence] for sentence in second]],
        scores,
        groups,
    )


def sts_correlations(
    first: ArrayLike,
    second: ArrayLike,
    scores: ArrayLike,
    groups: Sequence[str] | None = None,
) -> dict[str, float]:
    """Spearman's rank correlation of the pairs' cosine similarities with scores.

    Papers and tools put a task of several data sets together in three ways that differ by several
    points. "all" ranks the pairs of all of them together, as SimCSE and MTEB do. "mean" is the
    mean of the data sets' own correlations, and "wmean" their mean weighted by pairs.

    Args:
        first: Vectors of the first sentences, `(P, D)`.
        second: Vectors of the second sentences, `(P, D)`.
        scores: How alike people found each pair, `(P,)`.
        groups: Name of each pair's data set, P of them; `None` if there is one only.

    Returns:
        A dict with `"all"` and, with groups, `"mean"` and `"wmean"`, each -1 to 1 (papers print a
        hundred times that).

    Raises:
        ValueError: On lengths that differ, scores that are not finite, vectors that are not, or
            scores or similarities that are all equal, in one of the groups too.
        ImportError: Without scipy.

    Example:

    >>> x, y = [[1.0, 0.0]] * 4, [[1.0, 0.0], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]
    >>> results = sts_correlations(x, y, [5.0, 4.0, 1.0, 2.0], groups=["a", "a", "b", "b"])
    >>> {name: round(value, 4) for name, value in results.items()}
    {'all': 0.8, 'mean': 0.0, 'wmean': 0.0}
    """
    first = check_features(first, "vectors of the first sentences")
    second = check_features(second, "vectors of the second sentences")
    check_same_width(first, second, "vectors of first and second sentences")
    scores = np.asarray(scores, "float64")
    if scores.shape != (len(first),) or len(second) != len(first):
        raise ValueError(
            "Expected a first sentence, a second one and a score for each pair. "
            f"Received: {len(first)}, {len(second)} and scores of shape {scores.shape}."
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"Expected finite scores. Received: {np.sum(~np.isfinite(scores))} that are not. "
            "Leave pairs without a score out."
        )
    cosines = _cosines(first, second)
    results = {"all": _spearman(cosines, scores, "all pairs")}
    if groups is None:
        return results
    names = np.asarray(groups)
    if names.shape != scores.shape:
        raise ValueError(
            f"Expected a group for each of {len(scores)} pairs. Received: shape {names.shape}."
        )
    members = {name: names == name for name in dict.fromkeys(names.tolist())}
    each = [
        _spearman(cosines[member], scores[member], f"group {name!r}")
        for name, member in members.items()
    ]
    sizes = [np.sum(member) for member in members.values()]
    return {
        **results,
        "mean": float(np.mean(each)),
        "wmean": float(np.average(each, weights=sizes)),
    }


def _cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosines row by row, in float64: ties would be broken by rounding else."""
    first, second = first.astype("float64"), second.astype("float64")
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.sum(first * second, axis=1) / np.maximum(lengths, 1e-12)


def _spearman(cosines: np.ndarray, scores: np.ndarray, of: str) -> float:
    for values, kind in ((cosines, "similarities"), (scores, "scores")):
        if np.ptp(values) == 0:
            raise ValueError(
                f"Expected {kind} that differ, or there is no order to compare. Received: "
                f"{len(values)} equal {kind} in {of}."
            )
    try:
        from scipy.stats import spearmanr
    except ImportError:
        raise ImportError(
            'Rank correlation needs scipy: pip install "keras-contrastive[eval]".'
        ) from None
    return float(spearmanr(cosines, scores).statistic)
