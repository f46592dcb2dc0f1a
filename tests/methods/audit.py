"""Gradients of a method's objective with respect to chosen variables."""

import keras
import numpy as np
from keras import ops

from tests.gradients import value_and_gradients


def gradients_of(method, views, variables):
    """Gradients of the mean loss, one array a variable, whether the optimizer sees it or not."""
    views = tuple(ops.convert_to_tensor(view) for view in views)
    names = [f"{number}/{variable.path}" for number, variable in enumerate(variables)]

    def loss(tensors):
        mapping = [(v, tensors[name]) for v, name in zip(variables, names, strict=True)]
        with keras.StatelessScope(state_mapping=mapping):
            return ops.mean(method.objective(views)["loss"])

    values = [np.array(ops.convert_to_numpy(variable)) for variable in variables]
    _, gradients = value_and_gradients(loss, dict(zip(names, values, strict=True)), names)
    return [gradients[name] for name in names]


def value_with(method, views, variable, value):
    """The mean loss if a variable had another value."""
    views = tuple(ops.convert_to_tensor(view) for view in views)
    with keras.StatelessScope(state_mapping=[(variable, ops.convert_to_tensor(value))]):
        return float(ops.stop_gradient(ops.mean(method.objective(views)["loss"])))
