"""Barlow Twins, VICReg and MMCR against loops in float64 and cases whose answer is seen by eye."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive.losses import BarlowTwinsLoss, MMCRLoss, VICRegLoss
from tests.gradients import value_and_gradients

# Two independent dimensions of variance 1, mean 0.
INDEPENDENT = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]], "float32")
SCALARS = [BarlowTwinsLoss(), VICRegLoss(), MMCRLoss(0.1)]


def embeddings(num, dim=6, seed=0):
    return np.random.default_rng(seed).normal(size=(num, dim)).astype("float32")


def barlow_twins_by_hand(z1, z2, weight):
    n, d = z1.shape
    total = 0.0
    for i in range(d):
        for j in range(d):
            a, b = z1[:, i].astype("float64"), z2[:, j].astype("float64")
            a, b = a - a.mean(), b - b.mean()
            c = (a @ b) / n / np.sqrt((a @ a / n + 1e-5) * (b @ b / n + 1e-5))
            total += (1 - c) ** 2 if i == j else weight * c**2
    return total


def vicreg_by_hand(z1, z2, weights=(25.0, 25.0, 1.0)):
    z1, z2 = z1.astype("float64"), z2.astype("float64")
    d = z1.shape[1]
    variance, covariance = 0.0, 0.0
    for z in (z1, z2):
        cov = np.cov(z.T, ddof=1)
        variance += np.maximum(0, 1 - np.sqrt(np.diag(cov) + 1e-4)).mean() / 2
        covariance += sum(cov[i, j] ** 2 for i in range(d) for j in range(d) if i != j) / d
    terms = ((z1 - z2) ** 2).mean(), variance, covariance
    return sum(weight * term for weight, term in zip(weights, terms, strict=True))


def mmcr_by_hand(z, weight):
    z = z.astype("float64") / np.linalg.norm(z, axis=-1, keepdims=True)
    inner = np.mean([np.linalg.norm(each, "nuc") for each in z])
    return weight * inner - np.linalg.norm(z.mean(axis=1), "nuc")


@pytest.mark.parametrize(("num", "dim"), [(2, 3), (8, 5), (5, 8)])
def test_the_losses_are_their_formulas(num, dim):
    z1, z2 = embeddings(num, dim, 1), embeddings(num, dim, 2)
    stacked = np.stack([z1, z2], axis=1)
    expected = barlow_twins_by_hand(z1, z2, 0.3)
    np.testing.assert_allclose(float(BarlowTwinsLoss(0.3)(z1, z2)), expected, rtol=2e-5)
    np.testing.assert_allclose(float(VICRegLoss()(z1, z2)), vicreg_by_hand(z1, z2), rtol=2e-5)
    weights = (1.0, 2.0, 3.0)
    expected = vicreg_by_hand(z1, z2, weights)
    np.testing.assert_allclose(float(VICRegLoss(*weights)(z1, z2)), expected, rtol=2e-5)
    np.testing.assert_allclose(float(MMCRLoss(0.1)(z1, z2)), mmcr_by_hand(stacked, 0.1), rtol=2e-5)


def test_agreeing_independent_dimensions_are_perfect():
    assert abs(float(BarlowTwinsLoss()(INDEPENDENT, INDEPENDENT))) < 1e-4
    assert abs(float(VICRegLoss()(INDEPENDENT, INDEPENDENT))) < 1e-4


def test_the_terms_of_vicreg_by_eye():
    z = INDEPENDENT
    assert float(losses.vicreg_invariance(z, z + 2.0)) == pytest.approx(4.0)
    assert float(losses.vicreg_variance(np.zeros((4, 2)))) == pytest.approx(0.99)
    assert float(losses.vicreg_variance(10 * z)) == 0.0
    assert float(losses.vicreg_covariance(z)) == pytest.approx(0.0, abs=1e-6)
    same = np.repeat(z[:, :1], 2, axis=1)  # Cov_12 = 4 / 3, twice, over D = 2
    assert float(losses.vicreg_covariance(same)) == pytest.approx(16 / 9)


def test_repeated_dimensions_are_redundant():
    same = np.repeat(INDEPENDENT[:, :1], 3, axis=1)
    invariance, redundancy = losses.barlow_twins_terms(same, same)
    assert float(invariance) == pytest.approx(0.0, abs=1e-6)
    assert float(redundancy) == pytest.approx(6.0, rel=1e-4)
    assert float(BarlowTwinsLoss(redundancy_weight=0.0)(same, same)) < 1e-6


def test_scale_and_offset_of_a_dimension_do_not_matter_to_barlow_twins():
    z1, z2 = embeddings(16, seed=1), embeddings(16, seed=2)
    moved = 30 * z1 + np.arange(6, dtype="float32")
    expected = float(BarlowTwinsLoss()(z1, z2))
    np.testing.assert_allclose(float(BarlowTwinsLoss()(moved, z2)), expected, rtol=1e-3)


def test_mmcr_is_lowest_for_orthogonal_images_whose_views_agree():
    orthogonal = np.eye(4, dtype="float32")
    assert float(MMCRLoss()(orthogonal, orthogonal)) == pytest.approx(-4.0, rel=1e-5)
    assert float(MMCRLoss()(orthogonal, -orthogonal)) == pytest.approx(0.0, abs=1e-5)
    same = np.ones((4, 4), "float32")  # all images alike: one singular value of sqrt(4)
    assert float(MMCRLoss()(same, same)) == pytest.approx(-2.0, rel=1e-5)


def test_more_views_are_stacked():
    z = np.random.default_rng(0).normal(size=(5, 6, 4)).astype("float32")
    whole = float(MMCRLoss(0.1)(z[:, :2], z[:, 2:]))
    np.testing.assert_allclose(whole, mmcr_by_hand(z, 0.1), rtol=2e-5)


@pytest.mark.parametrize("loss", SCALARS, ids=lambda loss: loss.name)
def test_gradients_reach_both_views(loss):
    z = {"z1": embeddings(8, seed=1), "z2": embeddings(8, seed=2)}
    _, gradients = value_and_gradients(lambda x: loss(x["z1"], x["z2"]), z, ["z1", "z2"])
    assert all((np.abs(gradient).sum(axis=1) > 1e-5).all() for gradient in gradients.values())


@pytest.mark.parametrize("loss", SCALARS, ids=lambda loss: loss.name)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_collapsed_embeddings_give_finite_gradients(loss, value):
    z = {"z1": np.full((4, 3), value, "float32"), "z2": np.full((4, 3), value, "float32")}
    result, gradients = value_and_gradients(lambda x: loss(x["z1"], x["z2"]), z, ["z1", "z2"])
    assert np.isfinite(result)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())


@pytest.mark.parametrize("loss", SCALARS, ids=lambda loss: loss.name)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_inputs_are_computed_in_float32(loss, dtype):
    z1, z2 = (ops.cast(embeddings(300, 4, seed=s) * 90, dtype) for s in (1, 2))
    value = loss(z1, z2)
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    exact = loss(ops.cast(z1, "float32"), ops.cast(z2, "float32"))
    np.testing.assert_allclose(float(value), float(exact), rtol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [BarlowTwinsLoss(0.1, name="a"), VICRegLoss(1.0, 2.0, 3.0), MMCRLoss(0.2, reduction="sum")],
    ids=lambda loss: loss.name,
)
def test_config_round_trip(loss):
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BarlowTwinsLoss(-1.0), "`redundancy_weight` of at least 0"),
        (lambda: VICRegLoss(variance_weight=float("nan")), "`variance_weight`.*nan"),
        (lambda: MMCRLoss(-0.1), "`compression_weight`"),
        (lambda: BarlowTwinsLoss()(INDEPENDENT, INDEPENDENT[:2]), r"\(4, 2\) and \(2, 2\)"),
        (lambda: VICRegLoss()(INDEPENDENT[None], INDEPENDENT[None]), r"same shape \(N, D\)"),
        (lambda: MMCRLoss()(INDEPENDENT, INDEPENDENT[:, None]), "both"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
