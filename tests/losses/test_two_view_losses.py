"""The two-view family against double loops, and against one another."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive.losses import DIVERGENCES, decoupled, f_micl, nt_xent
from tests.gradients import value_and_gradients

Z1, Z2 = np.random.default_rng(0).normal(size=(2, 6, 5)).astype("float32")


def unit(x):
    x = np.asarray(x, "float64")
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def anchors(z1, z2):
    """Each anchor's positive cosine and its negatives', in float64."""
    z, n = unit(np.concatenate([z1, z2])), len(z1)
    for i in range(2 * n):
        others = [j for j in range(2 * n) if j % n != i % n]
        yield z[i] @ z[(i + n) % (2 * n)], np.array([z[i] @ z[j] for j in others])


def number(value):
    return float(ops.convert_to_numpy(ops.stop_gradient(ops.mean(value))))


def test_dcl_is_the_loop():
    expected = np.mean([math.log(sum(np.exp(n / 0.2))) - p / 0.2 for p, n in anchors(Z1, Z2)])
    np.testing.assert_allclose(number(losses.DCL(0.2)(Z1, Z2)), expected, rtol=1e-5)


def test_dcl_with_its_positive_back_is_nt_xent():
    lost = [
        math.log(sum(np.exp(n / 0.2)) + math.exp(p / 0.2)) - p / 0.2 for p, n in anchors(Z1, Z2)
    ]
    np.testing.assert_allclose(number(nt_xent(Z1, Z2, 0.2)), np.mean(lost), rtol=1e-5)


def test_dclw_weights_have_mean_one_and_favour_far_positives():
    cosines = np.sum(unit(Z1) * unit(Z2), axis=1)
    weights = 2 - 6 * np.exp(cosines / 0.5) / np.exp(cosines / 0.5).sum()
    plain = ops.convert_to_numpy(decoupled(Z1, Z2, 0.2))
    weighted = ops.convert_to_numpy(decoupled(Z1, Z2, 0.2, sigma=0.5))
    np.testing.assert_allclose(
        plain - weighted, (weights - 1) * cosines / 0.2, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize(("prior", "beta"), [(0.1, 0.0), (0.1, 1.0), (0.0, 2.0), (0.7, 0.5)])
def test_hcl_is_the_loop(prior, beta):
    expected = []
    for p, n in anchors(Z1, Z2):
        positive, exponentials, weights = np.exp(p / 0.5), np.exp(n / 0.5), np.exp(beta * n / 0.5)
        reweighted = (weights * exponentials).sum() / weights.mean()
        corrected = (reweighted - prior * len(n) * positive) / (1 - prior)
        total = max(corrected, len(n) * math.exp(-1 / 0.5))
        expected.append(-math.log(positive / (positive + total)))
    loss = losses.HCL(0.5, class_prior=prior, beta=beta)(Z1, Z2)
    np.testing.assert_allclose(number(loss), np.mean(expected), rtol=1e-5)


def test_hcl_without_either_is_nt_xent_with_its_gradient():
    inputs = {"z1": Z1, "z2": Z2}

    def plain(x):
        return ops.mean(nt_xent(x["z1"], x["z2"], 0.5))

    def corrected(x):
        return ops.mean(losses.debiased(x["z1"], x["z2"], 0.5, class_prior=0.0, beta=0.0))

    one, other = (value_and_gradients(f, inputs, ["z1", "z2"]) for f in (plain, corrected))
    np.testing.assert_allclose(one[0], other[0], rtol=1e-5)
    for name in inputs:
        np.testing.assert_allclose(one[1][name], other[1][name], rtol=1e-4, atol=1e-6)


F = {
    "kl": lambda u: u * np.log(u),
    "js": lambda u: u * np.log(u) - (u + 1) * np.log((u + 1) / 2),
    "pearson": lambda u: (u - 1) ** 2,
    "squared_hellinger": lambda u: (np.sqrt(u) - 1) ** 2,
    "tsallis": lambda u: u**3 / 2,
    "vincze_le_cam": lambda u: (u - 1) ** 2 / (u + 1),
}


@pytest.mark.parametrize("name", sorted(F))
def test_divergences_keep_the_identity_of_the_conjugate(name):
    u = np.linspace(0.05, 3, 40)
    slope = (F[name](u + 1e-6) - F[name](u - 1e-6)) / 2e-6
    ours = DIVERGENCES[name]
    tensor = ops.convert_to_tensor(u, dtype="float32")
    np.testing.assert_allclose(ops.convert_to_numpy(ours.derivative(tensor)), slope, atol=2e-4)
    np.testing.assert_allclose(
        ops.convert_to_numpy(ours.conjugate(tensor)), u * slope - F[name](u), atol=2e-4
    )


def test_f_micl_is_the_loop():
    expected = []
    for p, n in anchors(Z1, Z2):
        g = np.exp(-(2 - 2 * np.append(n, p)) / (2 * 0.8**2)) * 1.5
        expected.append(3 * np.mean(g[:-1]) - (np.log(g[-1]) + 1))
    ours = f_micl(Z1, Z2, DIVERGENCES["kl"], alpha=3.0, mu=1.5, sigma=0.8)
    np.testing.assert_allclose(number(ours), np.mean(expected), rtol=1e-5)


def test_macl_is_nt_xent_over_what_is_missing():
    lost = []
    aligned = np.mean([p for p, _ in anchors(Z1, Z2)])
    temperature = 0.1 * (1 + 0.5 * aligned)
    for p, n in anchors(Z1, Z2):
        share = 1 / (1 + sum(np.exp((n - p) / temperature)))
        lost.append(-math.log(share) / (1 - share))
    np.testing.assert_allclose(number(losses.MACL()(Z1, Z2)), np.mean(lost), rtol=1e-4)


def test_siglip_is_the_double_loop():
    cosines = unit(Z2) @ unit(Z1).T
    logits = cosines / 0.3 - 2.0
    signs = 2 * np.eye(6) - 1
    expected = np.log1p(np.exp(-signs * logits)).sum() / 6
    np.testing.assert_allclose(number(losses.SigLIP(0.3, -2.0)(Z1, Z2)), expected, rtol=1e-5)


TWO_VIEWS = [
    losses.NTXent,
    losses.DCL,
    losses.DCLW,
    losses.Debiased,
    losses.HCL,
    losses.MACL,
    losses.FMICL,
    losses.SigLIP,
]


@pytest.mark.parametrize("kind", TWO_VIEWS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_and_extremes_are_finite(kind, dtype):
    loss = kind(**({} if kind is losses.FMICL else {"temperature": 0.02}))
    for scale in (1e-3, 1e3):
        z1, z2 = (ops.cast(scale * z, dtype) for z in (Z1, Z2))
        assert math.isfinite(number(loss(z1, z2)))
    same = np.ones((4, 3), dtype="float32")
    _, gradients = value_and_gradients(
        lambda x: ops.mean(loss.call(x["z"], x["z"])), {"z": same}, ["z"]
    )
    assert np.isfinite(gradients["z"]).all()


@pytest.mark.parametrize("kind", TWO_VIEWS)
def test_config_rebuilds_the_loss_whatever_the_temperature(kind):
    loss = kind()
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    np.testing.assert_allclose(number(again(Z1, Z2)), number(loss(Z1, Z2)), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.DCLW(sigma=0), "positive `sigma`"),
        (lambda: losses.Debiased(class_prior=1.0), "class_prior=1.0"),
        (lambda: losses.HCL(beta=-1), "beta=-1"),
        (lambda: losses.FMICL("nope"), "'nope'"),
        (lambda: losses.FMICL(alpha=0), "alpha=0"),
        (lambda: losses.DCL(temperature=-1), "temperature=-1"),
        (lambda: losses.DCL()(Z1, Z2[:3]), "same shape"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
