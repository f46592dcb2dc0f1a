"""SupCon: images of one class attract, all others repel."""

from typing import Any

import keras
from keras import ops

from keras_contrastive import losses
from keras_contrastive.layers import build_head, moco_v2_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses.checks import check_weight
from keras_contrastive.methods.base import serialize
from keras_contrastive.methods.contrastive import ContrastiveMethod
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.contrast import nearest
from keras_contrastive.ops.labels import class_targets, labelled_weights, unlabelled_apart
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import by_view


# Under a name of its own: the loss is called SupCon too.
@keras.saving.register_keras_serializable(package="keras_contrastive", name="SupConMethod")
class SupCon(ContrastiveMethod):
    """Supervised contrastive learning: all views of all images of a class are positives.

    A sample without a label (-1) is a class of its own: its views attract each other, as without
    supervision, and repel everything else. With `num_classes` a linear classifier on the features
    learns along, from the labelled samples, and so does the encoder through it.

    Args:
        encoder: A built Keras model from images to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from images to views; `None` if `fit` gets ready views.
        projector: A Keras model on the features, a function from their dimension to one, or `None`
            for the paper's: Dense-ReLU-Dense(128) without batch normalisation.
        loss: A loss of labels `(N,)` and embeddings `(N, V, D)`, such as
            `keras_contrastive.losses.SINCERE` or `Triplet`; `None` for
            `losses.SupCon(temperature=0.1)`.
        num_classes: Number of classes of the joint classifier; `None` for none.
        classifier_weight: Weight of the classifier's cross-entropy, at least 0, default 1.
        num_views: Views of each image, default 2.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Raises:
        ValueError: When `fit` gets no labels, or labels out of range.

    Logs: loss, class_accuracy (share of views whose nearest other view in the batch is of their
    class), classifier_accuracy (with `num_classes`), representation_std, effective_rank,
    projection_std, projection_rank and probe_accuracy.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.SupCon(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.supcon_cifar_views(size=16),
    ...     num_classes=4,
    ... )
    >>> method.compile(optimizer="adam")
    >>> images = np.random.default_rng(0).integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> history = method.fit(images, np.arange(16) % 4, batch_size=8, verbose=0)
    >>> 0 <= history.history["class_accuracy"][0] <= 1
    True

    Differs from the reference: classifier and contrastive loss may train together, where the paper
    trains the classifier afterwards.

    Reference:
        Khosla et al., "Supervised Contrastive Learning", 2020.
    """

    needs_labels = True

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        loss: keras.losses.Loss | None = None,
        num_classes: int | None = None,
        classifier_weight: float = 1.0,
        num_views: int = 2,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            loss=loss or losses.SupCon(temperature=0.1),
            num_views=num_views,
            logs=["class_accuracy", *([] if num_classes is None else ["classifier_accuracy"])],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, moco_v2_projector, self.feature_dim)
        self.num_classes = num_classes
        self.classifier_weight = check_weight(classifier_weight, "classifier_weight")
        self.classifier: Any = None
        if num_classes is not None:
            self.classifier = keras.layers.Dense(num_classes, dtype="float32", name="classifier")
            self.classifier.build((None, self.feature_dim))

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features, rows = self.project(views, training)  # (V N, ...)
        shape = (self.num_views, -1, rows.shape[-1])
        embeddings = ops.transpose(ops.reshape(rows, shape), (1, 0, 2))  # (N, V, d)
        classes = unlabelled_apart(labels)
        results = {
            "loss": self.loss_of(classes, embeddings, index, training=training),
            "features": by_view(features, self.num_views)[0],
            "projections": [embeddings[:, view] for view in range(self.num_views)],
            "class_accuracy": _class_accuracy(ops.tile(classes, (self.num_views,)), rows),
        }
        if self.classifier is not None:
            logits = ops.reshape(
                self.classifier(features), (self.num_views, -1, self.classifier.units)
            )
            targets, labelled = (
                class_targets(labels, self.classifier.units),
                labelled_weights(labels),
            )
            crossed = -ops.sum(targets * ops.log_softmax(logits, axis=-1), axis=-1)  # (V, N)
            results["loss"] += self.classifier_weight * labelled * ops.mean(crossed, axis=0)
            hits = ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), labels)  # (V, N)
            results["classifier_accuracy"] = ops.mean(labelled * ops.cast(hits, "float32"))
        return results

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            **serialize(projector=self.projector),
            "num_classes": self.num_classes,
            "classifier_weight": self.classifier_weight,
            "num_views": self.num_views,
        }


def _class_accuracy(classes: Tensor, rows: Tensor) -> Tensor:
    z = ops.stop_gradient(l2_normalize(rows))
    _, found = nearest(z, z, ops.not_equal)
    return ops.mean(ops.cast(ops.equal(ops.take(classes, found), classes), "float32"))
