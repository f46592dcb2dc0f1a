"""SimSiam: two views, a predictor and a stop-gradient; nothing else prevents the collapse."""

from typing import Any

import keras

from keras_contrastive.layers import build_head, simsiam_predictor, simsiam_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import negative_cosine
from keras_contrastive.methods.base import Method, serialize
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SimSiam(Method):
    """Simple Siamese representation learning.

    The predictor maps the projection of one view to that of the other, which is held constant.
    Views pass the network apart, each normalised by its own batch statistics.

    The paper lets the learning rate of the encoder and projector decay and keeps the predictor's
    constant. With any Keras optimizer that is an `update_step` of one's own:

        class ConstantForPredictor(kc.optimizers.L2SGD):
            def build(self, variables):
                super().build(variables)
                predictor = {id(v) for v in method.predictor.trainable_variables}
                self.constant = [id(v) in predictor for v in variables]

            def update_step(self, gradient, variable, learning_rate):
                constant = self.constant[self._get_variable_index(variable)]
                super().update_step(gradient, variable, 0.05 if constant else learning_rate)

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to two views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's (three layers of 2048).
        predictor: A Keras model on the projections, a function from their dimension to one, or
            `None` for the paper's (512 hidden, as wide as the projections).
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Logs: loss (-1 to 1), representation_std, effective_rank, projection_std (the paper's figure
    times the root of the dimension: 1 is healthy, 0 a collapse), projection_rank and
    probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.SimSiam(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, strength=0.5, blur=0.0),
    ...     projector=lambda dim: kc.layers.simsiam_projector(dim, 32, 32),
    ...     predictor=lambda dim: kc.layers.simsiam_predictor(dim, 8),
    ... )
    >>> method.compile(optimizer=kc.optimizers.L2SGD(0.05))
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, batch_size=8, verbose=0)
    >>> -1 <= history.history["loss"][0] <= 1
    True

    Reference:
        Chen and He, "Exploring Simple Siamese Representation Learning", 2021, algorithm 1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        predictor: Head = None,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(encoder, augmentation, probe_classes=probe_classes, **kwargs)
        self.projector = build_head(projector, simsiam_projector, self.feature_dim)
        dim = self.projector.output_shape[-1]
        self.predictor = build_head(predictor, simsiam_predictor, dim)

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features = [self.encode(view, training) for view in views]  # (N, D)
        projections = [self.projector(f, training=training) for f in features]  # (N, d)
        predictions = [self.predictor(z, training=training) for z in projections]  # (N, d)
        return {
            "loss": self.compare(projections, predictions),
            "features": features[0],
            "projections": projections,
        }

    def compare(self, targets: list[Tensor], predictions: list[Tensor]) -> Tensor:
        """The loss of the predictions, one value per sample.

        Args:
            targets: Projections `(N, d)`, one a view; held constant.
            predictions: Predictions `(N, d)`, one a view.

        Returns:
            A float32 tensor `(N,)`.
        """
        return (
            negative_cosine(targets[1], predictions[0])
            + negative_cosine(targets[0], predictions[1])
        ) / 2

    def get_config(self) -> dict:
        parts = serialize(projector=self.projector, predictor=self.predictor)
        return {**super().get_config(), **parts}
