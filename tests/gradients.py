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


def compiled(function, shapes, form):
    """A function of a dict of tensors, compiled; on PyTorch as it is.

    `form` is "graph", "xla", or "unknown sizes", where the tensors have these shapes.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    if keras.backend.backend() == "torch":
        return function
    import tensorflow as tf

    signature = [{name: tf.TensorSpec(shape) for name, shape in shapes.items()}]
    return tf.function(
        function,
        jit_compile=form == "xla",
        input_signature=signature if form == "unknown sizes" else None,
    )


def gradients_in_a_step(function, inputs, shapes, form):
    """Value and gradients as a training step has them: on JAX compiled together."""
    if keras.backend.backend() != "jax":
        return value_and_gradients(compiled(function, shapes, form), inputs, [*inputs])
    import jax

    value, gradients = jax.jit(jax.value_and_grad(function))(inputs)
    return float(value), {name: np.asarray(gradient) for name, gradient in gradients.items()}


def assert_gradients_agree(one, other):
    """Values to 1e-5, gradients to 1e-4."""
    np.testing.assert_allclose(one[0], other[0], rtol=1e-5, atol=1e-5)
    for name, gradient in other[1].items():
        np.testing.assert_allclose(one[1][name], gradient, rtol=1e-4, atol=1e-5, err_msg=name)
