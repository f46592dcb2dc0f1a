"""What prevents a collapse does: without it the encoder gives one vector for all, with it not."""

import warnings

import keras
import numpy as np
import pytest

import keras_contrastive as kc
from keras_contrastive.callbacks import CollapseAlarm, CollapseWarning
from keras_contrastive.methods import simsiam
from tests.methods.noise import NoiseViews

STEPS, BATCH = 199, 16


def images():
    return np.random.default_rng(0).random((STEPS * BATCH, 4, 4, 3), "float32")


def encoder(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(32),
            kc.layers.batch_norm(),
            keras.layers.ReLU(),
            keras.layers.Dense(16),
        ]
    )


def identity(dim):
    """No head: a head of its own may collapse in the place of the encoder."""
    return keras.Sequential([keras.Input((dim,)), keras.layers.Activation("linear")])


def simsiam_method(seed):
    return kc.SimSiam(
        encoder(seed), NoiseViews(), identity, lambda dim: kc.layers.simsiam_predictor(dim, 16)
    )


def byol_method(seed, predictor=None):
    predictor = predictor or (lambda dim: kc.layers.byol_mlp(dim, 32, dim, name="predictor"))
    return kc.BYOL(encoder(seed), NoiseViews(), identity, predictor, momentum=0.5)


def without_stop_gradient(target, prediction):
    cosine = kc.ops.l2_normalize(target) * kc.ops.l2_normalize(prediction)
    return -keras.ops.sum(cosine, axis=1)


def train(method, epochs):
    """Spread of the features (1: healthy) and the epochs in which the strictest alarm went off."""
    method.compile(kc.optimizers.L2SGD(1.0, momentum=0.9))
    x, told = images(), []
    alarm = CollapseAlarm(x[:256], patience=1)
    for epoch in range(epochs):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", CollapseWarning)
            method.fit(x, batch_size=BATCH, verbose=0, callbacks=[alarm])
        told += [epoch for w in caught if issubclass(w.category, CollapseWarning)]
    spread = kc.evaluation.representation_std(method.predict(x[:256], verbose=0))
    return spread, told


SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]


@pytest.mark.parametrize("seed", SEEDS)
def test_simsiam_without_stop_gradient_collapses(seed, monkeypatch):
    monkeypatch.setattr(simsiam, "negative_cosine", without_stop_gradient)
    spread, told = train(simsiam_method(seed), epochs=1)
    assert spread < 0.1
    assert told == [0]


@pytest.mark.parametrize("seed", SEEDS)
def test_byol_without_predictor_collapses(seed):
    spread, told = train(byol_method(seed, predictor=identity), epochs=1)
    assert spread < 0.1
    assert told == [0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("make", [simsiam_method, byol_method])
def test_the_sound_ones_do_not(make, seed):
    spread, told = train(make(seed), epochs=2)
    assert spread > 0.5
    assert told == []
