"""DirectCLR: some features are contrasted, all of the encoder below learns."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.losses import InfoNCE
from tests.methods.parts import DIM, compiled, directclr, images, tiny_encoder

RATE, TEMPERATURE = 0.5, 0.2


def test_the_default_is_the_papers_share_of_the_features():
    encoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2048)])
    assert kc.DirectCLR(encoder).loss_dim == 360
    assert kc.DirectCLR(tiny_encoder()).loss_dim == 1


@pytest.mark.parametrize("loss_dim", [0, DIM + 1])
def test_features_that_the_encoder_does_not_have(loss_dim):
    with pytest.raises(ValueError, match=rf"in 1 to {DIM}.*Received: loss_dim={loss_dim}"):
        directclr(loss_dim=loss_dim)


def test_the_other_features_change_nothing_in_the_loss():
    method = directclr(loss_dim=3)
    h1, h2 = np.random.default_rng(0).normal(size=(2, 8, DIM)).astype("float32")
    expected = ops.convert_to_numpy(method.contrast(h1, h2))
    h1[:, 3:] += 1.0
    np.testing.assert_array_equal(ops.convert_to_numpy(method.contrast(h1, h2)), expected)
    h1[:, 2] += 1.0
    assert np.abs(ops.convert_to_numpy(method.contrast(h1, h2)) - expected).max() > 1e-3


def test_two_steps_are_those_of_the_formulas():
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    x, _ = images(16)
    views = x, x[:, ::-1].copy()
    loss = InfoNCE(TEMPERATURE, symmetric=True)
    method = compiled(directclr(loss_dim=3, loss=loss), keras.optimizers.SGD(RATE))
    encoder = plain.Double(method.encoder)
    for step in range(2):
        h1, h2 = (
            plain.unit(encoder(plain.as_torch(view[8 * step : 8 * step + 8]))[:, :3])
            for view in views
        )
        logits = h1 @ h2.T / TEMPERATURE
        loss = (plain.cross_entropy(logits) + plain.cross_entropy(logits.T)) / 2
        plain.sgd_step(loss, [encoder], RATE)
    method.fit(views, batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(encoder, method.encoder)
