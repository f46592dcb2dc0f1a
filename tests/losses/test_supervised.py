"""SupCon, SINCERE and the margin variant against loops, and their limits."""

import math

import numpy as np
import pytest
from keras import ops

from keras_contrastive import losses
from keras_contrastive.losses import nt_xent, sincere, supcon

LABELS = np.array([0, 1, 0, 2, 1, 0])
Z = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
VIEWS = np.random.default_rng(1).normal(size=(4, 3, 5)).astype("float32")


def unit(x):
    x = np.asarray(x, "float64")
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def by_hand(labels, z, temperature, epsilon=None):
    """SupCon, or with `epsilon` the others, anchor by anchor."""
    logits = unit(z) @ unit(z).T / temperature
    result = []
    for i in range(len(z)):
        positives = [j for j in range(len(z)) if j != i and labels[j] == labels[i]]
        others = [j for j in range(len(z)) if labels[j] != labels[i]]
        terms = []
        for p in positives:
            if epsilon is None:
                total = sum(math.exp(logits[i, k]) for k in range(len(z)) if k != i)
            else:
                total = math.exp(logits[i, p] - epsilon)
                total += sum(math.exp(logits[i, n]) for n in others)
            terms.append(math.log(total) - logits[i, p])
        result.append(np.mean(terms) if terms else 0.0)
    return np.array(result)


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


def test_each_is_its_loop():
    np.testing.assert_allclose(
        numpy(supcon(LABELS, Z, 0.2)), by_hand(LABELS, Z, 0.2), rtol=1e-4, atol=1e-6
    )
    for epsilon in (0.0, 0.25):
        np.testing.assert_allclose(
            numpy(sincere(LABELS, Z, 0.2, epsilon)),
            by_hand(LABELS, Z, 0.2, epsilon),
            rtol=1e-4,
            atol=1e-5,
        )


@pytest.mark.parametrize("kind", [losses.SupCon, losses.SINCERE, losses.EpsilonSupInfoNCE])
def test_views_are_samples_of_the_same_label(kind):
    labels = np.array([0, 1, 0, 2])
    rows = VIEWS.transpose(1, 0, 2).reshape(-1, 5)
    flat = numpy(kind(0.3).of_rows(np.tile(labels, 3), rows, 0.3)).reshape(3, 4).mean(0)
    np.testing.assert_allclose(numpy(kind(0.3).call(labels, VIEWS)), flat, rtol=1e-5, atol=1e-6)


def test_unique_labels_are_self_supervision():
    labels = np.arange(4)
    expected = numpy(nt_xent(VIEWS[:, 0], VIEWS[:, 1], 0.3))
    for kind in (losses.SupCon, losses.SINCERE):
        np.testing.assert_allclose(numpy(kind(0.3).call(labels, VIEWS[:, :2])), expected, rtol=1e-4)


def test_sincere_is_never_above_supcon():
    assert (numpy(sincere(LABELS, Z, 0.2)) <= numpy(supcon(LABELS, Z, 0.2)) + 1e-5).all()


def test_a_sample_alone_in_its_class_adds_nothing():
    for loss in (losses.SupCon(), losses.SINCERE(), losses.EpsilonSupInfoNCE()):
        values = numpy(loss.call(LABELS, Z))
        assert values[3] == 0
        assert np.isfinite(values).all()


def test_the_base_temperature_is_a_factor():
    plain, scaled = losses.SupCon(0.2), losses.SupCon(0.2, base_temperature=0.1)
    np.testing.assert_allclose(2 * numpy(plain(LABELS, Z)), numpy(scaled(LABELS, Z)), rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "embeddings"), [(LABELS[:3], Z), (np.zeros((6, 2)), Z), (LABELS, Z[0])]
)
def test_shapes_that_do_not_fit_are_refused(labels, embeddings):
    with pytest.raises(ValueError, match=r"\(N, views, D\)"):
        losses.SupCon()(labels, embeddings)


def test_other_nonsense_is_refused():
    with pytest.raises(ValueError, match="epsilon=-1"):
        losses.EpsilonSupInfoNCE(epsilon=-1)
