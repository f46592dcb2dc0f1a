"""What every loss asks of its inputs."""

import keras

from keras_contrastive.ops.similarity import Tensor


def check_temperature(temperature: float) -> float:
    """Returns the temperature, or raises a ValueError if it is not a positive number."""
    if not temperature > 0:
        raise ValueError(
            f"Expected a positive `temperature`. Received: temperature={temperature}. "
            "Usual values lie between 0.05 and 1."
        )
    return float(temperature)


def constant_temperature(loss: keras.losses.Loss, advice: str = "") -> float:
    """Returns the temperature of a loss, or raises a ValueError if it is not a plain number."""
    temperature = getattr(loss, "temperature", None)
    if not isinstance(temperature, (int, float)):
        raise ValueError(
            f"Expected a loss with a number as its temperature. Received: {loss!r} with "
            f"temperature={temperature!r}. Pass `InfoNCE(temperature=...)`{advice}."
        )
    return float(temperature)


def check_weight(weight: float, name: str) -> float:
    """Returns the weight of a term, or raises a ValueError if it is negative or no number."""
    if not weight >= 0:
        raise ValueError(f"Expected `{name}` of at least 0. Received: {name}={weight}.")
    return float(weight)


def check_pair(first: Tensor, second: Tensor) -> None:
    """Raises a ValueError unless both are `(N, D)`, as far as the shapes are known."""
    shapes = tuple(first.shape), tuple(second.shape)
    matching = all(a is None or b is None or a == b for a, b in zip(*shapes, strict=False))
    if len(shapes[0]) != 2 or len(shapes[1]) != 2 or not matching:
        raise ValueError(
            "Expected two batches of embeddings of the same shape (N, D). "
            f"Received: shapes {shapes[0]} and {shapes[1]}."
        )
