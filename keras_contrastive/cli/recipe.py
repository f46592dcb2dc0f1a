"""A recipe: everything that decides how an encoder is pretrained, as one YAML file."""

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from keras_contrastive.cli.component import Component, check_keys


@dataclass(frozen=True)
class Data:
    """Where the images come from; all of them are read into memory.

    Args:
        source: What `keras_contrastive.data.load` reads: a folder of images, an `.npz` file, a
            tensorflow-datasets name, or `digits`.
        split: Part of the source, where it has named ones (`train`, `test`).
        test: A second source, for the figures at the end; `None` to keep `test_fraction` of the
            first one out of training for them.
        test_fraction: Share of the images kept out when there is no `test`, 0 to 0.9.
        image_size: Height and width that the images are brought to, in pixels; `None` to keep
            theirs.
        positives: A bank with other positives of each image of the source, for CLSP: a folder or
            an `.npy` file, as `keras_contrastive.data.with_positives` reads it. Asks for a `test`,
            so that every image of the source is trained on.
    """

    source: str = "digits"
    split: str | None = None
    test: str | None = None
    test_split: str | None = None
    test_fraction: float = 0.2
    image_size: int | None = None
    positives: str | None = None

    def __post_init__(self) -> None:
        if self.positives is not None and self.test is None:
            raise ValueError(
                "Expected `data.test` beside `data.positives`: a bank goes with all images of the "
                f"source, and part of them would be kept out. Received: {self.positives} alone."
            )
        if self.test is None and not 0 < self.test_fraction <= 0.9:
            raise ValueError(
                f"Expected `data.test_fraction` in 0 to 0.9. Received: {self.test_fraction}."
            )


@dataclass(frozen=True)
class Optimizer:
    """An optimizer with a warm-up and a cosine decay.

    Args:
        name: An optimizer of this package or of Keras: `lars`, `l2sgd`, `adamw`, ...
        learning_rate: The peak of the schedule, before `scaling`.
        scaling: `linear` (times batch / 256), `sqrt` (times the root of the batch) or `None`.
        warmup_epochs: Length of the linear rise.
        final: Learning rate at the end.
        arguments: Any other argument of the optimizer; in YAML beside the others.
    """

    name: str = "adamw"
    learning_rate: float = 1e-3
    scaling: str | None = None
    warmup_epochs: float = 0
    final: float = 0.0
    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scaling not in (None, "linear", "sqrt"):
            raise ValueError(
                f"Expected `optimizer.scaling` to be linear, sqrt or null. "
                f"Received: {self.scaling!r}."
            )


@dataclass(frozen=True)
class Training:
    """Length and precision of the training.

    Args:
        epochs: Passes over the images.
        batch_size: Images a step, at least 2; the rest of an epoch is dropped.
        precision: A Keras dtype policy: `float32`, `mixed_bfloat16`, `mixed_float16`.
        classes_per_batch: Batches of so many classes with equally many images of each, for losses
            that need positives in the batch; `None` for images in a random order.
        seed: Of the initial weights, the order of the images and the augmentation.
        jit_compile: `True`, `False` or `auto`, as `keras.Model.compile` takes it.
    """

    epochs: int = 100
    batch_size: int = 256
    classes_per_batch: int | None = None
    precision: str = "float32"
    seed: int = 0
    jit_compile: bool | str = "auto"

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"Expected `training.epochs` of at least 1. Received: {self.epochs}.")
        if self.batch_size < 2:
            raise ValueError(
                f"Expected `training.batch_size` of at least 2: one image has no negatives. "
                f"Received: {self.batch_size}."
            )
        classes = self.classes_per_batch
        if classes is not None and (classes < 2 or self.batch_size % classes):
            raise ValueError(
                "Expected `training.classes_per_batch` of at least 2 that divides "
                f"`training.batch_size`. Received: {classes} and {self.batch_size}."
            )


@dataclass(frozen=True)
class Evaluation:
    """What is measured while training, on training images alone.

    Args:
        every: Epochs between two measurements.
        queries: Labelled training images that are held out as queries of the kNN curve.
        bank: Most training images that the queries are compared with.
        k: Neighbours.
        temperature: Of the vote.
    """

    every: int = 1
    queries: int = 1000
    bank: int = 10000
    k: int = 200
    temperature: float = 0.1


@dataclass(frozen=True)
class Recipe:
    """A method, an encoder, data, augmentation, optimizer, training and evaluation.

    Args:
        method: A method: `simclr`, `moco`, `byol`, with its arguments.
        encoder: A function of `keras_contrastive.encoders` with its arguments.
        augmentation: A function of `keras_contrastive.augmentation` that returns views, or
            `views` with `layers`, a list of augmentation layers.
        data: See `Data`.
        optimizer: See `Optimizer`.
        training: See `Training`.
        evaluation: See `Evaluation`.
        callbacks: Callbacks of this package that the method needs, such as `PseudoLabels`, each
            with its arguments; those that take the training images get them.

    Raises:
        ValueError: On an unknown key, with the nearest known ones, and on a value of a wrong type.

    Example:

    >>> recipe = Recipe.parse({"method": "simclr", "training": {"epochs": 5}})
    >>> recipe.training.epochs, recipe.training.batch_size
    (5, 256)
    """

    method: Component = field(default_factory=lambda: Component("simclr"))
    encoder: Component = field(default_factory=lambda: Component("small_resnet"))
    augmentation: Component = field(default_factory=lambda: Component("simclr_views"))
    data: Data = field(default_factory=Data)
    optimizer: Optimizer = field(default_factory=Optimizer)
    training: Training = field(default_factory=Training)
    evaluation: Evaluation = field(default_factory=Evaluation)
    callbacks: tuple[Component, ...] = ()

    def __post_init__(self) -> None:
        if self.data.positives is not None and self.training.classes_per_batch is not None:
            raise ValueError(
                "Expected `data.positives` or `training.classes_per_batch`. Received: both. "
                "Leave one out."
            )

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Read a recipe from nested dicts."""
        if not isinstance(values, dict):
            raise ValueError(
                f"Expected a recipe with the sections {', '.join(_SECTIONS)}. Received: {values!r}."
            )
        check_keys(values, _SECTIONS, "recipe")
        return cls(**{name: _parse(_SECTIONS[name], values[name], name) for name in values})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a recipe from a YAML file."""
        try:
            values = parse_yaml(Path(path).read_text(encoding="utf8"))
        except FileNotFoundError:
            raise ValueError(
                f"Expected a recipe file. Received: {path}, which does not exist."
            ) from None
        except ValueError as error:
            raise ValueError(f"Expected a YAML file. Received: {path}: {error}") from None
        return cls.parse(values)

    def to_dict(self) -> dict[str, Any]:
        """Nested dicts that `parse` reads."""
        values = {name: _to_value(getattr(self, name)) for name in _SECTIONS}
        values["optimizer"] |= values["optimizer"].pop("arguments")
        return values

    def save(self, path: str | Path) -> None:
        """Write a YAML file that `load` reads."""
        text = _yaml().safe_dump(self.to_dict(), sort_keys=False, default_flow_style=None, width=90)
        Path(path).write_text(text, encoding="utf8")


_SECTIONS: dict[str, Any] = {f.name: f.type for f in dataclasses.fields(Recipe)}


def _to_value(section: Any) -> Any:
    if isinstance(section, tuple):
        return [_to_value(each) for each in section]
    return section.to_value() if isinstance(section, Component) else dataclasses.asdict(section)


def _parse(kind: Any, value: Any, section: str) -> Any:
    """One section of a recipe, checked."""
    if kind is Component:
        return Component.parse(value, section)
    if kind == tuple[Component, ...]:
        if not isinstance(value, list):
            raise ValueError(f"Expected `{section}` to be a list. Received: {value!r}.")
        return tuple(Component.parse(each, section) for each in value)
    if not isinstance(value, dict):
        raise ValueError(f"Expected `{section}` to be a mapping. Received: {value!r}.")
    types = {f.name: f.type for f in dataclasses.fields(kind)}
    if kind is Optimizer:
        known = {key: value[key] for key in value if key in types}
        value = {**known, "arguments": {key: value[key] for key in value if key not in types}}
    check_keys(value, types, section)
    for key, entry in value.items():
        _check_type(entry, types[key], f"{section}.{key}")
    return kind(**value)


def _check_type(value: Any, kind: Any, key: str) -> None:
    kind = dict if kind == dict[str, Any] else kind
    allowed = kind | int if kind is float else kind
    # To Python a bool is an integer, to the author of a recipe it is not.
    misplaced = isinstance(value, bool) and kind not in (bool, bool | str, dict)
    if misplaced or not isinstance(value, allowed):
        name = getattr(kind, "__name__", str(kind))
        raise ValueError(f"Expected `{key}` to be of type {name}. Received: {value!r}.")


def parse_yaml(text: str) -> Any:
    """Read YAML, with `1e-4` as a number, as YAML 1.2 has it and PyYAML does not.

    Raises:
        ValueError: On text that is no YAML.
    """
    yaml = _yaml()
    Loader: Any = type("Loader", (yaml.SafeLoader,), {})  # one of our own, since it is changed
    number = re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+.0123456789"))
    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise ImportError(
            "Reading a recipe needs PyYAML: pip install 'keras-contrastive[cli]'."
        ) from None
    return yaml
