"""What the methods share whose loss has a temperature and negatives."""

from typing import Any

import keras

from keras_contrastive.layers import FalseNegatives, Temperature
from keras_contrastive.losses.contrast import ContrastiveLoss
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor


class ContrastiveMethod(Method):
    """Base of methods with a contrastive loss, whose parts may learn and remember.

    Args:
        encoder: A built Keras model from inputs to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from inputs to views; `None` if `fit` gets ready views.
        loss: The method's loss. Layers and random generators in it become parts of the model: they
            are trained, saved and restored with it.
        false_negatives: A detector of false negatives, whose supports are views to draw beside
            those of the method; `None` for none.
        num_views: Number of views that are contrasted.
        **kwargs: As `Method`.

    Attributes:
        detecting_loss: The kind of loss that can use false negatives as the method finds them;
            `None` where it looks for none.

    Raises:
        ValueError: If false negatives mean nothing to the method or to the loss.
    """

    detecting_loss: type[ContrastiveLoss] | None = None

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        *,
        loss: keras.losses.Loss,
        false_negatives: FalseNegatives | None = None,
        num_views: int = 2,
        **kwargs: Any,
    ) -> None:
        if false_negatives is not None:
            self._check_detects(loss)
            num_views += false_negatives.num_supports
        super().__init__(encoder, augmentation, num_views=num_views, **kwargs)
        self.contrastive_loss = loss
        self.false_negatives = false_negatives
        kinds = (keras.layers.Layer, keras.random.SeedGenerator)
        self.loss_parts = [part for part in vars(loss).values() if isinstance(part, kinds)]

    def _check_detects(self, loss: keras.losses.Loss) -> None:
        method, expected = type(self).__name__, self.detecting_loss
        if expected is None:
            raise ValueError(
                "Expected a method that looks for false negatives (SimCLR, MoCo). "
                f"Received: false_negatives for {method}."
            )
        if not isinstance(loss, expected):
            raise ValueError(
                f"Expected a loss of the pairs among which {method} looks for false negatives, "
                f"such as its default (loss=None). Received: {type(loss).__name__}."
            )

    def loss_of(
        self,
        target: Tensor | tuple,
        prediction: Tensor,
        index: Tensor | None = None,
        detection: Detection | None = None,
        training: bool = True,
    ) -> Tensor:
        """The loss, given what it can use.

        Args:
            target: What `loss(target, prediction)` takes first.
            prediction: What it takes second.
            index: Positions of the samples in the data set, `(N,)`, if the data carries them.
            detection: False negatives among the candidates; `None` for none.
            training: Whether state in the loss may change.

        Returns:
            The loss, a value per sample.
        """
        if not isinstance(self.contrastive_loss, ContrastiveLoss):
            return self.contrastive_loss.call(target, prediction)
        # Supervised losses know no false negatives.
        found = {} if detection is None else {"detection": detection}
        return self.contrastive_loss.call(
            target, prediction, index=index, training=training, **found
        )

    def after_step(self, stepped: Tensor) -> None:
        super().after_step(stepped)
        for part in [*self.loss_parts, self.false_negatives]:
            if isinstance(part, (Temperature, FalseNegatives)):
                part.after_step(stepped)

    def get_config(self) -> dict:
        return {**super().get_config(), **serialize(loss=self.contrastive_loss)}
