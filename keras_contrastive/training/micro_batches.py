"""Large batches in little memory: the network runs in parts, and again in the backward pass.

A contrastive loss needs all embeddings of a batch at once, so gradients cannot be accumulated
over smaller batches. Its encoder can run on parts of the batch, though: only their inputs and
outputs are kept, and the backward pass computes each part anew when its turn comes.
"""

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any

import keras
from keras import ops

from keras_contrastive.ops.similarity import Tensor

Step = Callable[[list[Tensor], Any], tuple[list[Tensor], Tensor]]


def in_micro_batches(
    network: keras.Model, inputs: Any, count: int, training: bool = True
) -> Tensor:
    """Outputs of a batch that passes through a network in equal parts, one after the other.

    Values and gradients are those of the parts in one graph; memory for activations is that of a
    single part, for one more forward pass. The backward pass replays the same dropout, and state
    such as batch statistics changes once a part. Batch normalisation so normalises each part by
    itself: with it, the gradient is that of smaller batches up to the network's end.

    Args:
        network: A built Keras model.
        inputs: A batch, or a nested structure of tensors with the same first dimension.
        count: Number of parts, at least 1; at most the size of the batch.
        training: As in `keras.Model.call`; parts are made in training only.

    Returns:
        The network's outputs for the whole batch.

    Raises:
        ValueError: If the batch has fewer samples than parts.

    Example:

    >>> import keras, numpy as np
    >>> from keras_contrastive.training import in_micro_batches
    >>> network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> x = np.random.default_rng(0).random((10, 3), "float32")
    >>> bool(np.allclose(in_micro_batches(network, x, 4), network(x), atol=1e-6))
    True

    Reference:
        Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup",
        2021 (gradient caching).
    """
    if not training or count == 1:
        return network(inputs, training=training)
    first = keras.tree.flatten(inputs)[0]
    if first.shape[0] is not None and first.shape[0] < count:
        raise ValueError(
            f"Expected at least as many samples as micro-batches. Received: {first.shape[0]} "
            f"samples and {count} micro-batches."
        )
    weights = [ops.convert_to_tensor(variable) for variable in network.trainable_variables]
    variables = network.non_trainable_variables
    # Weights and state go in as arguments: TensorFlow would lose the gradients of what is
    # captured, and a second pass must see the random and batch states of the first.
    forward = keras.remat(partial(network.stateless_call, training=True))

    def step(state: list[Tensor], part: Any) -> tuple[list[Tensor], Tensor]:
        outputs, state = forward(weights, state, part)
        return state, outputs

    state = [ops.copy(variable) for variable in variables]
    in_turn = _scan if keras.backend.backend() == "jax" else _loop
    state, outputs = in_turn(step, state, inputs, ops.shape(first)[0], count)
    for variable, value in zip(variables, state, strict=True):
        variable.assign(ops.stop_gradient(value))
    return outputs


def _loop(step: Step, state: list[Tensor], inputs: Any, size: Any, count: int) -> Any:
    outputs = []
    for part in range(count):
        start, end = size * part // count, size * (part + 1) // count
        rows = slice(start, end)
        state, output = step(state, keras.tree.map_structure(itemgetter(rows), inputs))
        outputs.append(output)
    return state, ops.concatenate(outputs, axis=0)


def _scan(step: Step, state: list[Tensor], inputs: Any, size: Any, count: int) -> Any:
    """A loop that XLA cannot take apart: it would run all replays at once, in all the memory."""
    if size % count:
        return _loop(step, state, inputs, size, count)
    shape = (count, size // count)
    parts = keras.tree.map_structure(lambda x: ops.reshape(x, (*shape, *x.shape[1:])), inputs)
    state, outputs = ops.scan(step, state, parts)
    return state, ops.reshape(outputs, (size, *outputs.shape[2:]))
