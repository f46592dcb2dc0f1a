"""ReSSL: MoCo's networks, queue and order of things; another loss."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.losses import ReSSLLoss
from tests.methods.parts import compiled, images, ressl, tiny_encoder

RATE, MOMENTUM = 0.5, 0.9


def test_the_default_head_is_the_papers():
    projector = kc.ReSSL(tiny_encoder(), queue_size=8).projector
    assert [type(layer).__name__ for layer in projector.layers] == ["Dense", "ReLU", "Dense"]
    assert [projector.layers[0].units, projector.layers[2].units] == [4096, 512]


def test_views_are_the_strong_and_the_weak_one():
    kinds = [
        [type(layer).__name__ for layer in pipeline.layers]
        for pipeline in kc.augmentation.ressl_views(16).pipelines
    ]
    assert kinds[1] == ["RandomResizedCrop", "RandomFlip"]
    assert kinds[0] == [*kinds[1], "ColorJitter", "RandomGrayscale", "GaussianBlur"]


def test_two_steps_are_those_of_the_formulas():
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    x, _ = images(16)
    views = x, x[:, ::-1].copy()
    method = compiled(ressl(loss=ReSSLLoss(0.2, 0.1)), keras.optimizers.SGD(RATE))
    online = plain.Double(method.encoder, method.projector)
    target = plain.Double(method.target_encoder, method.target_projector)
    queue = plain.as_torch(method.queue.rows)
    for step in range(2):
        strong, weak = (plain.as_torch(view[8 * step : 8 * step + 8]) for view in views)
        q, k = plain.unit(online(strong)), plain.unit(target(weak)).detach()
        targets, relations = (k @ queue.T / 0.1).softmax(1), (q @ queue.T / 0.2).log_softmax(1)
        plain.sgd_step(-(targets * relations).sum(1).mean(), [online], RATE)
        target.follow(online, MOMENTUM)
        queue = queue.clone()
        for i, row in enumerate(k):
            queue[(8 * step + i) % len(queue)] = row
    method.fit(views, batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)
    plain.assert_same(target, method.target_encoder, method.target_projector)
    rows = ops.convert_to_numpy(method.queue.rows)
    np.testing.assert_allclose(rows, queue.numpy(), rtol=1e-3, atol=2e-5)
