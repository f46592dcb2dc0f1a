"""A batch in parts: the values, gradients and state of the parts in one graph, in less memory."""

from functools import partial
from itertools import pairwise

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.training import in_micro_batches
from tests.methods.audit import gradients_of
from tests.methods.noise import NoiseViews
from tests.methods.parts import tiny_byol_mlp, tiny_moco_mlp, tiny_predictor

MICRO_BATCHES = "keras_contrastive.methods.base.in_micro_batches"


def encoder(*, batch_norm):
    """Dropout, and batch normalisation if wanted."""
    keras.utils.set_random_seed(0)
    normalise = [kc.layers.batch_norm()] if batch_norm else []
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(16),
            *normalise,
            keras.layers.ReLU(),
            keras.layers.Dropout(0.5, seed=1),
            keras.layers.Dense(6),
        ]
    )


def views(num_samples=10):
    rng = np.random.default_rng(0)
    return [rng.random((num_samples, 4, 4, 3), "float32") for _ in range(2)]


def in_one_graph(network, inputs, count, training):
    """The parts without a replay."""
    bounds = [ops.shape(inputs)[0] * part // count for part in range(count + 1)]
    parts = [inputs[start:end] for start, end in pairwise(bounds)]
    return ops.concatenate([network(part, training=training) for part in parts], axis=0)


def state_of(method):
    return [np.array(ops.convert_to_numpy(v)) for v in method.encoder.non_trainable_variables]


def restore(method, state):
    for variable, value in zip(method.encoder.non_trainable_variables, state, strict=True):
        variable.assign(value)


@pytest.mark.parametrize(
    ("batch_norm", "parts"), [(False, 3), (True, 5)], ids=["dropout", "dropout and batch norm"]
)
def test_gradient_is_that_of_the_parts_in_one_graph(batch_norm, parts, monkeypatch):
    method = kc.SimCLR(
        encoder(batch_norm=batch_norm), None, kc.layers.simclr_v2_projector, micro_batches=parts
    )
    before = state_of(method)
    found = gradients_of(method, views(), method.trainable_variables)
    restore(method, before)
    monkeypatch.setattr(MICRO_BATCHES, in_one_graph)
    expected = gradients_of(method, views(), method.trainable_variables)
    scale = max(np.abs(gradient).max() for gradient in expected)
    assert scale > 1e-3
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5 * scale)


def test_without_random_or_batch_state_it_is_the_gradient_of_the_whole_batch():
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()])
    network.add(keras.layers.Dense(6, "tanh"))
    gradients = []
    for parts in (1, 4):
        method = kc.SimCLR(network, None, kc.layers.simclr_v2_projector, micro_batches=parts)
        keras.utils.set_random_seed(1)
        for variable in method.projector.trainable_variables:
            variable.assign(0.3 * keras.random.normal(variable.shape, seed=len(variable.shape)))
        gradients.append(gradients_of(method, views(), network.trainable_variables))
    for whole, cached in zip(*gradients, strict=True):
        np.testing.assert_allclose(cached, whole, rtol=1e-4, atol=1e-6)


def test_state_moves_once_a_part():
    network = encoder(batch_norm=True)
    in_micro_batches(network, views()[0], 2)
    after = [np.array(ops.convert_to_numpy(v)) for v in network.non_trainable_variables]
    network = encoder(batch_norm=True)
    for part in np.split(views()[0], 2):
        network(part, training=True)
    for variable, mine in zip(network.non_trainable_variables, after, strict=True):
        np.testing.assert_allclose(mine, ops.convert_to_numpy(variable), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["moco", "byol"])
def test_a_step_of_fit_is_that_of_the_parts_in_one_graph(name, monkeypatch):
    methods = {
        "moco": partial(kc.MoCo, projector=tiny_moco_mlp, queue_size=20),
        "byol": partial(kc.BYOL, projector=tiny_byol_mlp, predictor=tiny_predictor),
    }

    def weights():
        parts = {"augmentation": NoiseViews(), "micro_batches": 2}
        method = methods[name](encoder(batch_norm=True), **parts)
        method.compile(keras.optimizers.SGD(0.5))
        # The last batch is smaller, and odd.
        method.fit(views(15)[0], batch_size=10, epochs=1, shuffle=False, verbose=0)
        return method.get_weights()

    found = weights()
    monkeypatch.setattr(MICRO_BATCHES, in_one_graph)
    for mine, theirs in zip(found, weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_every_draw_is_a_new_one():
    """Guards the tests above: without a replay, gradients would be of another dropout."""
    network = encoder(batch_norm=False)
    first, second = (ops.stop_gradient(in_micro_batches(network, views()[0], 2)) for _ in range(2))
    assert float(ops.max(ops.abs(first - second))) > 0.1


def test_it_is_saved(tmp_path):
    method = kc.SimCLR(encoder(batch_norm=True), micro_batches=5)
    method.save(tmp_path / "method.keras")
    assert keras.saving.load_model(tmp_path / "method.keras").micro_batches == 5


def test_no_micro_batches():
    with pytest.raises(ValueError, match="1 or more"):
        kc.BarlowTwins(encoder(batch_norm=True), micro_batches=0)


def test_more_micro_batches_than_samples():
    method = kc.BarlowTwins(encoder(batch_norm=True), micro_batches=11)
    with pytest.raises(ValueError, match="10 samples and 11 micro-batches"):
        method.objective(tuple(views()))
