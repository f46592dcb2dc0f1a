"""From a recipe to a compiled method."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_contrastive import augmentation, callbacks, encoders, layers, losses, methods, optimizers
from keras_contrastive.cli.component import Component
from keras_contrastive.cli.recipe import Recipe


def build(recipe: Recipe, input_shape: Sequence[int], num_samples: int) -> methods.Method:
    """Build and compile the method that a recipe describes.

    The initial weights and the views follow from `recipe.training.seed`.

    Args:
        recipe: The recipe.
        input_shape: Shape of one image, `(height, width, channels)`.
        num_samples: Images of an epoch, for the schedules and for parts that keep a value of each.

    Returns:
        A compiled method; its `encoder` has random weights.

    Raises:
        ValueError: On unknown names or arguments, with the nearest known ones.

    Example:

    >>> recipe = Recipe.parse({"encoder": {"name": "small_resnet", "widths": [8, 16]}})
    >>> method = build(recipe, input_shape=(16, 16, 3), num_samples=2560)
    >>> type(method).__name__, method.encoder.output_shape
    ('SimCLR', (None, 16))
    """
    keras.utils.set_random_seed(recipe.training.seed)
    steps_per_epoch = num_samples // recipe.training.batch_size
    known = {"steps": recipe.training.epochs * steps_per_epoch, "num_samples": num_samples}
    with _precision(recipe.training.precision):
        target = recipe.method.find("method", methods)
        arguments = {
            name: _argument(value, f"method.{name}", known)
            for name, value in recipe.method.arguments.items()
        }
        method = target(
            build_encoder(recipe, input_shape),
            build_views(recipe.augmentation, input_shape),
            **arguments,
        )
        method.compile(
            optimizer=_optimizer(recipe, steps_per_epoch), jit_compile=recipe.training.jit_compile
        )
    return method


def check(recipe: Recipe) -> None:
    """Refuse unknown names and arguments before any data is read."""
    recipe.method.find("method", methods)
    recipe.encoder.find("encoder", encoders)
    if recipe.augmentation.name.lower() != "views":
        recipe.augmentation.find("augmentation", augmentation)
    for component in recipe.callbacks:
        component.find("callbacks", callbacks)
    optimizer = Component(recipe.optimizer.name, recipe.optimizer.arguments)
    optimizer.find("optimizer", optimizers, keras.optimizers)


def build_encoder(recipe: Recipe, input_shape: Sequence[int]) -> keras.Model:
    """Build the encoder alone, with random weights."""
    target = recipe.encoder.find("encoder", encoders)
    return target(**{"input_shape": tuple(input_shape), **recipe.encoder.arguments})


def build_callbacks(recipe: Recipe, images: np.ndarray) -> list[keras.callbacks.Callback]:
    """Build the callbacks of a recipe; those that take `images` get the training images."""
    built = []
    for component in recipe.callbacks:
        target = component.find("callbacks", callbacks)
        given = {"images": images} if "images" in inspect.signature(target).parameters else {}
        built.append(target(**given | component.arguments))
    return built


def build_views(component: Component, input_shape: Sequence[int]) -> augmentation.Views:
    """Build the views: a named function, or `views` with a list of `layers`.

    Where the function takes a `size` and the recipe gives none, it is the images' height.
    """
    if component.name.lower() != "views":
        target = component.find("augmentation", augmentation)
        arguments = component.arguments
        if "size" in inspect.signature(target).parameters:
            arguments = {"size": input_shape[0], **arguments}
        return target(**arguments)
    entries = component.arguments.get("layers", [])
    if set(component.arguments) != {"layers"} or not isinstance(entries, list) or not entries:
        raise ValueError(
            f"Expected `augmentation: {{name: views, layers: [...]}}` with a list of layers. "
            f"Received: {component.to_value()!r}."
        )
    built = []
    for entry in entries:
        layer = Component.parse(entry, "augmentation.layers")
        built.append(layer.find("augmentation.layers", augmentation)(**layer.arguments))
    return augmentation.Views([built, built])


def _argument(value: Any, section: str, known: Mapping[str, int]) -> Any:
    """An argument of a method: a part by its name, a saved model by its file, or a plain value.

    Parts that take the length of the run or the size of the data set, both in `known`, get them.
    """
    if isinstance(value, list):
        return [_argument(each, section, known) for each in value]
    if isinstance(value, str) and value.endswith(".keras"):
        return keras.saving.load_model(value)
    if not isinstance(value, dict):
        return value
    component = Component.parse(value, section)
    target = component.find(section, layers, losses, optimizers, methods)
    arguments = {
        name: _argument(each, f"{section}.{name}", known)
        for name, each in component.arguments.items()
    }
    if target.__name__ in layers.__all__ and not inspect.isclass(target):
        # A head: the method sizes it, so it gets a function of the input dimension.
        return partial(target, **arguments)
    parameters = inspect.signature(target).parameters
    return target(**{name: known[name] for name in known if name in parameters} | arguments)


def _optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """The optimizer with its scaled and scheduled learning rate."""
    settings, batch_size = recipe.optimizer, recipe.training.batch_size
    component = Component(settings.name, settings.arguments)
    target = component.find("optimizer", optimizers, keras.optimizers)
    peak = {
        None: lambda rate, _: rate,
        "linear": optimizers.linear_scaling,
        "sqrt": optimizers.sqrt_scaling,
    }[settings.scaling](settings.learning_rate, batch_size)
    schedule = optimizers.warmup_cosine(
        peak,
        epochs=recipe.training.epochs,
        steps_per_epoch=steps_per_epoch,
        warmup_epochs=settings.warmup_epochs,
        final=settings.final,
    )
    return target(schedule, **settings.arguments)


@contextmanager
def _precision(policy: str) -> Iterator[None]:
    """Build under a dtype policy, and leave the global one as it was."""
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policy)
    except ValueError as error:
        raise ValueError(
            f"Expected `training.precision` to be float32, mixed_bfloat16 or mixed_float16. "
            f"Received: {policy!r}."
        ) from error
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
