"""On real images: what prevents a collapse does, and the alarm tells within the first epoch."""

import warnings

import keras
import numpy as np
import pytest

import keras_contrastive as kc
from keras_contrastive.callbacks import CollapseAlarm, CollapseWarning
from tests.methods.broken import BROKEN

pytest.importorskip("sklearn")

# Of many steps each: all backends with `--slow`, one without.
SLOW = [] if keras.backend.backend() == "torch" else [pytest.mark.slow]
BATCH = 128


def simsiam(*parts):
    return kc.SimSiam(
        *parts,
        projector=lambda dim: kc.layers.simsiam_projector(dim, 256, 256, num_hidden=1),
        predictor=lambda dim: kc.layers.simsiam_predictor(dim, 64),
    )


def byol(*parts):
    return kc.BYOL(
        *parts,
        projector=lambda dim: kc.layers.byol_mlp(dim, 256, 128),
        predictor=lambda dim: kc.layers.byol_mlp(dim, 256, 128, name="predictor"),
        momentum=0.99,
    )


def barlow_twins(*parts):
    return kc.BarlowTwins(
        *parts, projector=lambda dim: kc.layers.barlow_twins_projector(dim, 256, 128)
    )


# With learning rates for smaller batches than those of `benchmarks/recipes`.
METHODS = {"simsiam": (simsiam, 0.15), "byol": (byol, 0.3), "barlow_twins": (barlow_twins, 0.006)}


def sound(name, seed):
    keras.utils.set_random_seed(seed)
    pipeline = [
        kc.augmentation.RandomResizedCrop(16, scale=(0.4, 1.0), seed=seed),
        kc.augmentation.RandomAffine(degrees=10, translate=(0.1, 0.1), seed=seed + 1),
        kc.augmentation.GaussianNoise((0.0, 0.1), seed=seed + 2),
    ]
    encoder = kc.encoders.small_resnet((16, 16, 1), widths=(16, 32))
    return METHODS[name][0](encoder, kc.augmentation.Views([pipeline, pipeline]))


def told(name, method):
    """What the alarm says in one epoch: each scanned digit comes ten times, in 141 batches."""
    method.compile(kc.optimizers.L2SGD(METHODS[name][1], momentum=0.9))
    images = np.tile(kc.data.digits(image_size=16).images, (10, 1, 1, 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CollapseWarning)
        method.fit(images, batch_size=BATCH, verbose=0, callbacks=[CollapseAlarm()])
    return [str(w.message) for w in caught if issubclass(w.category, CollapseWarning)]


SEEDS = [
    pytest.param(0, marks=SLOW),
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2)),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", METHODS)
def test_the_broken_ones_set_off_the_alarm(name, seed):
    _, without = BROKEN[name]
    messages = told(name, without(sound(name, seed)))
    assert messages
    assert all("collapse: the projections" in message for message in messages)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", METHODS)
def test_the_sound_ones_do_not(name, seed):
    assert told(name, sound(name, seed)) == []
