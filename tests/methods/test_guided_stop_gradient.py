"""Guided stop-gradient: which views are chosen, and what is moved."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.methods.guided_stop_gradient import closest_pair, guided_negative_cosine
from tests.gradients import value_and_gradients
from tests.methods.noise import NoiseViews
from tests.methods.parts import compiled, guided_byol, guided_simsiam, images, tiny_encoder

RATE, MOMENTUM = 0.5, 0.9
RNG = np.random.default_rng(0)
TARGETS = [RNG.normal(size=(6, 5)).astype("float32") for _ in range(4)]
PREDICTIONS = [RNG.normal(size=(6, 5)).astype("float32") for _ in range(4)]


def views(num=16):
    x, _ = images(num)
    return x, x[:, ::-1].copy(), x[:, :, ::-1].copy(), x[:, ::-1, ::-1].copy()


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def by_loops(targets, predictions):
    """Loss of each image, and the views that were chosen of it and of its partner."""
    losses, chosen = [], []
    num = len(targets[0])
    for i in range(num):
        j = (i + 1) % num
        distances = {
            (a, b): np.linalg.norm(targets[a][i] - targets[2 + b][j])
            for a in (0, 1)
            for b in (0, 1)
        }
        a, b = min(distances, key=distances.get)
        loss = cosine(predictions[a][i], targets[1 - a][i])
        loss += cosine(predictions[2 + b][j], targets[3 - b][j])
        losses.append(-loss / 2)
        chosen.append((a, b))
    return np.array(losses), chosen


def test_agrees_with_loops():
    expected, chosen = by_loops(TARGETS, PREDICTIONS)
    assert len(set(chosen)) > 1
    ours = ops.convert_to_numpy(guided_negative_cosine(TARGETS, PREDICTIONS))
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_distances_are_of_projections_as_long_as_they_are():
    """By angle the second view would be the closest."""
    first = [np.array([[1.0, 0.0]]), np.array([[9.0, 9.0]])]
    second = [np.array([[0.0, 1.0]]), np.array([[50.0, 50.0]])]
    ours = [ops.convert_to_numpy(chosen).tolist() for chosen in closest_pair(first, second)]
    assert ours == [[[1.0, 0.0]], [[1.0, 0.0]]]


def test_two_of_four_predictions_get_a_gradient_and_no_target():
    inputs = {f"z{i}": z for i, z in enumerate(TARGETS)} | {
        f"p{i}": p for i, p in enumerate(PREDICTIONS)
    }
    _, gradients = value_and_gradients(
        lambda x: ops.sum(
            guided_negative_cosine([x[f"z{i}"] for i in range(4)], [x[f"p{i}"] for i in range(4)])
        ),
        inputs,
        list(inputs),
    )
    assert all((gradients[f"z{i}"] == 0).all() for i in range(4))
    _, chosen = by_loops(TARGETS, PREDICTIONS)
    for i, (a, b) in enumerate(chosen):
        j = (i + 1) % len(chosen)
        for view, row, moved in ((a, i, True), (1 - a, i, False), (2 + b, j, True)):
            assert (gradients[f"p{view}"][row] != 0).any() == moved
        assert (gradients[f"p{3 - b}"][j] == 0).all()


@pytest.mark.parametrize("make", [guided_simsiam, guided_byol])
def test_two_steps_are_those_of_the_formulas(make):
    pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    method = compiled(make(), keras.optimizers.SGD(RATE))
    with_target = make is guided_byol
    online, predictor = (
        plain.Double(method.encoder, method.projector),
        plain.Double(method.predictor),
    )
    target = plain.Double(method.encoder, method.projector)
    start = plain.copies(online)
    for step in range(2):
        batch = [plain.as_torch(view[8 * step : 8 * step + 8]) for view in views()]
        z = [online(view) for view in batch]
        p = [plain.unit(predictor(each)) for each in z]
        z = [(target(v) if with_target else own).detach() for v, own in zip(batch, z, strict=True)]
        _, chosen = by_loops([each.numpy() for each in z], [each.detach().numpy() for each in p])
        z = [plain.unit(each) for each in z]
        loss = 0.0
        for i, (a, b) in enumerate(chosen):
            j = (i + 1) % len(chosen)
            loss = loss - (p[a][i] @ z[1 - a][i] + p[2 + b][j] @ z[3 - b][j]) / 2
        loss = loss / len(chosen) * (4 if with_target else 1)
        plain.sgd_step(loss, [online, predictor], RATE)
        if with_target:
            target.follow(online, MOMENTUM)
    plain.assert_moved(online, start)
    method.fit(views(), batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)
    plain.assert_same(predictor, method.predictor)
    if with_target:
        plain.assert_same(target, method.target_encoder, method.target_projector)


def test_an_augmentation_of_two_views_is_drawn_twice():
    drawn = guided_simsiam().make_views(images(8)[0])
    assert len(drawn) == 4
    pixels = [ops.convert_to_numpy(view) for view in drawn]
    assert all(np.abs(pixels[0] - other).max() > 1e-3 for other in pixels[1:])
    assert len(kc.GuidedSimSiam(tiny_encoder(), NoiseViews(num_views=4)).make_views(pixels[0])) == 4


def test_three_views_are_refused():
    with pytest.raises(ValueError, match=r"Expected 4 views for GuidedSimSiam\. Received: 3"):
        guided_simsiam().make_views(views()[:3])
