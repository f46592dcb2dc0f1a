"""The ridge probe against scikit-learn, and an honest choice of its strength."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from keras_contrastive.evaluation import linear_probe, ridge_probe
from keras_contrastive.evaluation.ridge import fit_ridge


def digits():
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    x, y = data.data[order].astype("float32") / 16, data.target[order]
    return x[:1300], y[:1300], x[1300:], y[1300:]


@pytest.mark.parametrize("shape", [(200, 12), (10, 30)])
def test_equals_scikit_learn_for_every_strength(shape):
    rng = np.random.default_rng(0)
    x, targets = rng.normal(3.0, 2.0, shape), np.eye(4)[rng.integers(0, 4, shape[0])]
    strengths = [1e-4, 1e-2, 1.0, 100.0]
    kernels, biases = fit_ridge(x, targets, strengths)
    mean_eigenvalue = np.sum((x - x.mean(axis=0)) ** 2) / shape[1]
    for kernel, bias, strength in zip(kernels, biases, strengths):
        peer = Ridge(alpha=strength * mean_eigenvalue, solver="svd").fit(x, targets)
        np.testing.assert_allclose(kernel, peer.coef_.T, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(bias, peer.intercept_, rtol=1e-6, atol=1e-9)


def test_digits():
    result = ridge_probe(*digits())
    assert result.accuracy > 0.92
    assert result.held_out[result.chosen] == max(result.held_out.values())


def test_scale_of_features_does_not_matter():
    x, y, test_x, test_y = digits()
    assert ridge_probe(x * 1e4, y, test_x * 1e4, test_y) == ridge_probe(x, y, test_x, test_y)


def test_weak_regularisation_loses_on_noisy_features():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    x = rng.normal(size=(200, 150))
    x[:, 0] += 4 * y
    result = ridge_probe(x[:180], y[:180], x[180:], y[180:], strengths=[1e-6, 10.0])
    assert result.chosen == 10.0
    assert result.held_out[10.0] > result.held_out[1e-6]


@pytest.mark.parametrize("probe", [ridge_probe, lambda *data: linear_probe(*data, epochs=3)])
def test_test_labels_do_not_choose(probe):
    x, y, test_x, test_y = digits()
    honest = probe(x, y, test_x, test_y)
    shuffled = probe(x, y, test_x, np.random.default_rng(1).permutation(test_y))
    assert shuffled.chosen == honest.chosen
    assert shuffled.held_out == honest.held_out
    assert shuffled.accuracy < 0.3 < honest.accuracy


def test_constant_features_give_the_commonest_class():
    y = np.array([0] * 30 + [1] * 10)
    assert ridge_probe(np.ones((40, 3)), y, np.ones((40, 3)), y).accuracy == 0.75


@pytest.mark.parametrize("probe", [ridge_probe, linear_probe])
def test_bad_input(probe):
    x, y = np.eye(4), np.array([0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"two classes or more. Received: only 1"):
        probe(x, y * 0 + 1, x, y)
    with pytest.raises(ValueError, match=r"Expected test labels to be 0 to 1. Received: .* 0 to 2"):
        probe(x, y, x, [0, 1, 2, 0])
    with pytest.raises(ValueError, match=r"same dimension.*Received: 4 and 3"):
        probe(x, y, x[:, :3], y)
    with pytest.raises(ValueError, match=r"Expected training labels of shape \(4,\)"):
        probe(x, y[:3], x, y)
    with pytest.raises(ValueError, match="Expected fraction"):
        probe(x, y, x, y, held_out_fraction=1.0)


def test_bad_strengths():
    x, y = np.eye(4), np.array([0, 1, 0, 1])
    with pytest.raises(ValueError, match="Expected positive `strengths`"):
        ridge_probe(x, y, x, y, strengths=[0.0])
    with pytest.raises(ValueError, match="Expected positive `learning_rates`"):
        linear_probe(x, y, x, y, learning_rates=[])
    with pytest.raises(ValueError, match="Expected `epochs` to be positive"):
        linear_probe(x, y, x, y, epochs=0)
