"""Values and gradients of a scalar function on whichever backend runs."""

import keras
import numpy as np
from keras import ops


def value_and_gradients(function, inputs, wanted):
    """`function(dict of tensors) -> scalar`; returns its value and gradients by name, as NumPy."""
    tensors = {name: ops.convert_to_tensor(value) for name, value in inputs.items()}
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch([tensors[name] for name in wanted])
            value = function(tensors)
        gradients = tape.gradient(
            value,
            [tensors[name] for name in wanted],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
    elif backend == "jax":
        import jax

        def of_wanted(parts):
            return function({**tensors, **parts})

        value, by_name = jax.value_and_grad(of_wanted)({name: tensors[name] for name in wanted})
        gradients = [by_name[name] for name in wanted]
    else:
        for name in wanted:
            tensors[name].requires_grad_(True)
        value = function(tensors)
        if value.requires_grad:
            value.backward()
        gradients = [tensors[name].grad for name in wanted]
        gradients = [
            ops.zeros_like(tensors[name]) if gradient is None else gradient
            for name, gradient in zip(wanted, gradients, strict=True)
        ]
    arrays = [np.asarray(ops.convert_to_numpy(gradient)) for gradient in gradients]
    return float(ops.stop_gradient(value)), dict(zip(wanted, arrays, strict=True))
