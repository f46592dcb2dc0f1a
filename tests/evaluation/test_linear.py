"""The offline linear probe: one step by hand, scikit-learn's accuracy, the choice of the rate."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from keras_contrastive.evaluation import linear_probe
from keras_contrastive.evaluation.linear import train_softmax


def test_two_steps_by_hand():
    """Full batches: the gradient is p - y, and the second step adds 0.9 of the first."""
    x, y = np.array([[1.0, 0.5], [-1.0, 2.0]], "float32"), np.array([0, 1])
    start = np.random.default_rng(3).normal(0.0, 0.01, (2, 1, 2))[:, 0]
    for rate, kernel, bias in zip([0.5, 8.0], *train_softmax(x, y, [0.5, 8.0], 2, 2, 9, seed=3)):
        w, b, vw, vb = start.copy(), np.zeros(2), 0.0, 0.0
        for step in range(2):
            p = np.exp(x @ w + b)
            error = (p / p.sum(axis=1, keepdims=True) - np.eye(2)[y]) / 2
            vw, vb = 0.9 * vw + x.T @ error, 0.9 * vb + error.sum(axis=0)
            scaled = rate * 2 / 256 * 0.5 * (1 + np.cos(np.pi * step / 2))
            w, b = w - scaled * vw, b - scaled * vb
        np.testing.assert_allclose(kernel, w, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(bias, b, rtol=1e-4, atol=1e-7)


def test_rates_trained_together_equal_rates_trained_alone():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 6)).astype("float32"), rng.integers(0, 3, 50)
    together, _ = train_softmax(x, y, [0.1, 10.0], 3, epochs=4, batch_size=16, seed=1)
    for index, rate in enumerate([0.1, 10.0]):
        alone, _ = train_softmax(x, y, [rate], 3, epochs=4, batch_size=16, seed=1)
        np.testing.assert_allclose(together[index], alone[0], rtol=1e-4, atol=1e-5)


def test_reaches_the_accuracy_of_logistic_regression_on_digits():
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    x, y = data.data[order].astype("float32") / 16, data.target[order]
    peer = LogisticRegression(C=1e2, max_iter=3000).fit(x[:1300], y[:1300])
    result = linear_probe(x[:1300], y[:1300], x[1300:], y[1300:])
    assert abs(result.accuracy - peer.score(x[1300:], y[1300:])) < 0.02
    assert set(result.held_out) == {0.1, 1.0, 10.0, 30.0}
    assert result.held_out[result.chosen] == max(result.held_out.values())


def test_the_rate_follows_the_norm_of_the_features():
    """Small features need a large rate, to get away from the initial kernel; large ones do not."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 8, 600)
    x = rng.normal(size=(8, 16))[y] + 0.5 * rng.normal(size=(600, 16))
    small = linear_probe(x[:500] * 0.01, y[:500], x[500:] * 0.01, y[500:])
    assert small.chosen >= 10.0  # of the two largest either may win, as rounding goes
    assert small.held_out[0.1] < 0.5 < 0.9 < small.accuracy
    large = linear_probe(x[:500] * 10, y[:500], x[500:] * 10, y[500:])
    assert large.chosen == 0.1
    assert large.accuracy > 0.9


def test_seed_repeats_the_result():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(60, 4)), rng.integers(0, 2, 60), rng.normal(size=(9, 4)), [0, 1, 1] * 3
    assert linear_probe(*data, epochs=3, seed=4) == linear_probe(*data, epochs=3, seed=4)
