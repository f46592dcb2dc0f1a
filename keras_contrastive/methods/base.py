"""What every method shares: views, labels, metrics, and state that survives the step."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_contrastive.data import Batches
from keras_contrastive.encoders import as_encoder, read_keras_file
from keras_contrastive.encoders.frozen import still_frozen
from keras_contrastive.methods.addition import (
    Addition,
    added,
    check_additions,
    class_counts,
    positive_view,
)
from keras_contrastive.methods.figures import FIGURES, figures_of
from keras_contrastive.methods.inputs import (
    BATCH_OF_ONE,
    check_classes,
    check_compiled,
    check_index,
    check_rest,
    check_views,
    parts_of,
    samples_kept,
)
from keras_contrastive.methods.probe import OnlineProbe
from keras_contrastive.methods.shares import shared
from keras_contrastive.ops import as_unit_range
from keras_contrastive.ops.collectives import gather, num_devices
from keras_contrastive.ops.labels import UNLABELLED, as_labels, labels_in_range
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.ops.weights import times, weighted_mean
from keras_contrastive.training import (
    StepHook,
    as_logs,
    as_share,
    by_view,
    in_micro_batches,
    more_than_one,
    num_shares,
    own_draws,
    prompt_epochs,
    same_start,
    with_order,
)


class Method(StepHook, keras.Model):  # type: ignore[valid-type, misc]
    """Base of all methods: a Keras model that maps inputs to the encoder's features.

    A method implements `objective`, and `after_step` if it keeps state. `fit` makes the views,
    minimises the objective and logs what it returns; `predict` gives features, without heads.

    Args:
        encoder: A built Keras model from inputs to features `(N, D)`; feature maps are pooled.
        augmentation: A layer from a batch of inputs to a tuple of views, such as
            `keras_contrastive.augmentation.simclr_views()`; `None` if `fit` gets ready views. It
            is drawn from again while the views are fewer than the objective takes.
        num_views: How many views the objective takes.
        more_views: Whether it takes any number from `num_views` on.
        logs: Names of the figures that `objective` returns beside loss and features.
        probe_classes: Number of classes of an online linear probe, trained on the features behind
            a stop-gradient from the labels that the data carries (-1: unlabelled); `None` for none.
        additions: Terms that join the objective, such as `keras_contrastive.CLOP`.
        weighting: A layer from the views to weights `(N,)` of the samples, such as
            `keras_contrastive.layers.ViewQuality`; for objectives with one value per sample.
        micro_batches: Number of parts in which the encoder sees each batch, so that one part's
            activations are in memory at a time (see `training.in_micro_batches`). The loss is
            still that of the whole batch. Default 1. May be set on a loaded method.

    Attributes:
        needs_labels: Whether the objective learns from labels.
        num_classes: Number of classes that it knows; `None` for any.
        takes_positives: Whether the objective takes another `positive` of each sample.

    Raises:
        ValueError: If the encoder does not give vectors, or an addition does not fit.
    """

    needs_labels = False
    num_classes: int | None = None
    takes_positives = False

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: Any = None,
        *,
        num_views: int = 2,
        more_views: bool = False,
        logs: Sequence[str] = (),
        probe_classes: int | None = None,
        additions: Sequence[Addition] = (),
        weighting: keras.Layer | None = None,
        micro_batches: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if micro_batches < 1:
            raise ValueError(
                f"Expected `micro_batches` of 1 or more. Received: micro_batches={micro_batches}."
            )
        self.micro_batches = micro_batches
        self.encoder = as_encoder(encoder)
        self.augmentation = augmentation
        self.num_views, self.more_views = num_views, more_views
        self.probe_classes = probe_classes
        self.additions = [*additions]
        self.weighting = weighting
        check_additions(self)
        self.feature_dim = self.encoder.output_shape[-1]
        self.steps = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="steps"
        )
        self.probe: Any = None
        names = [name for pair in FIGURES.values() for name in pair] + [*logs]
        names += [addition.log_name for addition in self.additions]
        if probe_classes is not None:
            self.probe = OnlineProbe(probe_classes, self.feature_dim, name="probe")
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
            labels: Class labels, int32 `(N,)` where the method needs them; or `None`.
            index: Positions of the samples in the data set, `(N,)`, if the data carries them.
            training: Whether batch normalisation uses the batch and queues are filled.

        Returns:
            A dict with `"loss"` (a scalar or `(N,)`), `"features"` (`(N, D)`, the encoder's of the
            first view) and a scalar for each name in `logs`. Methods with a projector also return
            `"projections"`, a list of their views' online projections `(N, d)`, and those that
            take another positive `"positive"`, its projections.
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
        inputs = parts_of(inputs)[0]
        if isinstance(inputs, (tuple, list)):  # ready views: the first stands for the sample
            inputs = inputs[0]
        return self.encoder(self.as_inputs(inputs), training=training)

    def compute_loss(
        self,
        x: Tensor | tuple | dict | None = None,
        y: Tensor | None = None,
        y_pred: Tensor | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """The objective on fresh views of `x`, as a scalar; Keras calls it in each step."""
        inputs, index, positive = parts_of(x)
        views = self.make_views(inputs)
        more = positive_view(self, positive, ready=isinstance(inputs, (tuple, list)))
        # What belongs to the samples follows their features, which `encode` gathers.
        y, index, sample_weight = (
            part if part is None else gather(part) for part in (y, index, sample_weight)
        )
        if self.uses_labels:
            y = self._labels(y)
        if self.weighting is not None:
            sample_weight = times(self.weighting(views), sample_weight)
        results = self.objective(views, y, index, training=training, **more)
        loss, features = results.pop("loss"), ops.stop_gradient(results.pop("features"))
        # Without a head, the loss compares the features themselves.
        figures = figures_of(features, results.get("projections", [features])[0])
        loss = weighted_mean(loss, sample_weight) + added(self, results, y, sample_weight)
        for num_classes in class_counts(self):
            # Arrays are checked in `fit`; a stream with a label out of range shows in the loss.
            loss = ops.where(labels_in_range(y, num_classes), loss, float("nan"))
        if index is not None and (kept := samples_kept(self)) is not None:
            known = ops.logical_and(index >= 0, index < kept)
            loss = ops.where(ops.all(known), loss, float("nan"))  # as of labels
        results |= figures
        if self.probe is not None:
            probe_loss, results["probe_accuracy"] = self.probe(features, y)
            # Trains the probe without showing in the value: the logged loss is the objective's.
            loss = loss + probe_loss - ops.stop_gradient(probe_loss)
        for extra in self.losses:
            loss = loss + ops.sum(ops.cast(extra, loss.dtype))
        self._track(results, ops.shape(features)[0])
        return as_share(loss)

    def compute_metrics(
        self, x: object, y: object, y_pred: object, sample_weight: object = None
    ) -> dict[str, Tensor]:
        """The logged figures; `compute_loss` has updated them."""
        return as_logs(self.get_metrics_result())

    def fit(
        self, x: object = None, y: object = None, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, after a look at arrays that can be looked at.

        Args:
            x: Inputs as an array, a tuple of ready views, a dict with `"inputs"` and what belongs
                to them (`"index"`, `"positive"`), or any data set that Keras takes.
            y: Labels `(N,)`, for the probe and for supervised methods; otherwise unused.
            *args: As `keras.Model.fit`.
            **kwargs: As `keras.Model.fit`.

        Returns:
            The `History`.

        Raises:
            ValueError: If images or labels cannot be trained on.
        """
        check_compiled(self)
        x = self.prepare(x)
        arguments = inspect.signature(super().fit).bind(x, y, *args, **kwargs).arguments
        validation = arguments.get("validation_data")
        if isinstance(validation, (tuple, list)):
            arguments["validation_data"] = self.prepare(validation[0]), *validation[1:]
            self.check_inputs(parts_of(arguments["validation_data"][0])[0])
        inputs, index, positive = parts_of(x)
        self.check_inputs(inputs)
        check_views(positive)
        counts = [] if self.probe_classes is None else [self.probe_classes]
        check_classes(y if self.uses_labels else None, [*counts, *class_counts(self)])
        check_index(index, self)
        if isinstance(x, Batches):
            arguments.setdefault("shuffle", False)  # they are shuffled, and read ahead in order
            arguments["callbacks"] = with_order(arguments.get("callbacks"), x)
        if y is None and arguments.get("sample_weight") is not None and not self.uses_labels:
            # Keras drops weights that come without labels.
            arguments["y"] = np.full(len(arguments["sample_weight"]), UNLABELLED)
        check_rest(
            inputs,
            arguments.get("batch_size") or 32,
            arguments.get("validation_split") or 0.0,
            self.micro_batches,
            num_shares(self),
        )
        if self.momentum_pair is not None:
            self.momentum_pair.freeze()  # layers may have been frozen or thawed since
        same_start(self)
        with prompt_epochs():
            return super().fit(**shared(arguments))

    def evaluate(self, x: object = None, y: object = None, *args: Any, **kwargs: Any) -> Any:
        """The objective on fresh views, as `keras.Model.evaluate`; it changes no state."""
        check_compiled(self)
        x = self.prepare(x)
        arguments = inspect.signature(super().evaluate).bind(x, y, *args, **kwargs).arguments
        more = arguments.pop("kwargs", {})
        with prompt_epochs():
            return super().evaluate(**shared(arguments), **more)

    # -- parts ----------------------------------------------------------------------------------

    def prepare(self, x: Any) -> Any:
        """What `fit` and `evaluate` are given, as arrays; where it is something else, as text."""
        return x

    def check_inputs(self, inputs: Any) -> None:
        """Refuses inputs to `fit` that are arrays, but not such as the method can learn from.

        Args:
            inputs: A batch of inputs, a tuple of ready views, or a data set.

        Raises:
            ValueError: If they are not images.
        """
        check_views(*(inputs if isinstance(inputs, (tuple, list)) else (inputs,)))

    def as_inputs(self, batch: Tensor) -> Tensor:
        """A batch as the encoder takes it: images in 0 to 1."""
        return as_unit_range(batch)

    def make_views(self, inputs: Tensor | tuple) -> tuple[Tensor, ...]:
        """Views of raw inputs through `augmentation`, or the ready views themselves.

        Args:
            inputs: A batch of inputs, or a tuple or list of ready views.

        Returns:
            A tuple of `num_views` batches, or of more if the objective takes them.

        Raises:
            ValueError: If there are too few or too many views, or a batch of one.
        """
        expected = f"{'at least ' if self.more_views else ''}{self.num_views}"
        if isinstance(inputs, (tuple, list)):
            views = tuple(self.as_inputs(view) for view in inputs)
        elif self.augmentation is None:
            raise ValueError(
                f"Expected {expected} ready views as a tuple, since this "
                f"{type(self).__name__} has no augmentation. Received: one batch of inputs. Pass "
                "`augmentation=keras_contrastive.augmentation.simclr_views(...)`."
            )
        else:
            with own_draws(self.augmentation):
                views = tuple(self.augmentation(inputs))
                while len(views) < self.num_views:
                    views += tuple(self.augmentation(inputs))[: self.num_views - len(views)]
        if len(views) < self.num_views or (len(views) > self.num_views and not self.more_views):
            raise ValueError(
                f"Expected {expected} views for {type(self).__name__}. "
                f"Received: {len(views)}. A data set of two views and no labels yields "
                "`((view1, view2),)`, a tuple of one tuple."
            )
        return views if num_devices() > 1 else more_than_one(views, BATCH_OF_ONE)

    @property
    def uses_labels(self) -> bool:
        """Whether a step needs labels: for the objective, an addition or the probe."""
        return self.probe is not None or self.learns_from_labels

    @property
    def learns_from_labels(self) -> bool:
        """Whether labels shape the encoder: in the objective or an addition, not in the probe."""
        terms: list[Any] = [self, *self.additions]
        return any(term.needs_labels for term in terms)

    def _labels(self, labels: Tensor | None) -> Tensor:
        if labels is not None:
            return as_labels(labels)
        if self.probe is not None:
            reason = f"the online probe (probe_classes={self.probe_classes})"
            advice = ", or leave the probe out."
        else:
            terms: list[Any] = [self, *self.additions]
            names = [type(term).__name__ for term in terms if term.needs_labels]
            reason, advice = names[0], "; -1 stands for a sample without a label."
        raise ValueError(
            f"Expected labels for {reason}. Received: no labels. "
            f"Pass them as `fit(images, labels)`{advice}"
        )

    def encode(
        self,
        views: Tensor | Sequence[Tensor],
        training: bool,
        encoder: keras.Model | None = None,
    ) -> Tensor:
        """Features of views, in `micro_batches` parts while training.

        Each device encodes its part of the batch. The features are those of all devices, so that
        whatever follows, heads, queues and losses, sees the whole batch.

        Args:
            views: A batch of views `(n, ...)`, or a list of V such that pass in one go.
            training: Whether batch normalisation uses the batch.
            encoder: The encoder, such as a target's; `None` for the online one.

        Returns:
            A tensor `(N, D)`, or `(V * N, D)`, view after view.
        """
        encoder = encoder or self.encoder
        together = isinstance(views, (tuple, list))
        images = ops.concatenate(views, axis=0) if together else views
        with own_draws(encoder):
            features = in_micro_batches(encoder, images, self.micro_batches, training)
        parts = [gather(part) for part in by_view(features, len(views) if together else 1)]
        return ops.concatenate(parts, axis=0)

    def project(self, views: Tensor | Sequence[Tensor], training: bool) -> tuple[Tensor, Tensor]:
        """Features and projections of views as in `encode`, from the online network."""
        features = self.encode(views, training)
        return features, self.projector(features, training=training)

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
            **serialize(
                encoder=self.encoder,
                augmentation=self.augmentation,
                additions=[*self.additions],
                weighting=self.weighting,
            ),
            "probe_classes": self.probe_classes,
            "micro_batches": self.micro_batches,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Self:
        """Rebuilds a method from `get_config`."""
        config = {
            name: keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
            if isinstance(value, (dict, list))
            else value
            for name, value in config.items()
        }
        return still_frozen(cls(**config))

    @classmethod
    def from_preset(cls, preset: str | Path) -> Self:
        """Load a method with all its training state: heads, queues, targets and optimizer.

        `fit` then goes on where the saved one ended. Presets of the zoo are encoders alone, which
        `keras_contrastive.from_preset` loads.

        Args:
            preset: A folder that `keras-contrastive pretrain` wrote, with `method.keras`, or a
                `.keras` file that `save` wrote.

        Returns:
            The method, compiled as it was.

        Raises:
            ValueError: On a folder without `method.keras`, a file that cannot be read, and one of
                something else than this class.

        Example:

        >>> import keras_contrastive as kc, tempfile
        >>> path = tempfile.mkdtemp() + "/method.keras"
        >>> kc.SimCLR(kc.encoders.small_resnet(widths=(4, 8))).save(path)
        >>> type(kc.Method.from_preset(path)).__name__
        'SimCLR'
        """
        path = Path(preset)
        if path.is_dir():
            path = path / "method.keras"
        elif path.suffix != ".keras":
            raise ValueError(
                f"Expected the folder of a run or a .keras file of a method. Received: {preset}. "
                "For the encoder of a preset of the zoo: keras_contrastive.from_preset."
            )
        method = read_keras_file(path, compile=True)
        if not isinstance(method, cls):
            raise ValueError(
                f"Expected a saved {cls.__name__}. Received: {path}, a {type(method).__name__}. "
                "Method.from_preset loads any method, keras_contrastive.from_preset any encoder."
            )
        return method


def serialize(**parts: object) -> dict:
    """The parts of a method as they stand in its config."""
    return {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}
