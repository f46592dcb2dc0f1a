"""DINO's loss against loops."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import DINOLoss, dino, dino_targets
from tests.gradients import value_and_gradients

RNG = np.random.default_rng(0)
TEACHER = [RNG.uniform(-1, 1, size=(5, 4)).astype("float32") for _ in range(2)]
STUDENT = [RNG.uniform(-1, 1, size=(5, 4)).astype("float32") for _ in range(3)]
CENTER = RNG.uniform(-0.5, 0.5, size=4).astype("float32")


def softmax(x):
    exp = np.exp(x.astype("float64"))
    return exp / exp.sum(axis=1, keepdims=True)


def by_loops(teacher_temperature, student_temperature):
    losses = [
        -(softmax((t - CENTER) / teacher_temperature) * np.log(softmax(s / student_temperature)))
        for a, t in enumerate(TEACHER)
        for v, s in enumerate(STUDENT)
        if a != v
    ]
    return np.mean([loss.sum(axis=1) for loss in losses], axis=0)


def test_agrees_with_loops():
    ours = ops.convert_to_numpy(dino(TEACHER, STUDENT, CENTER, 0.06, 0.2))
    np.testing.assert_allclose(ours, by_loops(0.06, 0.2), rtol=1e-5)
    loss = DINOLoss(student_temperature=0.2, teacher_temperature=0.06)
    value = float(loss((TEACHER, CENTER), STUDENT))
    assert value == pytest.approx(by_loops(0.06, 0.2).mean(), rel=1e-5)


def test_only_the_student_gets_a_gradient():
    inputs = {"t": TEACHER[0], "s1": STUDENT[0], "s2": STUDENT[1], "c": CENTER}
    _, gradients = value_and_gradients(
        lambda x: ops.mean(dino([x["t"]], [x["s1"], x["s2"]], x["c"])), inputs, list(inputs)
    )
    assert (gradients["t"] == 0).all()
    assert (gradients["c"] == 0).all()
    assert (np.abs(gradients["s2"]) > 0).any()


def test_a_lower_temperature_sharpens():
    sharp, soft = (
        ops.convert_to_numpy(dino_targets(TEACHER[0], CENTER, t)).max(axis=1) for t in (0.02, 0.2)
    )
    assert (sharp > soft).all()


def test_config_round_trip():
    loss = DINOLoss(0.2, 0.05, reduction="sum", name="other")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize("name", ["student_temperature", "teacher_temperature"])
def test_temperatures_are_checked(name):
    with pytest.raises(ValueError, match="positive `temperature`"):
        DINOLoss(**{name: -0.1})
