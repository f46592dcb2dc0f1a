"""Losses, temperatures and false negatives as parts of a method: trained, saved, resumed."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.losses import SogCLR
from tests.methods.parts import assert_same_weights, compiled, images, moco, simclr

NUM = 32
pytestmark = pytest.mark.filterwarnings("ignore:.*jit_compile.*")


def with_loss(loss, **kwargs):
    return simclr(loss=loss, **kwargs)


COMBINATIONS = {
    "isogclr with glofnd": lambda: with_loss(
        SogCLR(NUM, kc.layers.IndividualTemperature(NUM)),
        false_negatives=kc.layers.GloFND(NUM, rate=0.1),
    ),
    "bayesian": lambda: with_loss(kc.losses.BayesianContrastive(NUM)),
    "learned and attracting": lambda: with_loss(
        kc.losses.NTXent(kc.layers.LearnedTemperature(0.5)),
        false_negatives=kc.layers.FNC(0.5, top_k=3, num_supports=1),
    ),
    "scheduled": lambda: with_loss(
        kc.losses.HCL(kc.layers.ScheduledTemperature(0.5, 0.2, steps=6))
    ),
    "moco with fnc": lambda: moco(
        false_negatives=kc.layers.FNC(0.5, top_k=3, num_supports=1, attract=False)
    ),
    "moco with ifnd": lambda: moco(false_negatives=kc.layers.IFND(NUM), symmetric=True),
    "moco with glofnd": lambda: moco(false_negatives=kc.layers.GloFND(NUM, rate=0.1)),
}


@pytest.fixture(params=sorted(COMBINATIONS))
def make(request):
    return COMBINATIONS[request.param]


def fit(method, epochs=1, **kwargs):
    data = {"inputs": images(NUM)[0], "index": np.arange(NUM)}
    return method.fit(data, batch_size=8, epochs=epochs, shuffle=False, verbose=0, **kwargs).history


def test_a_combination_resumes_bit_for_bit(make, tmp_path):
    straight = compiled(make())
    losses = fit(straight, epochs=2)["loss"]
    assert all(map(math.isfinite, losses))
    interrupted = compiled(make())
    fit(interrupted)
    interrupted.save(tmp_path / "method.keras")
    resumed = keras.saving.load_model(tmp_path / "method.keras")
    assert_same_weights(resumed, interrupted)
    fit(resumed)
    assert_same_weights(resumed, straight)


def test_what_is_kept_a_sample_is_kept_at_its_index():
    method = compiled(with_loss(SogCLR(NUM)))
    data = {"inputs": images(8)[0], "index": np.arange(8) + 20}
    method.fit(data, batch_size=8, verbose=0)
    visited = ops.convert_to_numpy(method.contrastive_loss.log_means.values) > -1e8
    assert np.flatnonzero(visited).tolist() == list(range(20, 28))


@pytest.mark.parametrize("make", [simclr, lambda **parts: moco(symmetric=True, **parts)])
def test_both_views_of_a_step_are_one_visit(make):
    method = compiled(make(false_negatives=kc.layers.GloFND(NUM, rate=0.1)))
    fit(method)
    visits = ops.convert_to_numpy(method.false_negatives.visits.values)
    assert visits.tolist() == [1] * NUM


def test_a_learned_temperature_is_trained():
    method = compiled(with_loss(kc.losses.NTXent(kc.layers.LearnedTemperature(0.5))))
    fit(method, epochs=2)
    learned = ops.convert_to_numpy(method.contrastive_loss.temperature.log_scale)
    assert abs(learned - math.log(2)) > 1e-4


def test_a_schedule_counts_optimizer_steps():
    method = compiled(with_loss(kc.losses.NTXent(kc.layers.ScheduledTemperature(steps=6))))
    fit(method)  # four batches
    assert int(method.contrastive_loss.temperature.step) == 4


def test_the_queue_knows_whose_keys_it_holds():
    method = compiled(moco(false_negatives=kc.layers.IFND(NUM)))
    fit(method)  # 32 keys through a queue of 10
    assert sorted(ops.convert_to_numpy(method.queue.read_indices())) == list(range(22, 32))


def test_pseudo_labels_are_accepted_step_by_step():
    pytest.importorskip("sklearn")
    method = compiled(moco(false_negatives=kc.layers.IFND(NUM, num_clusterings=2)))
    shares = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            tables = method.false_negatives.clusters
            shares.append([float(np.mean(ops.convert_to_numpy(t.values) >= 0)) for t in tables])

    labels = kc.callbacks.PseudoLabels(images(NUM)[0], [2, 4], start=1, end=2)
    fit(method, epochs=4, callbacks=[labels, Watch()])
    np.testing.assert_allclose(shares, [[0, 0], [0.5, 0.5], [1, 1], [1, 1]])


@pytest.mark.parametrize("shift", [1, -1])
def test_a_stream_with_indices_beyond_the_table_does_not_train_in_silence(shift):
    method = compiled(with_loss(SogCLR(NUM)))

    class Shifted(kc.data.Rows):
        def read(self, rows):
            return ({"inputs": images(NUM)[0][rows], "index": rows + shift},)

    batches = Shifted((np.arange(NUM),), batch_size=8)
    backend = keras.backend.backend()
    if backend == "jax" or (backend == "torch" and shift < 0):  # they read another row
        assert math.isnan(method.fit(batches, verbose=0).history["loss"][0])
        return
    with pytest.raises(Exception, match="ind"):  # the backend's own, which names the index
        method.fit(batches, verbose=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compiled(with_loss(SogCLR(NUM))).fit(images()[0], verbose=0), "no indices"),
        (lambda: fit(compiled(with_loss(SogCLR(NUM - 1)))), "0 to 30"),
        (
            lambda: simclr(loss=kc.losses.NegativeCosine(), false_negatives=kc.layers.FNC()),
            "NegativeCosine",
        ),
        (
            lambda: simclr(loss=kc.losses.InfoNCE(), false_negatives=kc.layers.FNC()),
            r"among which SimCLR looks.*loss=None.*InfoNCE",
        ),
        (
            lambda: moco(loss=kc.losses.SigLIP(), false_negatives=kc.layers.FNC()),
            r"among which MoCo looks.*SigLIP",
        ),
        (
            lambda: fit(
                compiled(moco()),
                callbacks=[kc.callbacks.PseudoLabels(images(NUM)[0], 2, end=3)],
            ),
            "IFND",
        ),
        (
            lambda: kc.NNCLR(simclr().encoder, false_negatives=kc.layers.FNC()),
            "false_negatives for NNCLR",
        ),
        (lambda: kc.callbacks.PseudoLabels(images(4)[0], 9, end=3), "num_clusters=9"),
        (lambda: kc.callbacks.PseudoLabels(images(4)[0], 2, end=1), "end=1"),
    ],
)
def test_nonsense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
