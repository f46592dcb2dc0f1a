"""NNCLR: neighbours come from the past and get no gradient."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import InfoNCE
from tests.gradients import value_and_gradients
from tests.methods.parts import compiled, images, nnclr

RATE, TEMPERATURE = 0.5, 0.2


def views(num=16):
    x, _ = images(num)
    return x, x[:, ::-1].copy()


def test_two_steps_are_those_of_the_formulas():
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = compiled(nnclr(loss=InfoNCE(TEMPERATURE)), keras.optimizers.SGD(RATE))
    online, predictor = (
        plain.Double(method.encoder, method.projector),
        plain.Double(method.predictor),
    )
    queue = plain.as_torch(method.queue.rows)
    size = len(queue)
    for step in range(2):
        batch = [plain.as_torch(view[8 * step : 8 * step + 8]) for view in views()]
        z1, z2 = (online(view) for view in batch)
        p1, p2 = plain.unit(predictor(z1)), plain.unit(predictor(z2))
        z1, z2 = plain.unit(z1).detach(), plain.unit(z2).detach()
        n1, n2 = queue[(z1 @ queue.T).argmax(1)], queue[(z2 @ queue.T).argmax(1)]
        loss = plain.cross_entropy(n1 @ p2.T / TEMPERATURE)
        loss = (loss + plain.cross_entropy(n2 @ p1.T / TEMPERATURE)) / 2
        plain.sgd_step(loss, [online, predictor], RATE)
        queue = queue.clone()
        for i, row in enumerate(z1):
            queue[(8 * step + i) % size] = row
    method.fit(views(), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)
    plain.assert_same(predictor, method.predictor)
    rows = ops.convert_to_numpy(method.queue.rows)
    np.testing.assert_allclose(rows, queue.numpy(), rtol=1e-3, atol=2e-5)


def test_neighbours_are_looked_up_before_the_batch_enters_the_queue():
    method = nnclr(queue_size=8)
    x = ops.convert_to_tensor(images(8)[0])
    first = method.objective((x, x), training=True)["neighbor_similarity"]
    assert float(ops.stop_gradient(first)) < 0.999
    second = method.objective((x, x), training=True)["neighbor_similarity"]
    assert float(ops.stop_gradient(second)) == pytest.approx(1.0, abs=1e-5)  # each found itself


def test_no_gradient_reaches_the_queue():
    method = nnclr()
    first, second = (ops.convert_to_tensor(view) for view in views(8))
    rows = ops.convert_to_numpy(method.queue.rows)

    def loss(tensors):
        with keras.StatelessScope(state_mapping=[(method.queue.rows, tensors["rows"])]):
            return ops.mean(method.objective((first, second))["loss"])

    value, gradients = value_and_gradients(loss, {"rows": rows}, ["rows"])
    assert (gradients["rows"] == 0).all()
    other, _ = value_and_gradients(loss, {"rows": -rows}, [])
    assert abs(other - value) > 1e-3


def test_the_gradient_goes_through_the_predictions_alone():
    """With the predictor's output held constant, nothing is left that moves the encoder."""
    method = nnclr()
    method.predictor = keras.layers.Lambda(lambda z: ops.stop_gradient(z))
    kernel = method.encoder.trainable_variables[0]
    first, second = (ops.convert_to_tensor(view) for view in views(8))

    def loss(tensors):
        with keras.StatelessScope(state_mapping=[(kernel, tensors["kernel"])]):
            return ops.mean(method.objective((first, second))["loss"])

    inputs = {"kernel": ops.convert_to_numpy(kernel)}
    _, gradients = value_and_gradients(loss, inputs, ["kernel"])
    assert (gradients["kernel"] == 0).all()
