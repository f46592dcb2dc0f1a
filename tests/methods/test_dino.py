"""DINO: centre, temperatures, frozen last layer, and two steps from the formulas."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.methods.audit import gradients_of, value_with
from tests.methods.parts import compiled, dino, images

RATE, MOMENTUM, CENTER_MOMENTUM, TEMPERATURE = 0.5, 0.99, 0.5, 0.07


def views(num=16):
    x, _ = images(num)
    return x, x[:, ::-1].copy()


def rows_of(method):
    return ops.convert_to_numpy(method.prototypes.rows).copy()


def test_two_steps_are_those_of_the_formulas():
    """The first with a frozen last layer and no centre, the second with both at work."""
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = compiled(dino(freeze_steps=1), keras.optimizers.SGD(RATE))
    student = plain.Double(method.encoder, method.projector)
    teacher = plain.Double(method.target_encoder, method.target_projector)
    rows = plain.as_torch(method.prototypes.rows).requires_grad_(True)
    teacher_rows, center = rows.detach().clone(), 0.0
    start, start_rows = plain.copies(student), rows.detach().clone()
    for step in range(2):
        batch = plain.torch.cat([plain.as_torch(v[8 * step : 8 * step + 8]) for v in views()])
        s = plain.unit(student(batch)) @ plain.unit(rows).T
        t = (plain.unit(teacher(batch)) @ plain.unit(teacher_rows).T).detach()
        q1, q2 = ((t - center) / TEMPERATURE).softmax(1).split(8)
        log_p1, log_p2 = (s / 0.1).log_softmax(1).split(8)
        loss = -((q1 * log_p2).sum(1) + (q2 * log_p1).sum(1)).mean() / 2
        center = CENTER_MOMENTUM * center + (1 - CENTER_MOMENTUM) * t.mean(0)
        gradient = plain.torch.autograd.grad(loss, rows, retain_graph=True)[0]
        plain.sgd_step(loss, [student], RATE)
        if step:
            rows = rows.detach() - RATE * gradient
        teacher.follow(student, MOMENTUM)
        teacher_rows = MOMENTUM * teacher_rows + (1 - MOMENTUM) * rows.detach()
    plain.assert_moved(student, start)
    assert float((rows - start_rows).abs().max()) > 1e-3
    method.fit(views(), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(student, method.encoder, method.projector)
    plain.assert_same(teacher, method.target_encoder, method.target_projector)
    for ours, theirs in (
        (method.prototypes.rows, rows),
        (method.target_prototypes.rows, teacher_rows),
        (method.center, center),
    ):
        ours, theirs = ops.convert_to_numpy(ours), theirs.detach().numpy()
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=2e-5)


def test_the_frozen_last_layer_stands_still_under_weight_decay():
    method = compiled(dino(freeze_steps=2), keras.optimizers.AdamW(0.1, weight_decay=0.5))
    before = rows_of(method)
    method.fit(views(), batch_size=8, verbose=0)
    np.testing.assert_array_equal(rows_of(method), before)
    method.fit(views(), batch_size=8, verbose=0)
    assert np.abs(rows_of(method) - before).max() > 1e-3


@pytest.mark.parametrize("frozen", [True, False])
def test_gradients_reach_the_student_alone(frozen):
    method = dino(freeze_steps=1 if frozen else 0)
    teacher = [target for _, target in method.momentum_pair.variables]
    for target in teacher:
        target.trainable = True  # an audit may look where the optimizer may not
    watched = [method.prototypes.rows, method.encoder.weights[0], method.center, *teacher]
    last, encoder, *constant = gradients_of(method, views(8), watched)
    assert (last == 0).all() == frozen
    assert (encoder != 0).any()
    assert all((gradient == 0).all() for gradient in constant)
    center = np.linspace(-0.5, 0.5, 8, dtype="float32")
    moved = value_with(method, views(8), method.center, center)
    assert abs(moved - value_with(method, views(8), method.center, 0 * center)) > 1e-3


def test_a_teacher_temperature_may_follow_the_step():
    schedule = keras.optimizers.schedules.PolynomialDecay(0.02, 2, 0.5)
    logs = compiled(dino(teacher_temperature=schedule), keras.optimizers.SGD(0.0)).fit(
        views(8), batch_size=8, epochs=3, verbose=0
    )
    entropy = logs.history["teacher_entropy"]
    assert 0 < entropy[0] < entropy[1] < entropy[2] < 1


@pytest.mark.parametrize(
    "arguments", [{"num_full": 0}, {"freeze_steps": -1}, {"center_momentum": 1.5}]
)
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=r"`num_full` of at least 1.*Received"):
        dino(**arguments)


def test_temperatures_are_checked():
    with pytest.raises(ValueError, match="positive `temperature`"):
        dino(teacher_temperature=0.0)
