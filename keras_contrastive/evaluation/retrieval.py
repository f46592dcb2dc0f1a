"""Retrieval between images and texts, of which an image may have several."""

from collections.abc import Sequence

import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import check_features, check_labels, check_same_width
from keras_contrastive.ops.similarity import l2_normalize

_TILE = 256  # queries compared with all candidates at a time


def retrieval(
    image_embeddings: ArrayLike,
    text_embeddings: ArrayLike,
    image_of_text: ArrayLike | None = None,
    ks: Sequence[int] = (1, 5, 10),
) -> dict[str, float]:
    """Recall at k in both directions: whether what belongs to a query is among its k nearest.

    An image finds its texts if any of its captions is among the k nearest texts; a text finds its
    image if that is among the k nearest images. What is as near as the right one counts as nearer,
    so embeddings that are all equal find nothing.

    Args:
        image_embeddings: Array `(I, D)`, of any length, such as from `CLIP.embed_images`.
        text_embeddings: Array `(T, D)`.
        image_of_text: Row of the image that each text belongs to, `(T,)`; `None` if row i of the
            texts belongs to image i.
        ks: Numbers of nearest candidates, each at most the number of images and of texts.

    Returns:
        A dict with "image_to_text_r1", "text_to_image_r1" and so on, each 0 to 1.

    Raises:
        ValueError: On embeddings that are not finite or differ in dimension, texts that do not name
            an image, images without a text, or more neighbours than candidates.

    Example:

    >>> images = [[1.0, 0.0], [0.0, 1.0]]
    >>> texts = [[0.9, 0.1], [0.2, 0.8], [0.8, 0.2]]  # the last one fits the other image
    >>> retrieval(images, texts, image_of_text=[0, 1, 1], ks=[1])
    {'image_to_text_r1': 1.0, 'text_to_image_r1': 0.66...}

    Reference:
        Karpathy and Fei-Fei, "Deep Visual-Semantic Alignments for Generating Image Descriptions",
        2015, section 4.1.
    """
    images = check_features(image_embeddings, "image embeddings")
    texts = check_features(text_embeddings, "text embeddings")
    check_same_width(images, texts, "image and text embeddings")
    if image_of_text is None:
        image_of_text = np.arange(len(images))
    owners = check_labels(image_of_text, len(texts), "image_of_text", len(images))
    everyone = np.arange(len(images))
    missing = np.setdiff1d(everyone, owners)
    if len(missing):
        raise ValueError(
            f"Expected a text for each of {len(images)} images. Received: none for {len(missing)} "
            f"of them, the first of which is image {missing[0]}. Leave these images out."
        )
    if not ks or min(ks) < 1 or max(ks) > len(images):
        raise ValueError(
            f"Expected `ks` from 1 to the number of images, {len(images)}. Received: ks={[*ks]}."
        )
    ranks = {
        "image_to_text": _ranks(images, texts, everyone, owners),
        "text_to_image": _ranks(texts, images, owners, everyone),
    }
    return {f"{way}_r{k}": float(np.mean(rank < k)) for way, rank in ranks.items() for k in ks}


def _ranks(
    queries: np.ndarray, keys: np.ndarray, of_query: np.ndarray, of_key: np.ndarray
) -> np.ndarray:
    """How many keys of others are as near as the query's nearest own key, `(Q,)`."""
    columns = ops.transpose(l2_normalize(ops.convert_to_tensor(keys)))  # (D, K)
    ranks = []
    for start in range(0, len(queries), _TILE):
        rows = slice(start, start + _TILE)
        tile = l2_normalize(ops.convert_to_tensor(queries[rows]))
        cosines = np.asarray(ops.convert_to_numpy(ops.matmul(tile, columns)))  # (tile, K)
        own = of_query[rows, None] == of_key
        best = np.where(own, cosines, -np.inf).max(axis=1, keepdims=True)
        ranks.append(np.sum(~own & (cosines >= best), axis=1))
    return np.concatenate(ranks)
