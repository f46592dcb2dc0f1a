"""TiCo: the moving second moment is state of the method."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import TiCoLoss
from tests.gradients import value_and_gradients
from tests.methods.parts import compiled, images, tico

RATE, MOMENTUM, BETA, RHO = 0.5, 0.9, 0.8, 4.0


def views(num=16):
    x, _ = images(num)
    return x, x[:, ::-1].copy()


def test_two_steps_are_those_of_the_formulas():
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = compiled(tico(loss=TiCoLoss(BETA, RHO)), keras.optimizers.SGD(RATE))
    online = plain.Double(method.encoder, method.projector)
    target = plain.Double(method.target_encoder, method.target_projector)
    covariance = 0.0
    for step in range(2):
        first, second = (plain.as_torch(view[8 * step : 8 * step + 8]) for view in views())
        z, t = plain.unit(online(first)), plain.unit(target(second)).detach()
        covariance = (BETA * covariance + (1 - BETA) * z.T @ z / 8).detach()
        loss = 1 - (z * t).sum(1).mean() + RHO * ((z @ covariance) * z).sum(1).mean()
        plain.sgd_step(loss, [online], RATE)
        target.follow(online, MOMENTUM)
    method.fit(views(), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)
    plain.assert_same(target, method.target_encoder, method.target_projector)
    found = ops.convert_to_numpy(method.covariance)
    np.testing.assert_allclose(found, covariance.numpy(), rtol=1e-3, atol=2e-5)


def test_the_moment_is_saved(tmp_path):
    method = compiled(tico())
    method.fit(views(), batch_size=8, verbose=0)
    method.save(tmp_path / "tico.keras")
    again = keras.saving.load_model(tmp_path / "tico.keras")
    stored = ops.convert_to_numpy(method.covariance)
    assert np.abs(stored).max() > 0.01
    np.testing.assert_array_equal(ops.convert_to_numpy(again.covariance), stored)


def test_the_past_weighs_beta_in_the_loss():
    method = tico(loss=TiCoLoss())  # 0.9 and 8
    first, second = (ops.convert_to_tensor(view) for view in views(8))
    past = np.eye(4, dtype="float32") / 4

    def loss(tensors):
        with keras.StatelessScope(state_mapping=[(method.covariance, tensors["past"])]):
            return ops.mean(method.objective((first, second))["loss"])

    value, _ = value_and_gradients(loss, {"past": past}, [])
    other, _ = value_and_gradients(loss, {"past": 2 * past}, [])
    assert other == pytest.approx(value + 8.0 * 0.9 * 0.25, rel=1e-4)  # rho beta z'Iz / 4
