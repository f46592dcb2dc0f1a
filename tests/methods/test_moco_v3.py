"""MoCo v3: the networks of BYOL, the loss of the paper."""

import keras
import numpy as np
import pytest

import keras_contrastive as kc
from keras_contrastive.losses import InfoNCE
from tests.methods.parts import compiled, images, moco_v3, tiny_encoder

RATE, MOMENTUM, TEMPERATURE = 0.5, 0.9, 0.2


def test_the_loss_is_scaled_by_twice_the_temperature():
    assert moco_v3(loss=InfoNCE(0.3)).scale == pytest.approx(0.6)
    assert moco_v3(loss=InfoNCE(0.3), scale=1.0).scale == 1.0


def test_a_loss_without_a_constant_temperature_wants_a_scale():
    loss = kc.losses.NegativeCosine()
    with pytest.raises(ValueError, match=r"number as its temperature.*or a `scale`"):
        moco_v3(loss=loss)
    assert moco_v3(loss=loss, scale=1.0).scale == 1.0


def test_the_default_heads_are_the_papers():
    method = kc.MoCoV3(tiny_encoder())
    assert method.projector.output_shape == method.predictor.output_shape == (None, 256)
    assert type(method.projector.layers[-1]).__name__ == "BatchNormalization"
    assert type(method.predictor.layers[-1]).__name__ == "Dense"


def test_two_steps_are_those_of_the_formulas():
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    x, _ = images(16)
    views = x, x[:, ::-1].copy()
    method = compiled(moco_v3(loss=InfoNCE(TEMPERATURE)), keras.optimizers.SGD(RATE))
    online, predictor = (
        plain.Double(method.encoder, method.projector),
        plain.Double(method.predictor),
    )
    target = plain.Double(method.target_encoder, method.target_projector)
    for step in range(2):
        batch = [plain.as_torch(view[8 * step : 8 * step + 8]) for view in views]
        q1, q2 = (plain.unit(predictor(online(view))) for view in batch)
        k1, k2 = (plain.unit(target(view)).detach() for view in batch)
        loss = plain.cross_entropy(q1 @ k2.T / TEMPERATURE)
        loss = 2 * TEMPERATURE * (loss + plain.cross_entropy(q2 @ k1.T / TEMPERATURE))
        plain.sgd_step(loss, [online, predictor], RATE)
        target.follow(online, MOMENTUM)
    method.fit(views, batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)
    plain.assert_same(predictor, method.predictor)
    plain.assert_same(target, method.target_encoder, method.target_projector)


def test_accuracy_is_that_of_the_first_views_predictions():
    method = moco_v3()
    x = keras.ops.convert_to_tensor(images(8)[0])
    *_, queries, keys = method.branches((x, x), training=True)
    q, k = (keras.ops.convert_to_numpy(keras.ops.stop_gradient(z)) for z in (queries[0], keys[1]))
    q, k = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (q, k))
    expected = np.mean((q @ k.T).argmax(1) == np.arange(8))
    found = method.objective((x, x))["contrastive_accuracy"]
    assert float(keras.ops.stop_gradient(found)) == pytest.approx(expected)
