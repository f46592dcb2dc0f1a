"""What each of several processes reads of the data that `fit` and `evaluate` are given."""

import random
from typing import Any

from keras_contrastive.data import Rows
from keras_contrastive.methods.inputs import is_array, parts_of
from keras_contrastive.ops.collectives import from_first, num_processes, process_index


def shared(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `fit` or `evaluate` where several processes train together.

    Arrays become batches of which each process reads its part, in an order that is the same for
    all; only the first shows progress. Other data sets are taken for the part of the process, or
    split themselves, as `keras_contrastive.data.Batches` do.

    Args:
        arguments: The arguments by name.

    Returns:
        Those to go on with; the same in a single process.

    Raises:
        ValueError: On `validation_split`, which is of arrays.
    """
    if num_processes() == 1:
        return arguments
    if arguments.get("validation_split"):
        raise ValueError(
            "Expected `validation_data` where several processes train together. "
            f"Received: validation_split={arguments['validation_split']}."
        )
    arguments = {**arguments}
    if process_index() != 0:
        arguments["verbose"] = 0
    size = arguments.get("batch_size") or 32
    data = [arguments.get(name) for name in ("x", "y", "sample_weight")]
    if _first_is_array(data[0]):
        for name in ("y", "sample_weight", "batch_size"):
            arguments.pop(name, None)
        shuffle, seed = arguments.get("shuffle", True), from_first(random.randrange(2**31))
        arguments |= {"x": _rows(data, size, shuffle=shuffle, seed=seed), "shuffle": False}
    validation = arguments.get("validation_data")
    if isinstance(validation, (tuple, list)) and _first_is_array(validation[0]):
        size = arguments.pop("validation_batch_size", None) or size
        arguments["validation_data"] = _rows(validation, size, shuffle=False)
    return arguments


def _rows(data: Any, batch_size: int, **kwargs: Any) -> Rows:
    given = tuple(part for part in data if part is not None)
    return Rows(given, batch_size=batch_size, **kwargs)


def _first_is_array(x: Any) -> bool:
    inputs = parts_of(x)[0]
    return is_array(inputs[0] if isinstance(inputs, (tuple, list)) else inputs)
