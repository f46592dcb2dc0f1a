"""MoCHi: the mixtures join MoCo's negatives, as constants."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive.losses import InfoNCE
from keras_contrastive.ops import mix_hard_negatives
from tests.gradients import value_and_gradients
from tests.methods.parts import compiled, images, mochi

RATE, MOMENTUM, TEMPERATURE = 0.5, 0.9, 0.2


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def vectors(num, seed, dim=8):
    return unit(np.random.default_rng(seed).normal(size=(num, dim))).astype("float32")


def contrast(method, queries, keys, negatives):
    tensors = (ops.convert_to_tensor(part) for part in (queries, keys, negatives))
    return ops.convert_to_numpy(method.contrast(*tensors))


def test_the_loss_has_the_mixtures_in_its_denominator():
    q, k, queue = vectors(5, 0), vectors(5, 1), vectors(10, 2)
    method = mochi(num_hardest=4, num_mixed=6, num_query_mixed=3, loss=InfoNCE(TEMPERATURE))
    ours = contrast(method, 3 * q, k, queue)
    same_draws = keras.random.SeedGenerator(method.seed)
    hard = ops.convert_to_numpy(mix_hard_negatives(q, queue, 4, 6, 3, seed=same_draws))
    for i in range(5):
        positive = np.exp(q[i] @ k[i] / TEMPERATURE)
        negatives = np.exp(np.concatenate([queue, hard[i]]) @ q[i] / TEMPERATURE)
        expected = -np.log(positive / (positive + negatives.sum()))
        np.testing.assert_allclose(ours[i], expected, rtol=1e-5)


def test_before_the_warm_up_ends_it_is_moco():
    q, k, queue = vectors(5, 0), vectors(5, 1), vectors(10, 2)
    method = mochi(warmup_steps=3)
    without = ops.convert_to_numpy(method.contrastive_loss.call((k, queue), q))
    method.steps.assign(2)
    np.testing.assert_allclose(contrast(method, q, k, queue), without, rtol=1e-5)
    method.steps.assign(3)
    assert (contrast(method, q, k, queue) > without + 1e-3).all()


def test_the_mixtures_are_constants():
    """The gradient for a query is that of a loss whose mixtures are given as numbers."""
    q, k, queue = vectors(4, 0), vectors(4, 1), vectors(10, 2)
    method = mochi(num_hardest=3, num_mixed=4, num_query_mixed=4, loss=InfoNCE(TEMPERATURE))
    generator = method.mixing_seed
    state = ops.convert_to_numpy(generator.state).copy()
    hard = mix_hard_negatives(q, queue, 3, 4, 4, seed=keras.random.SeedGenerator(method.seed))

    def ours(x):
        scope = keras.StatelessScope(
            state_mapping=[(generator.state, ops.convert_to_tensor(state))]
        )
        with scope:
            return ops.sum(method.contrast(x["q"], x["k"], x["queue"]))

    def with_numbers(x):
        query = kc.ops.l2_normalize(x["q"])
        logits = [
            ops.sum(query * x["k"], axis=1, keepdims=True),
            ops.matmul(query, ops.transpose(x["queue"])),
            ops.einsum("nd,nsd->ns", query, hard),
        ]
        return -ops.sum(ops.log_softmax(ops.concatenate(logits, axis=1) / TEMPERATURE)[:, 0])

    inputs = {"q": q, "k": k, "queue": queue}
    value, gradients = value_and_gradients(ours, inputs, ["q"])
    expected_value, expected = value_and_gradients(with_numbers, inputs, ["q"])
    assert value == pytest.approx(expected_value, rel=1e-5)
    np.testing.assert_allclose(gradients["q"], expected["q"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_hardest": 11}, "num_hardest.*queue_size=10.*Received: num_hardest=11"),
        ({"num_hardest": 0}, "Received: num_hardest=0"),
        ({"num_mixed": 0, "num_query_mixed": 0}, "at least one mixture"),
        ({"num_mixed": -1}, "Received: num_mixed=-1"),
        ({"false_negatives": kc.layers.FNC()}, "no `false_negatives`.*Received: FNC"),
        ({"loss": kc.losses.NegativeCosine()}, "number as its temperature"),
    ],
)
def test_settings_that_mix_nothing_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        mochi(**arguments)


def test_two_steps_are_those_of_the_formulas():
    """With one hardest negative, every mixture of two is that negative, whatever is drawn."""
    torch = pytest.importorskip("torch")
    from tests.methods import torch_double as plain

    x, _ = images(16)
    views = x, x[:, ::-1].copy()
    method = mochi(num_hardest=1, num_mixed=3, num_query_mixed=0, loss=InfoNCE(TEMPERATURE))
    compiled(method, keras.optimizers.SGD(RATE))
    online = plain.Double(method.encoder, method.projector)
    target = plain.Double(method.target_encoder, method.target_projector)
    queue = plain.as_torch(method.queue.rows)
    for step in range(2):
        view_q, view_k = (plain.as_torch(view[8 * step : 8 * step + 8]) for view in views)
        q, k = plain.unit(online(view_q)), plain.unit(target(view_k)).detach()
        positive, negatives = (q * k).sum(1, keepdim=True), q @ queue.T
        hardest = negatives.max(1, keepdim=True).values
        logits = torch.cat([positive, negatives, hardest.repeat(1, 3)], dim=1) / TEMPERATURE
        loss = -logits.log_softmax(1)[:, 0].mean()
        plain.sgd_step(loss, [online], RATE)
        target.follow(online, MOMENTUM)
        queue = queue.clone()
        for i, row in enumerate(k):
            queue[(8 * step + i) % len(queue)] = row
    method.fit(views, batch_size=8, shuffle=False, verbose=0)
    plain.assert_same(online, method.encoder, method.projector)
    plain.assert_same(target, method.target_encoder, method.target_projector)
    rows = ops.convert_to_numpy(method.queue.rows)
    np.testing.assert_allclose(rows, queue.numpy(), rtol=1e-3, atol=2e-5)
