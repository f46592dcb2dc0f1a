"""CoSENT against a double loop and torch's own arithmetic, whole and in tiles."""

import math

import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import CoSENTLoss, cosent
from keras_contrastive.ops import tiles
from tests.gradients import assert_gradients_agree, gradients_in_a_step, value_and_gradients

RNG = np.random.default_rng(0)
SCORES = np.array([0.0, 5.0, 2.5, 2.5, 1.0, 5.0, 3.2], "float32")  # with ties
PAIRS = RNG.normal(size=(7, 2, 4)).astype("float32")


def cosines(pairs):
    unit = pairs.astype("float64") / np.linalg.norm(pairs, axis=2, keepdims=True)
    return np.sum(unit[:, 0] * unit[:, 1], axis=1)


def by_hand(scores, similarities, temperature):
    total = 1.0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if scores[i] < scores[j]:
                total += math.exp((similarities[i] - similarities[j]) / temperature)
    return math.log(total)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_it_is_the_double_loop(temperature):
    expected = by_hand(SCORES, cosines(PAIRS), temperature)
    got = CoSENTLoss(temperature)(SCORES, PAIRS)
    np.testing.assert_allclose(float(got), expected, rtol=1e-5)
    np.testing.assert_allclose(float(CoSENTLoss(temperature)(SCORES[:, None], PAIRS)), float(got))


@pytest.mark.parametrize("tile", [1, 3, 1024])
def test_value_and_gradients_are_torch_s(monkeypatch, tile):
    torch = pytest.importorskip("torch")
    z = torch.tensor(PAIRS.astype("float64"), requires_grad=True)
    unit, scores = torch.nn.functional.normalize(z, dim=2), torch.tensor(SCORES)
    similarities = (unit[:, 0] * unit[:, 1]).sum(1) / 0.2
    differences = (similarities[:, None] - similarities[None, :])[scores[:, None] < scores]
    value = torch.cat([torch.zeros(1), differences]).logsumexp(0)
    value.backward()
    monkeypatch.setattr(tiles, "_tile_size", tile)
    got = gradients_in_a_step(
        lambda t: CoSENTLoss(0.2)(SCORES, t["z"]), {"z": PAIRS}, {"z": PAIRS.shape}, "graph"
    )
    assert_gradients_agree(got, (value.item(), {"z": z.grad.numpy()}))


def test_the_right_order_costs_next_to_nothing_and_any_rising_scale_is_the_same():
    similarities = np.array([-0.5, 0.0, 0.5, 1.0], "float32")
    assert float(cosent(np.array([1, 2, 3, 4]), similarities)) < 1e-3
    assert float(cosent(np.array([4, 3, 2, 1]), similarities)) > 20
    one, other = (float(cosent(f(SCORES), cosines(PAIRS))) for f in (np.array, np.exp))
    assert one == other


@pytest.mark.parametrize("scores", [np.full(3, 2.0), np.array([1.0])])
def test_without_an_order_it_is_0_and_has_no_gradient(scores):
    pairs = PAIRS[: len(scores)]
    value, gradients = value_and_gradients(
        lambda t: CoSENTLoss()(scores, t["z"]), {"z": pairs}, ["z"]
    )
    assert value == 0
    np.testing.assert_array_equal(gradients["z"], 0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_finite(dtype):
    loss = CoSENTLoss(0.01).call(SCORES, ops.cast(100 * PAIRS, dtype))
    assert "float32" in str(loss.dtype)
    assert np.isfinite(float(loss))


def test_config_round_trip():
    loss = CoSENTLoss(0.3, name="mine")
    again = CoSENTLoss.from_config(loss.get_config())
    assert again.get_config() == loss.get_config()
    assert float(again(SCORES, PAIRS)) == float(loss(SCORES, PAIRS))


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"\(N, 2, D\)"):
        CoSENTLoss()(SCORES, PAIRS[:, 0])
    with pytest.raises(ValueError, match="temperature=0"):
        CoSENTLoss(0)
