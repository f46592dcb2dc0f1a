"""Semantic textual similarity: do cosines rank pairs of sentences as people do?"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import check_features, check_same_width
from keras_contrastive.evaluation.representation import alignment, uniformity

Encode: TypeAlias = Callable[[list[str]], ArrayLike]


def sts(
    encode: Encode,
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
    vectors, rows = _encoded(encode, first, second)
    return sts_correlations(vectors[rows[0]], vectors[rows[1]], scores, groups)


def sts_geometry(
    encode: Encode,
    first: Sequence[str],
    second: Sequence[str],
    scores: ArrayLike,
    at_least: float = 4.0,
) -> dict[str, float]:
    """Alignment of the pairs that people found alike, and uniformity of all sentences.

    Args:
        encode: As in `sts`.
        first: The first sentence of each of P pairs.
        second: The second sentences.
        scores: How alike people found each pair, `(P,)`.
        at_least: Pairs with this score are alike; 4 on the scale of STS, 0 to 5.

    Returns:
        A dict with `"alignment"`, 0 to 4, and `"uniformity"`, at most 0; lower is better for both.
        Sentences that come more than once count once.

    Raises:
        ValueError: On lengths that differ, vectors that are not finite, or no pair that is alike.

    Example:

    >>> def letters(texts):
    ...     return [[text.count("a"), text.count("b")] for text in texts]
    >>> found = sts_geometry(letters, ["a", "a"], ["aa", "b"], [5.0, 0.0])
    >>> round(found["alignment"], 4), round(found["uniformity"], 4)  # of a, aa and b
    (0.0, -1.0626)

    Reference:
        Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
        Uniformity on the Hypersphere", 2020; on STS-B: Gao et al., 2021, section 3. There, alike
        are the pairs with a score above 4.
    """
    vectors, rows = _encoded(encode, first, second)
    scores = np.asarray(scores, "float64")
    _check_lengths(rows[0], rows[1], scores)
    alike = scores >= at_least
    if not alike.any():
        raise ValueError(
            f"Expected pairs with a score of at_least={at_least}. Received: scores up to "
            f"{scores.max()}."
        )
    return {
        "alignment": alignment(vectors[rows[0][alike]], vectors[rows[1][alike]]),
        "uniformity": uniformity(vectors),
    }


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
    _check_lengths(first, second, scores)
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


def _encoded(
    encode: Encode, first: Sequence[str], second: Sequence[str]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Vectors of the distinct sentences, and the rows of first and second ones in them."""
    row = {text: number for number, text in enumerate(dict.fromkeys([*first, *second]))}
    vectors = check_features(encode([*row]), "vectors of the sentences")
    return vectors, [np.array([row[text] for text in part], int) for part in (first, second)]


def _check_lengths(first: np.ndarray, second: np.ndarray, scores: np.ndarray) -> None:
    if scores.shape != (len(first),) or len(second) != len(first):
        raise ValueError(
            "Expected a first sentence, a second one and a score for each pair. "
            f"Received: {len(first)}, {len(second)} and scores of shape {scores.shape}."
        )


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
