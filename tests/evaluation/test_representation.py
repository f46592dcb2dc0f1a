"""Geometry of features: cases seen by eye, statistics of known distributions, double loops."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive.evaluation import (
    alignment,
    effective_rank,
    explained_variance_auc,
    rank_me,
    representation_std,
    singular_spectrum,
    tolerance,
    uniformity,
)
from keras_contrastive.ops import tiles
from keras_contrastive.ops import uniformity as sphere
from tests.gradients import value_and_gradients


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_constant_features():
    z = np.full((50, 8), 0.3)
    assert uniformity(z) == pytest.approx(0.0, abs=1e-5)
    assert representation_std(z) == pytest.approx(0.0, abs=1e-6)
    assert rank_me(z) == pytest.approx(1.0, abs=1e-4)
    assert effective_rank(z) == pytest.approx(1.0, abs=1e-3)
    assert alignment(z, z) == 0.0
    assert tolerance(z, np.zeros(50, int)) == pytest.approx(1.0)


@pytest.mark.parametrize("z", [np.zeros((5, 3)), np.ones((5, 3))])
def test_nothing_varies(z):
    assert explained_variance_auc(z) == 1.0
    assert effective_rank(z) == 1.0
    assert 1.0 <= rank_me(z) < 1.001


def test_gaussian_features_fill_the_space():
    z = gaussian(20000, 16)
    assert rank_me(z) == pytest.approx(16, abs=0.05)
    assert effective_rank(z) == pytest.approx(16, abs=0.05)
    assert representation_std(z) == pytest.approx(1.0, abs=0.01)
    assert explained_variance_auc(z) == pytest.approx(0.5, abs=0.02)
    spectrum = singular_spectrum(z)
    assert spectrum.sum() == pytest.approx(1.0, abs=0.01)  # unit vectors: the trace is 1 - |mean|^2
    assert spectrum[0] / spectrum[-1] < 1.2


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_rank_r_features(rank):
    z = gaussian(500, rank) @ gaussian(rank, 20, seed=1)
    assert rank_me(z) <= rank + 1e-3
    assert rank_me(z) > 0.6 * rank
    assert np.sum(singular_spectrum(z) > 1e-6 * singular_spectrum(z)[0]) == rank


def test_orthonormal_rows():
    q = np.linalg.qr(gaussian(12, 12))[0]
    assert rank_me(q) == pytest.approx(12.0, abs=1e-3)


@pytest.mark.parametrize("shape", [(40, 6), (6, 40)])
def test_ranks_against_the_svd(shape):
    z = gaussian(*shape) + 2.0
    for rank, values in [(rank_me, z), (effective_rank, z - z.mean(axis=0))]:
        s = np.linalg.svd(values, compute_uv=False)
        p = s / s.sum() + 1e-7
        assert rank(z) == pytest.approx(np.exp(-np.sum(p * np.log(p))), rel=1e-4)


def test_a_shared_mean_counts_in_rank_me_alone():
    z = gaussian(2000, 10) + 100.0
    assert rank_me(z) < 2.0
    assert effective_rank(z) > 9.5


@pytest.mark.parametrize(("t", "size"), [(2.0, 1024), (0.5, 6), (5.0, 1)])
def test_uniformity_against_a_double_loop_in_any_tiles(monkeypatch, t, size):
    monkeypatch.setattr(tiles, "_tile_size", size)
    z = unit(gaussian(13, 4))
    pairs = [(i, j) for i in range(13) for j in range(i)]
    expected = np.log(np.mean([np.exp(-t * np.sum((z[i] - z[j]) ** 2)) for i, j in pairs]))
    assert uniformity(gaussian(13, 4), t) == pytest.approx(expected, rel=1e-5)
    assert float(sphere.uniformity(ops.convert_to_tensor(gaussian(13, 4)), t)) == pytest.approx(
        expected, rel=1e-5
    )


def test_uniformity_of_many_dimensions_is_near_minus_2t():
    assert uniformity(gaussian(1500, 500)) == pytest.approx(-4.0, abs=0.05)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 3.0])
def test_alignment_against_a_loop(alpha):
    x, y = gaussian(9, 5), gaussian(9, 5, seed=1)
    distances = [np.linalg.norm(a - b) ** alpha for a, b in zip(unit(x), unit(y))]
    assert alignment(x, y, alpha) == pytest.approx(np.mean(distances), rel=1e-5)


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_gradients_are_finite_where_pairs_coincide(alpha):
    x = gaussian(4, 3).astype("float32")
    _, gradients = value_and_gradients(
        lambda inputs: sphere.alignment(inputs["x"], inputs["y"], alpha), {"x": x, "y": x}, ["x"]
    )
    assert np.isfinite(gradients["x"]).all()
    _, gradients = value_and_gradients(
        lambda inputs: sphere.uniformity(inputs["x"]), {"x": np.ones((4, 3), "float32")}, ["x"]
    )
    np.testing.assert_allclose(gradients["x"], 0.0, atol=1e-6)


def test_tolerance_against_a_double_loop():
    z, labels = gaussian(12, 4), np.arange(12) % 3
    pairs = [(i, j) for i in range(12) for j in range(12) if i != j and labels[i] == labels[j]]
    expected = np.mean([unit(z)[i] @ unit(z)[j] for i, j in pairs])
    assert tolerance(z, labels) == pytest.approx(expected, rel=1e-5)


def test_explained_variance_of_one_direction():
    z = gaussian(30, 1) @ gaussian(1, 10, seed=1)
    assert explained_variance_auc(z) == pytest.approx(0.95, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: uniformity(np.ones((1, 3))), "two rows or more"),
        (lambda: sphere.uniformity(ops.ones((1, 3))), "at least two embeddings"),
        (lambda: uniformity(np.ones((4, 3)), t=0), "Expected `t` to be positive"),
        (lambda: alignment(np.ones((4, 3)), np.ones((5, 3))), r"Received: \(4, 3\) and \(5, 3\)"),
        (lambda: rank_me(np.full((4, 3), np.inf)), "NaN or infinity in 4 of 4 rows"),
        (lambda: rank_me(np.ones(4)), r"Expected x of shape \(N, D\)"),
        (lambda: tolerance(np.ones((3, 2)), [0, 1, 2]), "two samples of a class"),
        (lambda: tolerance(np.ones((3, 2)), [0, 1]), r"Expected labels of shape \(3,\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
