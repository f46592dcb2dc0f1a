"""What the step does to state, against NumPy; and where gradients must not go."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.gradients import value_and_gradients
from tests.methods.parts import (
    byol,
    compiled,
    images,
    mochi,
    moco,
    moco_symmetric,
    moco_v3,
    ressl,
    tico,
)

WITH_TARGET = [byol, mochi, moco, moco_v3, ressl, tico]


def values(variables):
    return [ops.convert_to_numpy(v).copy() for v in variables]


def views(num=16):
    x, _ = images(num)
    return x, x[:, ::-1].copy()


@pytest.mark.parametrize("make", WITH_TARGET)
def test_the_target_moves_towards_the_weights_after_the_step(make):
    method = compiled(make())  # momentum 0.9
    before = values(target for _, target in method.momentum_pair.variables)
    method.fit(views(), batch_size=16, verbose=0)
    after_online = values(online for online, _ in method.momentum_pair.variables)
    after = values(target for _, target in method.momentum_pair.variables)
    for old, online, new in zip(before, after_online, after, strict=True):
        np.testing.assert_allclose(new, 0.9 * old + 0.1 * online, rtol=1e-5, atol=1e-6)
    moved = max(np.abs(new - old).max() for old, new in zip(before, after, strict=True))
    assert moved > 1e-4


@pytest.mark.parametrize(("momentum", "distance"), [(1.0, "start"), (0.0, "online")])
def test_momentum_one_never_moves_and_zero_copies(momentum, distance):
    method = compiled(byol(momentum=momentum))
    start = values(target for _, target in method.momentum_pair.variables)
    method.fit(views(), batch_size=8, verbose=0)
    online = values(o for o, _ in method.momentum_pair.variables)
    target = values(t for _, t in method.momentum_pair.variables)
    expected = start if distance == "start" else online
    for a, b in zip(expected, target, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_the_target_keeps_batch_statistics_of_its_own():
    method = compiled(byol())
    norm = next(
        layer
        for layer in method.target_encoder.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    )
    assert not any(v is norm.moving_mean for _, v in method.momentum_pair.variables)
    before = ops.convert_to_numpy(norm.moving_mean).copy()
    method.fit(views(), batch_size=16, verbose=0)
    assert np.abs(ops.convert_to_numpy(norm.moving_mean) - before).max() > 1e-4


@pytest.mark.parametrize("make", [moco, byol])
def test_the_target_follows_layers_that_thaw_between_two_fits(make):
    method = make()
    method.encoder.layers[1].trainable = False
    method = type(method).from_config(method.get_config())  # built with a frozen layer
    method.compile(keras.optimizers.SGD(0.5))
    method.fit(views(), batch_size=8, verbose=0)
    method.encoder.layers[1].trainable = True
    method.compile(keras.optimizers.SGD(0.5))
    target = [t for t in method.momentum_pair.variables if t[0] is method.encoder.layers[1].kernel]
    before = values([target[0][1]])[0]
    method.fit(views(), batch_size=8, verbose=0)
    assert np.abs(values([target[0][1]])[0] - before).max() > 0
    assert not any(variable is target[0][1] for variable in method.trainable_variables)


def test_momentum_follows_its_schedule():
    schedule = kc.optimizers.CosineMomentum(0.5, steps=4)
    logs = compiled(byol(momentum=schedule)).fit(views(8), batch_size=8, epochs=4, verbose=0)
    expected = [1 - 0.5 * 0.5 * (1 + np.cos(np.pi * step / 4)) for step in range(4)]
    np.testing.assert_allclose(logs.history["momentum"], expected, rtol=1e-5)


@pytest.mark.parametrize("make", [moco, moco_symmetric])
def test_the_queue_holds_the_keys_of_the_target(make):
    method = compiled(make(), keras.optimizers.SGD(0.0))  # the weights stand still
    x1, x2 = views(4)
    encode = keras.Sequential([method.target_encoder, method.target_projector])
    before = ops.convert_to_numpy(method.queue.read()).copy()
    method.fit((x1, x2), batch_size=4, shuffle=False, verbose=0)
    rows = ops.convert_to_numpy(method.queue.read())
    new = 8 if method.symmetric else 4
    np.testing.assert_array_equal(rows[new:], before[new:])
    np.testing.assert_allclose(np.linalg.norm(rows[:new], axis=1), 1, rtol=1e-5)
    if not method.symmetric:  # one forward pass in train mode, as the step has made
        keys = ops.convert_to_numpy(encode(x2, training=True))
        keys = keys / np.linalg.norm(keys, axis=1, keepdims=True)
        np.testing.assert_allclose(rows[:4], keys, rtol=1e-4, atol=1e-5)


def test_shuffled_parts_come_back_in_order():
    """Without batch normalisation, apart or together is the same."""
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(6)]
    )
    apart = kc.MoCo(encoder, queue_size=8, shuffle_splits=3, momentum=0.9)
    together = kc.MoCo(encoder, kc.augmentation.Views([[], []]), apart.projector, queue_size=8)
    for ours, theirs in zip(together.weights, apart.weights, strict=False):
        ours.assign(theirs)
    for number in (6, 7, 8):
        one = apart.objective(tuple(map(ops.convert_to_tensor, views(number))))
        apart.queue.rows.assign(together.queue.rows)
        other = together.objective(tuple(map(ops.convert_to_tensor, views(number))))
        together.queue.rows.assign(apart.queue.rows)
        np.testing.assert_allclose(
            ops.convert_to_numpy(ops.stop_gradient(one["loss"])),
            ops.convert_to_numpy(ops.stop_gradient(other["loss"])),
            rtol=1e-4,
        )


@pytest.mark.parametrize("make", WITH_TARGET)
def test_no_gradient_reaches_the_target_or_the_queue(make):
    """The loss depends on them, yet its gradient with respect to them is exactly zero."""
    method = make()
    for _, target in method.momentum_pair.variables:
        target.trainable = True  # an audit may look where the optimizer may not
    first, second = (ops.convert_to_tensor(v) for v in views(8))
    targets = [t for _, t in method.momentum_pair.variables]

    def loss(tensors):
        mapping = [(v, tensors[v.path + str(i)]) for i, v in enumerate(watched)]
        with keras.StatelessScope(state_mapping=mapping):
            return ops.mean(method.objective((first, second))["loss"])

    watched = [*targets, method.queue.rows] if hasattr(method, "queue") else targets
    inputs = {v.path + str(i): ops.convert_to_numpy(v) for i, v in enumerate(watched)}
    value, gradients = value_and_gradients(loss, inputs, list(inputs))
    names = list(inputs)
    for name in names[: len(targets)]:
        assert (gradients[name] == 0).all(), name
    shifted = {
        name: array + 0.5 * np.random.default_rng(1).normal(size=array.shape).astype("float32")
        for name, array in inputs.items()
    }
    other, _ = value_and_gradients(loss, shifted, [])
    assert abs(other - value) > 1e-3


def test_the_predictor_is_what_gets_the_gradient_in_byol():
    method = compiled(byol())
    before = values(method.predictor.trainable_variables)
    method.fit(views(), batch_size=16, verbose=0)
    after = values(method.predictor.trainable_variables)
    assert max(np.abs(a - b).max() for a, b in zip(before, after, strict=True)) > 1e-4
