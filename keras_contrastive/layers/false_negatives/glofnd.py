"""GloFND: a threshold for each sample, learned over the whole data set."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.false_negatives.base import FalseNegatives, indices_of, mask_of
from keras_contrastive.layers.sample_table import SampleTable
from keras_contrastive.ops.contrast import Mask
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor

BETA_1, BETA_2, EPSILON = 0.9, 0.98, 1e-8  # of Adam on the thresholds, as in the authors' code


@keras.saving.register_keras_serializable(package="keras_contrastive")
class GloFND(FalseNegatives):
    """Global false negative detection: the most similar fraction of all samples is left out.

    The threshold of a sample is the (1 - rate) quantile of its similarities to the data set, found
    by stochastic steps: the gradient is `rate - mean_j [s_ij > threshold]`, taken with Adam. The
    sum over the negatives that are left is scaled to all of them.

    Args:
        num_samples: Size of the data set.
        rate: Fraction of the data set that counts as false, in 0 to 1; 0.01 in the paper, about
            the share of a class of 100.
        start: Optimizer step from which thresholds are learned and applied; default 0. The paper
            waits for a third of the training, until similarities mean something.
        learning_rate: Of the thresholds; 0.05 in the paper.

    Raises:
        ValueError: If an argument is out of range, or the data carries no indices.

    Example:

    >>> import keras_contrastive as kc
    >>> detector = kc.layers.GloFND(num_samples=100)
    >>> float(detector.thresholds.read([3])[0])  # nothing is false to begin with
    1.0

    Reference:
        Balmaseda et al., "Discovering Global False Negatives On the Fly for Self-supervised
        Contrastive Learning", 2025, algorithm 1.
    """

    def __init__(
        self,
        num_samples: int,
        rate: float = 0.01,
        start: int = 0,
        learning_rate: float = 0.05,
        **kwargs: Any,
    ) -> None:
        if not (0 < rate < 1 and start >= 0 and learning_rate > 0):
            raise ValueError(
                "Expected `rate` between 0 and 1, `start` of at least 0 and a positive "
                f"`learning_rate`. Received: rate={rate}, start={start}, "
                f"learning_rate={learning_rate}."
            )
        super().__init__(**kwargs)
        self.num_samples, self.rate = num_samples, rate
        self.start, self.learning_rate = start, learning_rate
        self.thresholds = SampleTable(num_samples, initial=1.0)
        self.first_moments, self.second_moments, self.visits = (
            SampleTable(num_samples) for _ in range(3)
        )
        self.step = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="step"
        )

    def detect(
        self,
        references: Tensor,
        candidates: Tensor,
        negative: Mask,
        index: Tensor | None = None,
        candidate_index: Tensor | None = None,
        training: bool = True,
    ) -> Detection:
        started = ops.convert_to_tensor(self.step) >= self.start
        anchors = ops.stop_gradient(references[:, 0])
        similarity = ops.matmul(anchors, ops.transpose(ops.stop_gradient(candidates)))  # (R, C)
        negatives = negative(*indices_of(references, candidates))
        negatives = ops.logical_and(negatives, ops.ones_like(similarity, dtype="bool"))
        above = ops.logical_and(negatives, similarity > self.thresholds.read(index)[:, None])
        if training:
            share = _count(above) / ops.maximum(_count(negatives), 1.0)
            self._learn(index, self.rate - share, started)
        return Detection(mask_of(ops.logical_and(above, started)), rescale=True)

    def _learn(self, index: Tensor, gradients: Tensor, started: Tensor) -> None:
        """One step of Adam on the thresholds of the batch; anchors of one sample are averaged."""
        same = ops.cast(ops.equal(index[:, None], index[None, :]), "float32")  # (R, R)
        gradients = ops.matmul(same, gradients[:, None])[:, 0] / ops.sum(same, axis=1)
        visits = self.visits.read(index) + 1.0
        first = BETA_1 * self.first_moments.read(index) + (1 - BETA_1) * gradients
        second = BETA_2 * self.second_moments.read(index) + (1 - BETA_2) * ops.square(gradients)
        direction = (first / (1 - BETA_1**visits)) / (
            ops.sqrt(second / (1 - BETA_2**visits)) + EPSILON
        )
        moved = ops.clip(self.thresholds.read(index) - self.learning_rate * direction, -1.0, 1.0)
        for table, values in (
            (self.visits, visits),
            (self.first_moments, first),
            (self.second_moments, second),
            (self.thresholds, moved),
        ):
            table.write(index, ops.where(started, values, table.read(index)))

    def after_step(self, stepped: Tensor) -> None:
        self.step.assign_add(ops.cast(stepped, "int32"))

    def get_config(self) -> dict:
        names = ("num_samples", "rate", "start", "learning_rate")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _count(mask: Tensor) -> Tensor:
    return ops.sum(ops.cast(mask, "float32"), axis=1)
