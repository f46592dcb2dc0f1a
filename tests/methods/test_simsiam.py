"""SimSiam: the formula, the stop-gradient, and the predictor's own learning rate."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.methods.parts import compiled, images, simsiam, tiny_encoder

RATE = 0.5


def views(num=16):
    x, _ = images(num)
    return x, x[:, ::-1].copy()


def test_the_default_heads_are_the_papers():
    method = kc.SimSiam(tiny_encoder())
    assert method.projector.output_shape == method.predictor.output_shape == (None, 2048)
    assert method.predictor.layers[0].units == 512


def test_two_steps_are_those_of_the_formulas():
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = compiled(simsiam(), keras.optimizers.SGD(RATE))
    network = plain.Double(method.encoder, method.projector)
    predictor = plain.Double(method.predictor)
    start = plain.copies(network)
    for step in range(2):
        batch = [plain.as_torch(view[8 * step : 8 * step + 8]) for view in views()]
        z1, z2 = (network(view) for view in batch)
        p1, p2 = (plain.unit(predictor(z)) for z in (z1, z2))
        z1, z2 = (plain.unit(z).detach() for z in (z1, z2))
        loss = -((p1 * z2).sum(1) + (p2 * z1).sum(1)).mean() / 2
        plain.sgd_step(loss, [network, predictor], RATE)
    plain.assert_moved(network, start)
    method.fit(views(), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(network, method.encoder, method.projector)
    plain.assert_same(predictor, method.predictor)


def test_a_predictor_that_ignores_its_input_leaves_the_encoder_without_gradient():
    """All of the gradient passes the predictor: nothing comes through the targets."""
    method = compiled(simsiam(), keras.optimizers.SGD(1.0))
    last = method.predictor.layers[-1]
    last.set_weights([np.zeros(last.kernel.shape), np.ones(last.bias.shape)])
    before = [ops.convert_to_numpy(v).copy() for v in method.encoder.trainable_variables]
    method.fit(views(), batch_size=16, verbose=0)
    for value, variable in zip(before, method.encoder.trainable_variables, strict=True):
        np.testing.assert_array_equal(value, ops.convert_to_numpy(variable))


def test_the_predictor_can_keep_its_learning_rate():
    """As the docstring says."""
    method = simsiam()

    class ConstantForPredictor(kc.optimizers.L2SGD):
        def build(self, variables):
            super().build(variables)
            predictor = {id(v) for v in method.predictor.trainable_variables}
            self.constant = [id(v) in predictor for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            constant = self.constant[self._get_variable_index(variable)]
            super().update_step(gradient, variable, 0.05 if constant else learning_rate)

    method.compile(ConstantForPredictor(0.0))
    before = [ops.convert_to_numpy(v).copy() for v in method.trainable_variables]
    method.fit(views(), batch_size=16, verbose=0)
    moved = {
        id(v)
        for v, old in zip(method.trainable_variables, before, strict=True)
        if np.abs(ops.convert_to_numpy(v) - old).max() > 1e-6
    }
    assert moved == {id(v) for v in method.predictor.trainable_variables}


def test_projection_std_is_logged():
    logs = compiled(simsiam()).fit(views(), batch_size=16, verbose=0).history
    assert 0 < logs["projection_std"][0] <= 1
