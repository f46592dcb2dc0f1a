"""What the losses of two views share."""

from typing import Any

from keras import ops

from keras_contrastive.layers.temperature import resolve_temperature
from keras_contrastive.losses.checks import check_pair
from keras_contrastive.losses.contrast import ContrastiveLoss, both_views
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


class TwoViewLoss(ContrastiveLoss):
    """Base of the losses whose anchors are both views of each sample.

    A subclass implements `of_views`, on embeddings and a temperature that is settled.

    Attributes:
        attracts: Whether detected false negatives can become positives.
    """

    attracts = False

    def call(
        self,
        z1: Tensor,
        z2: Tensor,
        index: Tensor | None = None,
        detection: Detection | None = None,
        training: bool = True,
    ) -> Tensor:
        temperature, (z1, z2) = self.settle(z1, z2, index, detection)
        return self.of_views(z1, z2, temperature, detection)

    def settle(
        self, z1: Tensor, z2: Tensor, index: Tensor | None, detection: Detection | None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """Checks the inputs and gives the temperature, and the embeddings that it leaves."""
        check_pair(z1, z2)
        if detection is not None and detection.attract and not self.attracts:
            raise ValueError(
                f"Expected false negatives that are eliminated: {type(self).__name__} has a "
                "single positive. Received: detected ones to attract. NTXent and InfoNCE attract."
            )
        anchors = ops.concatenate([z1, z2], axis=0)
        positives = ops.concatenate([z2, z1], axis=0)
        temperature, embeddings = resolve_temperature(
            self.temperature, [anchors, positives], both_views(index)
        )
        num_samples = ops.shape(z1)[0]
        return temperature, (embeddings[0][:num_samples], embeddings[0][num_samples:])

    def of_views(
        self, z1: Tensor, z2: Tensor, temperature: Any, detection: Detection | None
    ) -> Tensor:
        """The loss of each sample.

        Args:
            z1: Embeddings of the first view, `(N, D)`, of any length.
            z2: Embeddings of the second view, `(N, D)`.
            temperature: What `keras_contrastive.ops.to_logits` takes, for 2N anchors.
            detection: False negatives among the 2N rows; `None` for none.

        Returns:
            A float32 tensor `(N,)`.
        """
        raise NotImplementedError
