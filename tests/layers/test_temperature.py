"""Temperatures as parts of every InfoNCE-type loss."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import layers, losses
from keras_contrastive.layers.temperature import resolve_temperature
from tests.gradients import value_and_gradients

Z1, Z2 = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")
LABELS = np.array([0, 1, 0, 2, 1, 0])


def number(value):
    return float(ops.convert_to_numpy(ops.stop_gradient(ops.mean(value))))


TEMPERATURES = {
    "scheduled": lambda: layers.ScheduledTemperature(0.3, 0.1, steps=10),
    "learned": lambda: layers.LearnedTemperature(0.3),
    "individual": lambda: layers.IndividualTemperature(6, initial=0.3),
    "uncertainty": lambda: layers.UncertaintyTemperature(0.3),
    "alignment": lambda: layers.AlignmentTemperature(0.3),
    "log_odds": layers.LogOdds,
}
LOSSES = {
    "nt_xent": lambda t: losses.NTXent(t).call(Z1, Z2, index=np.arange(6)),
    "info_nce": lambda t: losses.InfoNCE(t).call(Z1, Z2, index=np.arange(6)),
    "symmetric": lambda t: losses.InfoNCE(t, symmetric=True).call(Z1, Z2, index=np.arange(6)),
    "queue": lambda t: losses.InfoNCE(t).call((Z1, Z1[::-1].copy()), Z2, index=np.arange(6)),
    "dcl": lambda t: losses.DCL(t).call(Z1, Z2, index=np.arange(6)),
    "hcl": lambda t: losses.HCL(t).call(Z1, Z2, index=np.arange(6)),
    "supcon": lambda t: losses.SupCon(t).call(LABELS, Z1, index=np.arange(6)),
    "sincere": lambda t: losses.SINCERE(t).call(LABELS, Z1, index=np.arange(6)),
    "siglip": lambda t: losses.SigLIP(t).call(Z1, Z2, index=np.arange(6)),
}


@pytest.mark.parametrize("part", sorted(TEMPERATURES))
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_temperature_fits_every_loss(loss, part):
    values = ops.convert_to_numpy(LOSSES[loss](TEMPERATURES[part]()))
    assert values.shape == (6,)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("part", ["scheduled", "learned", "individual"])
def test_at_their_start_they_are_the_number(loss, part):
    ours, plain = (number(LOSSES[loss](t)) for t in (TEMPERATURES[part](), 0.3))
    np.testing.assert_allclose(ours, plain, rtol=1e-5)


def test_schedules_go_where_they_should():
    def values(**kwargs):
        part = layers.ScheduledTemperature(1.0, 0.2, steps=4, **kwargs)
        seen = []
        for _ in range(9):
            seen.append(float(part(None, None)))
            part.after_step(True)
        return seen

    np.testing.assert_allclose(values()[:6], [1.0, 0.8, 0.6, 0.4, 0.2, 0.2], rtol=1e-5)
    np.testing.assert_allclose(values(shape="step")[:6], [1, 1, 1, 1, 0.2, 0.2], rtol=1e-5)
    cosine = [0.2 + 0.8 * (1 + np.cos(np.pi * step / 4)) / 2 for step in range(9)]
    np.testing.assert_allclose(values(shape="cosine", periodic=True), cosine, rtol=1e-5)


def test_a_step_that_was_skipped_does_not_count():
    part = layers.ScheduledTemperature(1.0, 0.2, steps=4)
    part.after_step(False)
    assert float(part(None, None)) == 1.0


def test_the_learned_one_gets_a_gradient_and_is_clamped():
    part = layers.LearnedTemperature(0.07, minimum=0.05)
    loss = losses.NTXent(part)

    def value(tensors):
        with keras.StatelessScope(state_mapping=[(part.log_scale, tensors["log_scale"])]):
            return ops.mean(loss.call(Z1, Z2))

    start = ops.convert_to_numpy(part.log_scale)
    _, gradients = value_and_gradients(value, {"log_scale": start}, ["log_scale"])
    step = 1e-2
    difference = value({"log_scale": start + step}) - value({"log_scale": start - step})
    slope = number(difference) / (2 * step)
    np.testing.assert_allclose(gradients["log_scale"], slope, rtol=1e-2)
    part.log_scale.assign(10.0)
    part.after_step(True)
    np.testing.assert_allclose(number(part(None, None)), 0.05, rtol=1e-5)


def test_uncertainty_scales_each_row_by_its_own_last_output():
    part = layers.UncertaintyTemperature(0.2)
    temperature, (embeddings, _) = resolve_temperature(part, [Z1, Z2])
    np.testing.assert_allclose(
        ops.convert_to_numpy(temperature)[:, 0], 0.2 * (1 + np.exp(-Z1[:, -1])), rtol=1e-5
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(embeddings), Z1[:, :-1])
    _, gradients = value_and_gradients(
        lambda x: ops.mean(losses.NTXent(part).call(x["z1"], x["z2"])),
        {"z1": Z1, "z2": Z2},
        ["z1"],
    )
    assert (np.abs(gradients["z1"][:, -1]) > 1e-6).all()


def test_log_odds_are_two_artanh():
    cosines = np.array([-0.9, 0.0, 0.5], "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(layers.LogOdds()(None, None)(cosines)),
        2 * np.arctanh(cosines),
        rtol=1e-5,
    )
    assert np.isfinite(ops.convert_to_numpy(layers.LogOdds()(None, None)(np.ones(1, "float32"))))


def test_individual_temperatures_descend_clipped_and_bounded():
    part = layers.IndividualTemperature(4, initial=0.2, learning_rate=0.1, momentum=0.5)
    part.learn(np.array([1, 2]), np.array([1.0, -9.0], "float32"))
    temperatures = ops.convert_to_numpy(part.temperatures.values)
    np.testing.assert_allclose(temperatures, [0.2, 0.15, 0.35, 0.2], rtol=1e-5)
    part.learn(np.array([1]), np.array([3.0], "float32"))  # velocity 0.5 -> 1.75
    np.testing.assert_allclose(float(part.temperatures.read([1])[0]), 0.05, rtol=1e-5)


@pytest.mark.parametrize("part", sorted(TEMPERATURES))
def test_config_rebuilds_them(part):
    loss = losses.NTXent(TEMPERATURES[part]())
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again.temperature) is type(loss.temperature)
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.ScheduledTemperature(0, 1, steps=1), "start=0"),
        (lambda: layers.ScheduledTemperature(steps=1, shape="zigzag"), "'zigzag'"),
        (lambda: layers.LearnedTemperature(0.001), "initial=0.001"),
        (lambda: layers.UncertaintyTemperature(0), "base=0"),
        (lambda: layers.UncertaintyTemperature().embeddings(Z1[:, :1]), "two outputs"),
        (lambda: layers.AlignmentTemperature(0.1, alpha=2), "alpha=2"),
        (lambda: layers.LogOdds(0), "margin=0"),
        (lambda: layers.IndividualTemperature(5, initial=2), "initial=2"),
        (lambda: layers.SampleTable(0), "num_samples=0"),
        (lambda: losses.NTXent(layers.IndividualTemperature(5)).call(Z1, Z2), "no indices"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
