"""Warns, or stops, when a representation collapses."""

import math
import threading
import warnings
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from keras_contrastive import evaluation
from keras_contrastive.evaluation.checks import check_positive
from keras_contrastive.evaluation.features import encoder_of
from keras_contrastive.methods.figures import FIGURES
from keras_contrastive.ops.moments import participation_ratio

LOW_TEMPERATURE = 0.02  # CLIP clamps at 0.01, the others take 0.05 and more

_COMPLETE = (
    "Complete collapse: the {outputs} are nearly the same for every image "
    "({name} {value:.3g}, below {limit:.3g}; 1 is healthy). Usual cures: a lower "
    "learning rate or a longer warm-up; a stop-gradient on the target branch; a predictor (BYOL, "
    "SimSiam) with a learning rate no lower than the encoder's; BatchNorm in the heads; a target "
    "momentum of 0.99 or more; negatives from more than one image."
)
_DIMENSIONAL = (
    "Dimensional collapse: the {outputs} vary along almost a single direction (effective rank "
    "{value:.3g} of {dimension} dimensions, below {limit:.3g}). Usual cures: the "
    "method's own guard, where it is missing (a stop-gradient, a predictor, a redundancy weight "
    "above 0); stronger augmentations, if the views share a shortcut such as brightness, else "
    "weaker ones; another temperature (0.1 to 0.5); BatchNorm in the heads; a projector between "
    "encoder and loss; a lower learning rate or less weight decay."
)
_NOT_FINITE = (
    "The loss is {value}: the weights are broken and training stops. Suspects: {suspects}. Usual "
    "cures: a lower learning rate or a longer warm-up; gradient clipping (`clipnorm`); a higher "
    "temperature; loss scaling under mixed_float16; inputs without NaN, in 0 to 1. Go on from "
    "the last checkpoint."
)
_NOTHING_TO_WATCH = (
    "The collapse alarm watches the loss alone: the model logs neither representation_std nor "
    "effective_rank. Pass `images` to measure its features."
)


class CollapseWarning(UserWarning):
    """The representation has collapsed, or the loss is not finite."""


class CollapseAlarm(keras.callbacks.Callback):
    """Tells a collapse from a healthy run, names its kind and says what usually cures it.

    - Complete: all outputs are nearly equal; their std is close to 0.
    - Dimensional: they vary along almost one direction; their rank (the participation ratio of
      the centred outputs) is tiny beside their dimension.
    - A loss that is NaN or infinite stops training under either action.

    Watched are the projections that the loss compares, as logged by the method (`projection_std`,
    `projection_rank`) and averaged over each `window` of batches; and the encoder's features, as
    logged over each epoch (`representation_std`, `effective_rank`), or measured on `images` after
    it. Projections collapse within tens of steps; the encoder may follow late, or only in part.
    An untrained network looks collapsed too, so the alarm waits for `patience` windows, or epochs,
    in succession in which a figure is below its limit and does not rise by more than a tenth. Each
    kind is told once in a `fit`, of the projections and of the features.

    Args:
        images: Images to measure the features on after each epoch, in inference mode; at least 32.
            Default: none, use the logs; right for batches of 32 or more.
        min_std: Limit for a complete collapse, 0 to 1. Default 0.1. For projections it is up to
            three times as high, where they have lost half of the std of the first batch and do not
            rise: without a predictor, BYOL's fall from 0.3 to 0.1 in the first epoch, and SupCon's
            rise slowly there, before they tell classes apart.
        min_rank: Limit for a dimensional collapse. Default: `1 + min(0.5, (D - 1) / 200)`, 1.5 for
            101 dimensions and more, close to 1 for few; 1.1 where D is not known. Fully separated
            outputs of K classes have a rank of K - 1: set it to 0 for two classes.
        patience: Windows or epochs in succession before the alarm, at least 1. Default 3.
        window: Batches over which the projections' figures are averaged, at least 1. Default 25.
        action: `"warn"` with a `CollapseWarning`, or `"stop"` to warn and end training.
        batch_size: Images in one forward pass. Default 256.

    Raises:
        ValueError: On an unknown action, limits out of range, or too few images.

    Example:

    >>> import keras, numpy as np, warnings
    >>> dense = keras.layers.Dense(4, kernel_initializer="zeros", bias_initializer="ones")
    >>> model = keras.Sequential([keras.Input((2,)), dense])
    >>> model.compile("sgd", "mse")
    >>> x = np.random.default_rng(0).random((32, 2), "float32")
    >>> alarm = CollapseAlarm(images=x, patience=1)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = model.fit(x, np.ones((32, 4)), verbose=0, callbacks=[alarm])
    >>> str([w.message for w in caught if w.category is CollapseWarning][0])[:17]
    'Complete collapse'

    Reference:
        Jing et al., "Understanding Dimensional Collapse in Contrastive Self-supervised Learning",
        2022, for the two kinds.
    """

    # Keras may then read the logs of a batch in another thread, while the next ones are computed.
    async_safe = True

    def __init__(
        self,
        images: np.ndarray | None = None,
        *,
        min_std: float = 0.1,
        min_rank: float | None = None,
        patience: int = 3,
        window: int = 25,
        action: Literal["warn", "stop"] = "warn",
        batch_size: int = 256,
    ) -> None:
        super().__init__()
        if action not in ("warn", "stop"):
            raise ValueError(f"Expected `action` 'warn' or 'stop'. Received: action={action!r}.")
        if not 0 <= min_std < 1:
            raise ValueError(f"Expected `min_std` from 0 to 1. Received: min_std={min_std}.")
        if min_rank is not None and min_rank < 0:
            raise ValueError(f"Expected `min_rank` of 0 or more. Received: min_rank={min_rank}.")
        if images is not None and len(images) < 32:
            raise ValueError(
                f"Expected at least 32 images, for a sound rank. Received: {len(images)}."
            )
        check_positive(patience, "patience")
        check_positive(window, "window")
        check_positive(batch_size, "batch_size")
        self.images = images
        self.min_std = min_std
        self.min_rank = min_rank
        self.patience = patience
        self.window = window
        self.action = action
        self.batch_size = batch_size
        self._lock = threading.Lock()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._previous: dict[str, float] = {}
        self._times_low: dict[str, int] = {}
        self._told: set[tuple[str, str]] = set()
        # Number of batches and sums of the projections' figures, from the start of the epoch: up
        # to the last batch, and up to the last window.
        self._now = self._seen = np.zeros(3)
        self._first_std: float | None = None
        # On JAX `self.model` writes the state of the step back, which is not for every batch.
        self._watched = self.model
        projector = getattr(self._watched, "projector", None)
        self._projection_dim = _dimension(projector or encoder_of(self._watched))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        figures = _logged("projections", logs)
        if len(figures) < 2:
            return
        with self._lock:
            if self._first_std is None:
                self._first_std = figures["projection_std"]
            # What Keras logs is the mean over the epoch so far.
            self._now = (batch + 1) * np.array([1.0, *figures.values()])
            batches, *sums = self._now - self._seen
            if batches >= self.window:
                self._seen = self._now
                means = [float(total / batches) for total in sums]
                min_std, dimension = self.min_std, self._projection_dim
                if means[0] <= self._previous.get("projection_std", math.inf):
                    min_std = max(min_std, min(3 * min_std, self._first_std / 2))
                self._judge("projections", dict(zip(figures, means)), min_std, dimension)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._seen = self._seen - self._now  # what the epoch leaves to the next window
        self._now = np.zeros(3)
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            self.model.stop_training = True
            suspects = ", ".join(_suspects(self.model))
            self._tell("loss", _NOT_FINITE, value=loss, suspects=suspects)
            return
        figures, dimension = self._features(logs)
        if not figures:
            self._tell("features", _NOTHING_TO_WATCH, UserWarning)
        self._judge("features", figures, self.min_std, dimension)

    def _features(self, logs: dict[str, Any] | None) -> tuple[dict[str, float], int | None]:
        """Spread and rank of the features, and their dimension if it is known."""
        if self.images is not None:
            features = evaluation.embed(self.model, self.images, self.batch_size)
            spread = evaluation.representation_std(features)
            rank = float(participation_ratio(features))
            return dict(zip(FIGURES["features"], (spread, rank))), features.shape[1]
        return _logged("features", logs), _dimension(encoder_of(self.model))

    def _judge(
        self, outputs: str, figures: dict[str, float], min_std: float, dimension: int | None
    ) -> None:
        std, rank = FIGURES[outputs]
        limits = {
            std: (min_std, _COMPLETE),
            rank: (self._rank_limit(dimension), _DIMENSIONAL),
        }
        for name, value in figures.items():
            limit, message = limits[name]
            if self._is_low(name, value, limit):
                self._watched.stop_training |= self.action == "stop"
                size = dimension or "its"
                self._tell(outputs, message, name=name, value=value, limit=limit, dimension=size)
                return  # outputs that are all equal have no rank to speak of

    def _rank_limit(self, dimension: int | None) -> float:
        if self.min_rank is not None:
            return self.min_rank
        return 1.1 if dimension is None else 1.0 + min(0.5, (dimension - 1) / 200)

    def _is_low(self, name: str, value: float, limit: float) -> bool:
        """Whether the figure has been low, and not on its way up, `patience` times."""
        rising = value > 1.1 * self._previous.get(name, math.inf)
        self._previous[name] = value
        low = value < limit and not rising
        self._times_low[name] = self._times_low.get(name, 0) + 1 if low else 0
        return self._times_low[name] >= self.patience

    def _tell(
        self,
        outputs: str,
        message: str,
        category: type[Warning] = CollapseWarning,
        **figures: float | str,
    ) -> None:
        if (outputs, message) not in self._told:
            self._told.add((outputs, message))
            warnings.warn(message.format(outputs=outputs, **figures), category, stacklevel=2)


def _logged(outputs: str, logs: dict[str, Any] | None) -> dict[str, float]:
    """The figures of these outputs that the model logs."""
    logs = logs or {}
    return {name: float(logs[name]) for name in FIGURES[outputs] if name in logs}


def _suspects(model: keras.Model) -> list[str]:
    """What in the setting of a model can break it, the likeliest first."""
    found = []
    temperature = getattr(getattr(model, "contrastive_loss", None), "temperature", None)
    if isinstance(temperature, float) and temperature < LOW_TEMPERATURE:
        found.append(f"the temperature of {temperature:g} (logits up to {1 / temperature:.0f})")
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    if encoder_of(model).compute_dtype == "float16" and not scaled:
        found.append("float16 without loss scaling")
    rate = float(ops.convert_to_numpy(model.optimizer.learning_rate))
    return [*found, f"the learning rate of {rate:.3g}"]


def _dimension(network: Any) -> int | None:
    shape = getattr(network, "output_shape", None)
    return shape[-1] if isinstance(shape, tuple) else None
