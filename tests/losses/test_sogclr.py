"""SogCLR's running means against NumPy, and its limits."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive import layers, losses
from tests.gradients import value_and_gradients

Z1, Z2 = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
W1, W2 = np.random.default_rng(1).normal(size=(2, 4, 5)).astype("float32")
INDEX = np.array([5, 2, 0, 7])
T = 0.2


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


def similarities(z1, z2):
    """Each anchor's positive cosine and those of its negatives, `(2N,)` and `(2N, 2N - 2)`."""
    z = np.concatenate([z1, z2]).astype("float64")
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    n = len(z1)
    s = z @ z.T
    positive = np.array([s[i, (i + n) % (2 * n)] for i in range(2 * n)])
    others = [[s[i, j] for j in range(2 * n) if j % n != i % n] for i in range(2 * n)]
    return positive, np.array(others)


def step(u, visited, z1, z2, gamma, temperature):
    """One step of the algorithm: the loss of each sample, and the new table."""
    positive, others = similarities(z1, z2)
    t = np.concatenate([temperature[INDEX]] * 2)[:, None]
    g = np.exp(others / t).mean(1)
    old, seen = np.concatenate([u[INDEX]] * 2), np.concatenate([visited[INDEX]] * 2)
    new = np.where(seen, (1 - gamma) * old + gamma * g, g)
    weighted = (np.exp(others / t) / new[:, None] * others).mean(1)
    loss = (weighted - positive).reshape(2, -1).mean(0)
    u, visited = u.copy(), visited.copy()
    u[INDEX], visited[INDEX] = new.reshape(2, -1).mean(0), True
    return loss, u, visited, weighted.reshape(2, -1).mean(0)


def test_two_steps_are_the_algorithm():
    loss = losses.SogCLR(8, T, gamma=0.6)
    u, visited, t = np.zeros(8), np.zeros(8, bool), np.full(8, T)
    for z1, z2 in ((Z1, Z2), (W1, W2)):
        expected, u, visited, _ = step(u, visited, z1, z2, 0.6, t)
        np.testing.assert_allclose(numpy(loss.call(z1, z2, index=INDEX)), expected, rtol=1e-4)
        table = np.exp(numpy(loss.log_means.values).astype("float64"))
        np.testing.assert_allclose(table[INDEX], u[INDEX], rtol=1e-4)
        assert (table[[1, 3, 4, 6]] == 0).all()


def test_isogclr_moves_each_temperature():
    part = layers.IndividualTemperature(8, T, rho=0.4, learning_rate=0.02, momentum=0.5)
    loss = losses.SogCLR(8, part, gamma=0.6)
    u, visited, t, v = np.zeros(8), np.zeros(8, bool), np.full(8, T), np.zeros(8)
    for z1, z2 in ((Z1, Z2), (W1, W2)):
        _, u, visited, weighted = step(u, visited, z1, z2, 0.6, t)
        loss.call(z1, z2, index=INDEX)
        gradient = np.log(u[INDEX]) + 0.4 - weighted / t[INDEX]
        v[INDEX] = 0.5 * v[INDEX] + 0.5 * np.clip(gradient, -3, 3)
        t[INDEX] = np.clip(t[INDEX] - 0.02 * v[INDEX], 0.05, 1)
        np.testing.assert_allclose(numpy(part.temperatures.values), t, rtol=1e-3)


def test_isogclr_whose_temperatures_stand_still_is_sogclr():
    still = layers.IndividualTemperature(8, T, learning_rate=0.0)
    for z1, z2 in ((Z1, Z2), (W1, W2)):
        one, other = losses.SogCLR(8, still), losses.SogCLR(8, T)
        np.testing.assert_allclose(
            numpy(one.call(z1, z2, index=INDEX)), numpy(other.call(z1, z2, index=INDEX)), rtol=1e-5
        )


def test_with_gamma_one_the_gradient_is_that_of_dcl_times_the_temperature():
    def global_loss(x):  # without training: a table would keep JAX's traced values
        loss = losses.SogCLR(8, T, gamma=1.0)
        return ops.mean(loss.call(x["z1"], x["z2"], index=INDEX, training=False))

    def decoupled(x):
        return T * ops.mean(losses.decoupled(x["z1"], x["z2"], T))

    inputs = {"z1": Z1, "z2": Z2}
    _, ours = value_and_gradients(global_loss, inputs, ["z1", "z2"])
    _, theirs = value_and_gradients(decoupled, inputs, ["z1", "z2"])
    for name in inputs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-6)


def test_evaluation_leaves_the_table_alone():
    loss = losses.SogCLR(8, T)
    loss.call(Z1, Z2, index=INDEX, training=False)
    assert (numpy(loss.log_means.values) < -1e8).all()


def test_low_temperatures_do_not_overflow():
    values = numpy(losses.SogCLR(8, 0.005).call(Z1, Z1, index=INDEX))
    assert np.isfinite(values).all()
    for t in (0.1, 0.01, 0.003):
        loss = losses.SogCLR(8, t)
        _, gradients = value_and_gradients(
            lambda z, loss=loss: ops.sum(loss.call(z["z1"], z["z2"], index=INDEX)),
            {"z1": Z1, "z2": Z2},
            ["z1", "z2"],
        )
        for gradient in gradients.values():
            assert np.isfinite(gradient).all()
            assert np.abs(gradient).max() > 0


def test_bayesian_draws_average_to_sogclr():
    loss, plain = losses.BayesianContrastive(8, T, gamma=1.0), losses.SogCLR(8, T, gamma=1.0)
    draws = [numpy(loss.call(Z1, Z2, index=INDEX)) for _ in range(500)]
    assert np.std(draws, axis=0).min() > 0.01
    np.testing.assert_allclose(
        np.mean(draws, axis=0), numpy(plain.call(Z1, Z2, index=INDEX)), atol=0.15
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losses.SogCLR(8).call(Z1, Z2), "no indices"),
        (lambda: losses.SogCLR(8, gamma=0), "gamma=0"),
        (lambda: losses.SogCLR(8, layers.LogOdds()).call(Z1, Z2, index=INDEX), "LogOdds"),
    ],
)
def test_nonsense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
