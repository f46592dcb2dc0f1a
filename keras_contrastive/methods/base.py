"""What every method shares: views, labels, metrics, and state that survives the step."""

from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops

from keras_contrastive.data import Batches, check_images, check_labels
from keras_contrastive.encoders import as_encoder
from keras_contrastive.ops import as_unit_range, participation_ratio, representation_std
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import StepHook

# Rows that the logged rank is computed from: enough for a figure to watch, at a bounded cost.
RANK_ROWS = 256
UNLABELLED = -1

BATCH_OF_ONE = (
    "Expected at least two samples in every batch: one has no negatives and no batch statistics. "
    "Received: a batch of one. Choose a batch size that leaves no rest of one, or drop the rest."
)


class Method(StepHook, keras.Model):  # type: ignore[valid-type, misc]
    """Base of all methods: a Keras model that maps inputs to the encoder's features.

    A method implements `objective`, and `after_step` if it keeps state. `fit` makes the views,
    minimises the objective and logs what it returns; `predict` gives features, without heads.

    Args:
        encoder: A built Keras model from inputs to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from a batch of inputs to a tuple of views, such as
            `keras_contrastive.augmentation.simclr_views()`; `None` if `fit` gets ready views.
        num_views: How many views the objective takes.
        logs: Names of the figures that `objective` returns beside loss and features.
        probe_classes: Number of classes of an online linear probe, trained on the features behind
            a stop-gradient from the labels that the data carries (-1: unlabelled); `None` for none.

    Raises:
        ValueError: If the encoder does not give vectors.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        *,
        num_views: int = 2,
        logs: Sequence[str] = (),
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = as_encoder(encoder)
        self.augmentation = augmentation
        self.num_views = num_views
        self.probe_classes = probe_classes
        self.feature_dim = self.encoder.output_shape[-1]
        self.steps = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="steps"
        )
        self.probe: Any = None
        names = ["representation_std", "effective_rank", *logs]
        if probe_classes is not None:
            self.probe = keras.layers.Dense(probe_classes, dtype="float32", name="probe")
            self.probe.build((None, self.feature_dim))
            names.append("probe_accuracy")
        self._trackers = [keras.metrics.Mean(name=name) for name in names]
        self.built = True

    # -- what a method defines ------------------------------------------------------------------

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        """The method's loss on one batch.

        Args:
            views: Batches of views, `(N, ...)` each.
            labels: Class labels `(N,)`; `None` for methods without labels.
            index: Positions of the samples in the data set, `(N,)`, if the data carries them.
            training: Whether batch normalisation uses the batch and queues are filled.

        Returns:
            A dict with `"loss"` (a scalar or `(N,)`), `"features"` (`(N, D)`, the encoder's of the
            first view) and a scalar for each name in `logs`.
        """
        raise NotImplementedError

    def after_step(self, stepped: Tensor) -> None:
        if self.momentum_pair is not None:
            self.momentum_pair.update(ops.convert_to_tensor(self.steps), stepped)
        self.steps.assign_add(ops.cast(stepped, "int32"))

    # -- what Keras calls -----------------------------------------------------------------------

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        # Within a step the encoder sees the views, in `compute_loss`, and nothing else.
        if self.in_step:
            return inputs
        inputs, _ = _inputs_and_index(inputs)
        if isinstance(inputs, (tuple, list)):  # ready views: the first stands for the sample
            inputs = inputs[0]
        return self.encoder(as_unit_range(inputs), training=training)

    def compute_loss(
        self,
        x: Tensor | tuple | dict | None = None,
        y: Tensor | None = None,
        y_pred: Tensor | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """The objective on fresh views of `x`, as a scalar; Keras calls it in each step."""
        inputs, index = _inputs_and_index(x)
        views = self.make_views(inputs)
        results = self.objective(views, y, index, training=training)
        loss, features = results.pop("loss"), ops.stop_gradient(results.pop("features"))
        loss = _weighted_mean(loss, sample_weight)
        results["representation_std"] = representation_std(features)
        results["effective_rank"] = participation_ratio(features[:RANK_ROWS])
        if self.probe is not None:
            probe_loss, results["probe_accuracy"] = self._probe(features, y)
            # Trains the probe without showing in the value: the logged loss is the objective's.
            loss = loss + probe_loss - ops.stop_gradient(probe_loss)
        for extra in self.losses:
            loss = loss + ops.sum(ops.cast(extra, loss.dtype))
        self._track(results, ops.shape(views[0])[0])
        return loss

    def compute_metrics(
        self, x: object, y: object, y_pred: object, sample_weight: object = None
    ) -> dict[str, Tensor]:
        """The logged figures; `compute_loss` has updated them."""
        return self.get_metrics_result()

    def fit(
        self, x: object = None, y: object = None, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, after a look at arrays that can be looked at.

        Args:
            x: Inputs as an array, a tuple of ready views, a dict with `"inputs"` and `"index"`, or
                any data set that Keras takes.
            y: Labels `(N,)`, for the probe and for supervised methods; otherwise unused.
            *args: As `keras.Model.fit`.
            **kwargs: As `keras.Model.fit`.

        Returns:
            The `History`.

        Raises:
            ValueError: If images or labels cannot be trained on.
        """
        inputs, _ = _inputs_and_index(x)
        for part in inputs if isinstance(inputs, (tuple, list)) else (inputs,):
            if _is_array(part):
                check_images(part)
        if _is_array(y) and self.probe_classes is not None:
            labels = ops.convert_to_numpy(y)
            if labels.ndim == 2 and labels.shape[1] == 1:  # as `keras.datasets` has them
                labels = labels[:, 0]
            check_labels(labels[labels != UNLABELLED], self.probe_classes)
        if isinstance(x, Batches):
            kwargs.setdefault("shuffle", False)  # they are shuffled, and read ahead in order
        batch_size = args[0] if args else kwargs.get("batch_size")
        _check_rest(inputs, batch_size or 32, kwargs.get("validation_split") or 0.0)
        return super().fit(x, y, *args, **kwargs)

    # -- parts ----------------------------------------------------------------------------------

    def make_views(self, inputs: Tensor | tuple) -> tuple[Tensor, ...]:
        """Views of raw inputs through `augmentation`, or the ready views themselves.

        Args:
            inputs: A batch of inputs, or a tuple or list of ready views.

        Returns:
            A tuple of `num_views` batches.

        Raises:
            ValueError: If there are too few or too many views, or a batch of one.
        """
        if isinstance(inputs, (tuple, list)):
            views = tuple(as_unit_range(view) for view in inputs)
        elif self.augmentation is None:
            raise ValueError(
                f"Expected {self.num_views} ready views as a tuple, since this "
                f"{type(self).__name__} has no augmentation. Received: one batch of inputs. Pass "
                "`augmentation=keras_contrastive.augmentation.simclr_views(...)`."
            )
        else:
            views = tuple(self.augmentation(inputs))
        if len(views) != self.num_views:
            raise ValueError(
                f"Expected {self.num_views} views for {type(self).__name__}. "
                f"Received: {len(views)}. A data set of two views and no labels yields "
                "`((view1, view2),)`, a tuple of one tuple."
            )
        if views[0].shape[0] == 1:
            raise ValueError(BATCH_OF_ONE)
        return views

    def _probe(self, features: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        if labels is None:
            raise ValueError(
                f"Expected labels for the online probe (probe_classes={self.probe_classes}). "
                "Received: no labels. Pass them as `fit(images, labels)`, or leave the probe out."
            )
        labels = ops.cast(ops.reshape(labels, (-1,)), "int32")
        labelled = ops.cast(ops.not_equal(labels, UNLABELLED), "float32")
        total = ops.maximum(ops.sum(labelled), 1.0)
        logits = self.probe(features)
        log_probs = ops.log_softmax(logits, axis=-1)
        classes = ops.arange(self.probe_classes, dtype="int32")
        targets = ops.cast(ops.equal(labels[:, None], classes), "float32")  # (N, K), -1: zeros
        loss = -ops.sum(targets * log_probs) / total
        nearest = ops.cast(ops.argmax(logits, axis=-1), "int32")
        hits = ops.cast(ops.equal(nearest, labels), "float32") * labelled
        # Arrays are checked in `fit`; a stream with a label out of range logs NaN, for all to see.
        in_range = ops.all(labels < self.probe_classes)
        return loss, ops.where(in_range, ops.sum(hits) / total, float("nan"))

    def _track(self, results: dict[str, Tensor], num_samples: Tensor) -> None:
        expected = {tracker.name for tracker in self._trackers}
        if set(results) != expected:
            raise ValueError(
                f"Expected the objective of {type(self).__name__} to return loss, features and "
                f"{sorted(expected)}. Received: {sorted(results)}. Name them in `logs`."
            )
        for tracker in self._trackers:
            tracker.update_state(ops.stop_gradient(results[tracker.name]), num_samples)

    momentum_pair: Any = None  # the `MomentumPair` of methods with a target network

    @property
    def trainable(self) -> bool:
        """Whether the method trains; targets stay frozen when it is set."""
        return keras.Model.trainable.fget(self)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.Model.trainable.fset(self, value)
        if self.momentum_pair is not None:
            self.momentum_pair.freeze()

    # -- serialisation --------------------------------------------------------------------------

    def get_config(self) -> dict:
        """The parts, serialised, so that `from_config` rebuilds the method."""
        return {
            **super().get_config(),
            **serialize(encoder=self.encoder, augmentation=self.augmentation),
            "probe_classes": self.probe_classes,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Self:
        """Rebuilds a method from `get_config`."""
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
                if isinstance(value, dict)
                else value
                for name, value in config.items()
            }
        )


def serialize(**parts: object) -> dict:
    """The parts of a method as they stand in its config."""
    return {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}


def _inputs_and_index(x: object) -> tuple:
    """Takes `{"inputs": ..., "index": ...}` apart; anything else is inputs without an index."""
    return (x["inputs"], x["index"]) if isinstance(x, dict) else (x, None)


def _is_array(value: object) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _check_rest(inputs: Any, batch_size: int, validation_split: float) -> None:
    """A rest of one is known before training only for arrays; else the step complains."""
    first = inputs[0] if isinstance(inputs, (tuple, list)) else inputs
    if (
        _is_array(first)
        and int(len(first) * (1.0 - validation_split)) % batch_size == 1 % batch_size
    ):
        raise ValueError(BATCH_OF_ONE)


def _weighted_mean(loss: Tensor, sample_weight: Tensor | None) -> Tensor:
    if len(loss.shape) == 0:
        if sample_weight is not None:
            raise ValueError(
                "Expected no `sample_weight`: this objective is a statistic of the whole batch "
                "and has no value per sample. Received: sample weights."
            )
        return loss
    if sample_weight is not None:
        loss = loss * ops.cast(ops.reshape(sample_weight, (-1,)), loss.dtype)
    return ops.mean(loss)
