"""Warns, or stops, when a representation collapses."""

import math
import warnings
from typing import Any, Literal

import keras
import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.evaluation.checks import check_positive
from keras_contrastive.evaluation.features import encoder_of
from keras_contrastive.ops.moments import participation_ratio

_COMPLETE = (
    "Complete collapse: the encoder gives nearly the same features for every image "
    "(representation_std {value:.3g}, below {limit:.3g}; 1 is healthy). Usual cures: a lower "
    "learning rate or a longer warm-up; a stop-gradient on the target branch; a predictor (BYOL, "
    "SimSiam) with a learning rate no lower than the encoder's; BatchNorm in the heads; a target "
    "momentum of 0.99 or more; negatives from more than one image."
)
_DIMENSIONAL = (
    "Dimensional collapse: the features vary along almost a single direction (effective rank "
    "{value:.3g} of {dimension} dimensions, below {limit:.3g}). Usual cures: stronger "
    "augmentations, if the views share a shortcut such as brightness, else weaker ones; another "
    "temperature (0.1 to 0.5); BatchNorm in the heads; a projector between encoder and loss; "
    "a lower learning rate or less weight decay."
)
_NOT_FINITE = (
    "The loss is {value}: the weights are broken and training stops. Usual cures: a lower learning "
    "rate or a longer warm-up; gradient clipping (`clipnorm`); a higher temperature; loss scaling "
    "under mixed_float16; inputs without NaN, in 0 to 1. Go on from the last checkpoint."
)
_NOTHING_TO_WATCH = (
    "The collapse alarm watches the loss alone: the model logs neither representation_std nor "
    "effective_rank. Pass `images` to measure its features."
)


class CollapseWarning(UserWarning):
    """The representation has collapsed, or the loss is not finite."""


class CollapseAlarm(keras.callbacks.Callback):
    """Tells a collapse from a healthy run, names its kind and says what usually cures it.

    - Complete: all features are nearly equal; `representation_std` is close to 0.
    - Dimensional: they vary along almost one direction; `effective_rank` (the participation ratio
      of the centred features) is tiny beside their dimension.
    - A loss that is NaN or infinite stops training under either action.

    The figures come from the logs of the method, or from `images` if these are given. The features
    of an untrained network look collapsed too, so the alarm waits for `patience` epochs in
    succession in which a figure is below its limit and does not rise by more than a tenth. Each
    kind is told once in a `fit`. Watched are the features of the encoder. The output of a head
    collapses first and the encoder may follow only in part, so silence is no proof of health.

    Args:
        images: Images to measure the encoder on after each epoch, in inference mode; at least 32.
            Default: none, use the logs; right for batches of 32 or more.
        min_std: Limit for a complete collapse, 0 to 1. Default 0.1.
        min_rank: Limit for a dimensional collapse. Default: `1 + min(0.5, (D - 1) / 200)`, 1.5 for
            101 dimensions and more, close to 1 for few; 1.1 where D is not known. Fully separated
            features of K classes have a rank of K - 1: set it to 0 for two classes.
        patience: Epochs in succession before the alarm, at least 1. Default 3.
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

    def __init__(
        self,
        images: np.ndarray | None = None,
        *,
        min_std: float = 0.1,
        min_rank: float | None = None,
        patience: int = 3,
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
        check_positive(batch_size, "batch_size")
        self.images = images
        self.min_std = min_std
        self.min_rank = min_rank
        self.patience = patience
        self.action = action
        self.batch_size = batch_size

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._previous: dict[str, float] = {}
        self._epochs_low = {"representation_std": 0, "effective_rank": 0}
        self._told: set[str] = set()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        loss = logs.get("loss", 0.0)
        if not math.isfinite(loss):
            self.model.stop_training = True
            self._tell(_NOT_FINITE, value=loss)
            return
        figures, dimension = self._figures(logs)
        if not figures:
            self._tell(_NOTHING_TO_WATCH, UserWarning)
        limits = {
            "representation_std": (self.min_std, _COMPLETE),
            "effective_rank": (self._rank_limit(dimension), _DIMENSIONAL),
        }
        for name, value in figures.items():
            limit, message = limits[name]
            if self._is_low(name, value, limit):
                self.model.stop_training |= self.action == "stop"
                self._tell(message, value=value, limit=limit, dimension=dimension or "its")
                return  # features that are all equal have no rank to speak of

    def _figures(self, logs: dict[str, Any]) -> tuple[dict[str, float], int | None]:
        """Spread and rank, the spread first, and the dimension of the features if it is known."""
        if self.images is not None:
            features = evaluation.embed(self.model, self.images, self.batch_size)
            spread = evaluation.representation_std(features)
            rank = float(participation_ratio(features))
            return {"representation_std": spread, "effective_rank": rank}, features.shape[1]
        names = ("representation_std", "effective_rank")
        return {name: float(logs[name]) for name in names if name in logs}, self._dimension()

    def _dimension(self) -> int | None:
        shape = getattr(encoder_of(self.model), "output_shape", None)
        return shape[-1] if isinstance(shape, tuple) else None

    def _rank_limit(self, dimension: int | None) -> float:
        if self.min_rank is not None:
            return self.min_rank
        return 1.1 if dimension is None else 1.0 + min(0.5, (dimension - 1) / 200)

    def _is_low(self, name: str, value: float, limit: float) -> bool:
        """Whether the figure has been low, and not on its way up, for `patience` epochs."""
        rising = value > 1.1 * self._previous.get(name, math.inf)
        self._previous[name] = value
        self._epochs_low[name] = 0 if value >= limit or rising else self._epochs_low[name] + 1
        return self._epochs_low[name] >= self.patience

    def _tell(
        self, message: str, category: type[Warning] = CollapseWarning, **figures: float | str
    ) -> None:
        if message not in self._told:
            self._told.add(message)
            warnings.warn(message.format(**figures), category, stacklevel=2)
