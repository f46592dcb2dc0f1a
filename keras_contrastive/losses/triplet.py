"""The triplet loss: an anchor is nearer to its positive than to a negative, by a margin."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.losses.supervised import flatten_views
from keras_contrastive.losses.triplet_mining import (
    Miner,
    Triplets,
    all_triplets,
    batch_hard_triplets,
    hard_triplets,
    nearest_semi_hard_triplets,
    semi_hard_triplets,
)
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.distance import euclidean, pairwise_euclidean
from keras_contrastive.ops.similarity import Tensor

# What the papers call them.
MINERS: dict[str, Miner] = {
    "all": all_triplets,
    "hard": hard_triplets,
    "semi-hard": semi_hard_triplets,
    "nearest-semi-hard": nearest_semi_hard_triplets,
    "batch-hard": batch_hard_triplets,
}


def triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 0.2,
    swap: bool = False,
    soft: bool = False,
) -> Tensor:
    """The triplet loss of ready triplets.

    Formula: `max(|a - p| - |a - n| + margin, 0)`. Embeddings are taken as they are: bring them to
    unit length first, unless their length means something.

    Args:
        anchor: Tensor `(N, D)`.
        positive: Tensor `(N, D)`.
        negative: Tensor `(N, D)`.
        margin: At least 0.
        swap: Whether the negative counts from the positive where it is nearer to that.
        soft: Whether softplus stands for the hinge; with a margin of 0 as Hermans et al. have it.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> [float(x) for x in triplet([[0.0, 0.0]], [[3.0, 4.0]], [[6.0, 8.0]], margin=6.0)]
    [1.0]

    Reference:
        Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", 2015;
        with distances that are not squared, as Hermans et al., 2017.
    """
    to_positive = euclidean(anchor, positive)
    triplets = Triplets(
        to_positive,
        euclidean(anchor, negative),
        euclidean(positive, negative),
        ops.ones_like(to_positive, dtype="bool"),
    )
    return _hinge(triplets, margin, swap, soft)


def mined_triplet(
    labels: Tensor,
    embeddings: Tensor,
    mine: Miner = all_triplets,
    margin: float = 0.2,
    swap: bool = False,
    soft: bool = False,
    over_all: bool = False,
) -> Tensor:
    """The triplet loss of the triplets that are mined from a labelled batch.

    Args:
        labels: Class labels `(N,)`.
        embeddings: Tensor `(N, D)`, or `(N, V, D)` with V views of each sample; any length, unit
            length is what distances are measured at.
        mine: Which triplets count, a function as those in `triplet_mining`.
        margin: At least 0.
        swap: As in `triplet`.
        soft: As in `triplet`.
        over_all: Whether the mean is over all mined triplets, those of zero loss included.

    Returns:
        A float32 tensor `(N,)` whose mean is the mean over the triplets: the sum of a sample's
        triplets times N over their number in the batch. Zeros if there is no triplet.

    Example:

    >>> import numpy as np
    >>> z = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], "float32")  # the negative is nearest
    >>> round(float(mined_triplet(np.array([0, 0, 1]), z, batch_hard_triplets)[0]), 3)
    2.421
    """
    num_samples = ops.shape(embeddings)[0]
    labels, rows, num_views = flatten_views(labels, embeddings)  # (M, D), M = V N
    z = l2_normalize(rows)
    same = ops.equal(labels[:, None], labels[None, :])
    position = ops.arange(ops.shape(z)[0])
    itself = ops.equal(position[:, None], position[None, :])
    triplets = mine(
        pairwise_euclidean(z, z),
        ops.logical_and(same, ops.logical_not(itself)),
        ops.logical_not(same),
        margin,
    )
    losses = ops.where(triplets.keep, _hinge(triplets, margin, swap, soft), 0.0)  # (M, P, Q)
    counted = triplets.keep if over_all else losses > 0
    count = ops.maximum(ops.sum(ops.cast(counted, "float32")), 1.0)
    total = ops.sum(ops.reshape(ops.sum(losses, axis=(1, 2)), (num_views, -1)), axis=0)  # (N,)
    return total * ops.cast(num_samples, "float32") / count


def _hinge(triplets: Triplets, margin: float, swap: bool, soft: bool) -> Tensor:
    to_negative = triplets.to_negative
    if swap:
        to_negative = ops.minimum(to_negative, triplets.between)
    violation = triplets.to_positive - to_negative + margin
    return ops.softplus(violation) if soft else ops.relu(violation)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Triplet(keras.losses.Loss):
    """The triplet loss of a labelled batch, with Euclidean distances at unit length.

    Positives have to exist: `keras_contrastive.data.ClassBatches` makes batches of P classes and K
    samples of each.

    Args:
        margin: At least 0, default 0.2.
        mining: Which triplets count: `"all"`, `"hard"`, `"semi-hard"`, `"nearest-semi-hard"` (as
            FaceNet) or `"batch-hard"`, or a function as those in
            `keras_contrastive.losses.triplet_mining`. Hard mining from scratch tends to collapse;
            start with semi-hard. The first three take memory O((N V)^3), 64 MB a float32 array for
            256 rows; the others O((N V)^2).
        swap: Whether a negative counts from the positive where it is nearer to that.
        soft: Whether softplus stands for the hinge; its triplets are never zero.
        over_all: Whether the mean is over all mined triplets rather than those of non-zero loss.
        reduction: As in `keras.losses.Loss`; one value per sample before it, whose mean is the
            mean over triplets.
        name: Name of the loss.
        dtype: Dtype of the result; distances are float32 whatever it is.

    Inputs:
        `loss(labels, embeddings)`: labels `(N,)`, embeddings `(N, D)` or, with V views of each
        sample, `(N, V, D)`. Every label is a class, -1 too.

    Raises:
        ValueError: On a negative margin, an unknown mining, or embeddings of another rank.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import Triplet
    >>> z = np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]], "float32")
    >>> float(Triplet(mining="all")(np.array([0, 0, 1, 1]), z))  # classes are 2 apart
    0.0

    Reference:
        Schroff et al., "FaceNet: A Unified Embedding for Face Recognition and Clustering", 2015;
        Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification", 2017.
    """

    def __init__(
        self,
        margin: float = 0.2,
        mining: str | Miner = "semi-hard",
        swap: bool = False,
        soft: bool = False,
        over_all: bool = False,
        reduction: str = "sum_over_batch_size",
        name: str = "triplet",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not margin >= 0:
            raise ValueError(f"Expected `margin` of at least 0. Received: margin={margin}.")
        if not callable(mining) and mining not in MINERS:
            raise ValueError(
                f"Expected `mining` to be one of {', '.join(map(repr, MINERS))}, or a function. "
                f"Received: mining={mining!r}."
            )
        self.margin = float(margin)
        self.mining = mining
        self.swap, self.soft, self.over_all = swap, soft, over_all

    def call(self, labels: Tensor, embeddings: Tensor) -> Tensor:
        mine = MINERS[self.mining] if isinstance(self.mining, str) else self.mining
        return mined_triplet(
            labels, embeddings, mine, self.margin, self.swap, self.soft, self.over_all
        )

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "margin": self.margin,
            "mining": keras.saving.serialize_keras_object(self.mining),
            "swap": self.swap,
            "soft": self.soft,
            "over_all": self.over_all,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Triplet":
        mining = config["mining"]
        if isinstance(mining, dict):
            mining = keras.saving.deserialize_keras_object(mining)
        return cls(**{**config, "mining": mining})
