import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.optimizers import (
    CosineMomentum,
    linear_scaling,
    sqrt_scaling,
    warmup_cosine,
)

GOLDEN = Path(__file__).parents[1] / "oracles" / "golden"


def values(schedule, steps):
    return [float(ops.convert_to_numpy(schedule(ops.convert_to_tensor(t)))) for t in steps]


def test_warmup_cosine_by_hand():
    schedule = warmup_cosine(0.4, steps=110, warmup_steps=10, final=0.2)
    # Start, half the rise, peak, a quarter and half of the fall, the end, beyond the end.
    quarter = 0.2 + 0.1 * (1 + 2**-0.5)
    np.testing.assert_allclose(
        values(schedule, [0, 5, 10, 35, 60, 110, 200]),
        [0, 0.2, 0.4, quarter, 0.3, 0.2, 0.2],
        rtol=1e-5,
        atol=1e-7,
    )


def test_warmup_cosine_equals_its_formula_at_every_step():
    peak, final, warmup, total = 0.3, 0.01, 7, 23
    schedule = warmup_cosine(peak, steps=total, warmup_steps=warmup, final=final)
    expected = [
        peak * t / warmup
        if t < warmup
        else final + 0.5 * (peak - final) * (1 + np.cos(np.pi * (t - warmup) / (total - warmup)))
        for t in range(total + 1)
    ]
    np.testing.assert_allclose(values(schedule, range(total + 1)), expected, rtol=1e-5, atol=1e-7)


def test_without_warmup_the_first_step_has_the_peak():
    assert values(warmup_cosine(0.5, steps=10), [0, 5, 10]) == pytest.approx([0.5, 0.25, 0])


def test_epochs_are_steps():
    by_epochs = warmup_cosine(0.4, epochs=20, steps_per_epoch=13, warmup_epochs=2, final=0.1)
    by_steps = warmup_cosine(0.4, steps=260, warmup_steps=26, final=0.1)
    assert by_epochs.get_config() == by_steps.get_config()


def test_warmup_cosine_opens_in_plain_keras():
    schedule = warmup_cosine(0.4, steps=100, warmup_steps=10, final=0.01)
    saved = keras.saving.serialize_keras_object(keras.optimizers.SGD(schedule))
    assert "keras_contrastive" not in json.dumps(saved)
    loaded = keras.saving.deserialize_keras_object(saved)._learning_rate
    steps = [0, 5, 50, 100]
    assert values(loaded, steps) == values(schedule, steps)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either steps .* or epochs and steps_per_epoch .* Received: steps=None"),
        ({"steps": 10, "epochs": 1, "steps_per_epoch": 10}, "steps=10, warmup_steps=0, epochs=1"),
        ({"epochs": 1}, "epochs=1, steps_per_epoch=None"),
        ({"steps": 10, "steps_per_epoch": 10}, "epochs=None, steps_per_epoch=10"),
        ({"steps": 10, "warmup_epochs": 1}, "steps=10, .* warmup_epochs=1"),
        ({"epochs": 2, "steps_per_epoch": 10, "warmup_steps": 1}, "warmup_steps=1, epochs=2"),
        ({"steps": 10, "warmup_steps": 10}, "Received: warmup_steps=10, steps=10"),
        ({"steps": 0}, "0 <= warmup_steps < steps"),
        ({"steps": 10, "warmup_steps": -1}, "0 <= warmup_steps < steps"),
        ({"steps": 10, "final": 2.0}, "0 <= final <= learning_rate"),
        ({"steps": 10, "final": -0.1}, "0 <= final <= learning_rate"),
    ],
)
def test_warmup_cosine_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        warmup_cosine(1.0, **arguments)


def test_warmup_cosine_refuses_a_rate_of_zero():
    with pytest.raises(ValueError, match="positive learning_rate"):
        warmup_cosine(0.0, steps=10)


def test_scaling():
    assert linear_scaling(0.3, 4096) == pytest.approx(4.8)
    assert linear_scaling(0.3, 256) == pytest.approx(0.3)
    assert sqrt_scaling(0.075, 4096) == pytest.approx(4.8)


def test_momentum_golden():
    golden = np.load(GOLDEN / "momentum_schedule-v.npz")
    params = json.loads(str(golden["params"]))
    schedule = CosineMomentum(params["start"], steps=params["max_steps"] - 1, end=params["end"])
    np.testing.assert_allclose(
        values(schedule, golden["steps"]), golden["values"], rtol=0, atol=1e-6
    )


def test_momentum_by_hand():
    schedule = CosineMomentum(0.9, steps=100, end=0.98)
    np.testing.assert_allclose(
        values(schedule, [0, 25, 50, 100, 1000]),
        [0.9, 0.94 - 0.04 * 2**-0.5, 0.94, 0.98, 0.98],
        rtol=1e-6,
    )


def test_momentum_takes_a_batch_of_steps_and_is_float32():
    result = CosineMomentum(0.9, steps=10)(ops.arange(3))
    assert keras.backend.standardize_dtype(result.dtype) == "float32"
    assert result.shape == (3,)


def test_momentum_serialises():
    schedule = CosineMomentum(0.9, steps=100, end=0.98)
    loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert isinstance(loaded, CosineMomentum)
    assert loaded.get_config() == {"start": 0.9, "steps": 100, "end": 0.98}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.1, 10), r"start and end in \[0, 1\]"),
        ((0.9, 10, 1.5), r"start and end in \[0, 1\]"),
        ((0.9, 0), "at least one step"),
    ],
)
def test_momentum_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        CosineMomentum(*arguments)
