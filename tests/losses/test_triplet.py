"""The triplet loss against loops over all triplets, and each way to mine by eye."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.losses import Triplet, all_triplets, mined_triplet, triplet
from keras_contrastive.losses.triplet import MINERS
from tests.gradients import value_and_gradients

LABELS = np.array([0, 0, 0, 1, 1, 2])  # the last has no positive
Z = np.random.default_rng(3).normal(size=(6, 3)).astype("float32")


def distance(a, b):
    return float(np.linalg.norm(a.astype("float64") - b))


def unit(z):
    return z / np.linalg.norm(z, axis=-1, keepdims=True)


def by_hand(labels, z, margin, mining, swap=False, soft=False, over_all=False):
    """(Mean loss, number of mined triplets), by three loops."""
    z = unit(z.astype("float64"))
    d = np.array([[distance(a, b) for b in z] for a in z])
    rows = range(len(z))
    valid = [
        (a, p, n)
        for a, p, n in itertools.product(rows, rows, rows)
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]
    ]
    if mining == "batch-hard":
        mined = []
        for anchor in rows:
            own = [t for t in valid if t[0] == anchor]
            if own:
                p = max((t[1] for t in own), key=lambda p: d[anchor, p])
                mined.append((anchor, p, min((t[2] for t in own), key=lambda n: d[anchor, n])))
    elif mining == "nearest-semi-hard":
        mined = []
        for pair in dict.fromkeys(t[:2] for t in valid):
            far = [(d[pair[0], t[2]], t) for t in valid if t[:2] == pair]
            farther = [x for x in far if x[0] > d[pair]]
            mined.append(min(farther)[1] if farther else max(far)[1])
    else:
        gap = {t: d[t[0], t[2]] - d[t[0], t[1]] for t in valid}
        rule = {
            "all": lambda g: True,
            "hard": lambda g: g <= 0,
            "semi-hard": lambda g: 0 < g <= margin,
        }[mining]
        mined = [t for t in valid if rule(gap[t])]
    losses = []
    for a, p, n in mined:
        to_negative = min(d[a, n], d[p, n]) if swap else d[a, n]
        violation = d[a, p] - to_negative + margin
        losses.append(np.log1p(np.exp(violation)) if soft else max(violation, 0.0))
    counted = losses if over_all else [loss for loss in losses if loss > 0]
    return (np.mean(counted) if counted else 0.0), len(mined)


@pytest.mark.parametrize("mining", MINERS)
@pytest.mark.parametrize(
    "options", [{}, {"swap": True}, {"soft": True}, {"over_all": True}], ids=str
)
def test_the_loss_is_the_mean_over_the_mined_triplets(mining, options):
    loss = Triplet(0.3, mining, **options)
    expected, number = by_hand(LABELS, Z, 0.3, mining, **options)
    assert number > 0
    np.testing.assert_allclose(float(loss(LABELS, Z)), expected, rtol=1e-4)


def test_a_pair_without_a_farther_negative_takes_the_farthest():
    labels = np.array([0, 0, 1, 2])
    angles = np.array([0.0, 2.0, 0.5, 1.0])  # both negatives lie between the pair
    z = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype("float32")
    chosen = [2 * np.sin(1.0) - 2 * np.sin(gap / 2) + 0.3 for gap in (1.0, 1.5)]
    value = float(Triplet(0.3, "nearest-semi-hard")(labels, z))
    assert value == pytest.approx(np.mean(chosen), rel=1e-4)


def test_a_negative_as_far_as_the_positive_is_not_farther():
    labels = np.array([0, 0, 1, 2])  # the first negative lies where the second sample does
    z = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [-1.0, 0.0]], "float32")
    d, margin = np.sqrt(2.0), 0.7
    mined = [d - 2 + margin, d - d + margin]  # both have the second negative
    value = float(Triplet(margin, "nearest-semi-hard")(labels, z))
    assert value == pytest.approx(np.mean(mined), rel=1e-3)


def test_options_matter():
    values = {
        str(o): by_hand(LABELS, Z, 0.3, "all", **o)[0]
        for o in ({}, {"swap": True}, {"soft": True}, {"over_all": True})
    }
    assert len(set(values.values())) == 4


def test_a_function_mines_too():
    def first_anchor(distances, positive, negative, margin):
        mined = all_triplets(distances, positive, negative, margin)
        first = ops.arange(ops.shape(distances)[0])[:, None, None] == 0
        return mined._replace(keep=ops.logical_and(mined.keep, first))

    each = ops.convert_to_numpy(Triplet(mining=first_anchor, reduction=None)(LABELS, Z))
    assert each[0] > 0
    assert (each[1:] == 0).all()


def test_a_value_of_a_sample_is_its_share():
    each = ops.convert_to_numpy(mined_triplet(LABELS, Z, margin=0.3))
    assert each.shape == (6,)
    assert each[5] == 0  # has no positive
    np.testing.assert_allclose(each.mean(), by_hand(LABELS, Z, 0.3, "all")[0], rtol=1e-4)


def test_views_are_rows_of_their_sample():
    views = np.random.default_rng(0).normal(size=(4, 3, 5)).astype("float32")
    labels = np.array([0, 0, 1, 2])
    rows, repeated = views.reshape(12, 5), np.repeat(labels, 3)
    for mining in ("all", "nearest-semi-hard", "batch-hard"):
        expected, _ = by_hand(repeated, rows, 0.2, mining)
        np.testing.assert_allclose(
            float(Triplet(mining=mining)(labels, views)), expected, rtol=1e-4
        )
    each = ops.convert_to_numpy(mined_triplet(labels, views, over_all=True))
    alone = ops.convert_to_numpy(mined_triplet(repeated, rows, over_all=True))
    np.testing.assert_allclose(each, alone.reshape(4, 3).mean(axis=1), rtol=1e-4)


def test_ready_triplets_by_eye():
    a, p, n = np.zeros((1, 2), "float32"), np.array([[3.0, 4.0]]), np.array([[6.0, 8.0]])
    assert float(triplet(a, p, n, margin=6.0)[0]) == pytest.approx(1.0)
    assert float(triplet(a, p, n, margin=1.0)[0]) == 0.0
    nearer = np.array([[3.0, 6.0]])  # at 2 from the positive, at 6.7 from the anchor
    assert float(triplet(a, p, nearer, margin=1.0, swap=True)[0]) == pytest.approx(4.0)
    assert float(triplet(a, p, n, margin=5.0, soft=True)[0]) == pytest.approx(np.log(2))


def test_separated_classes_cost_nothing():
    z = np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]], "float32")
    assert float(Triplet(0.5, "all")(np.array([0, 0, 1, 1]), z)) == 0.0
    assert float(Triplet(0.5, "hard")(np.array([0, 1, 0, 1]), z)) == pytest.approx(1.5)


@pytest.mark.parametrize("mining", MINERS)
@pytest.mark.parametrize("labels", [np.zeros(4, int), np.arange(4), np.array([0, 0, 1, 1])])
def test_no_triplets_and_equal_embeddings_give_finite_gradients(mining, labels):
    value, gradients = value_and_gradients(
        lambda x: Triplet(mining=mining)(labels, x["z"]), {"z": np.ones((4, 3), "float32")}, ["z"]
    )
    assert np.isfinite(value)
    assert np.isfinite(gradients["z"]).all()
    if len(set(labels)) != 2:
        assert value == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_inputs_are_computed_in_float32(dtype):
    z = ops.cast(Z * 500, dtype)
    loss = Triplet(mining="all")(LABELS, z)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    np.testing.assert_allclose(
        float(loss), float(Triplet(mining="all")(LABELS, ops.cast(z, "float32"))), rtol=1e-5
    )


@pytest.mark.parametrize("mining", ["nearest-semi-hard", all_triplets], ids=["name", "function"])
def test_config_round_trip(mining):
    loss = Triplet(0.4, mining, swap=True, soft=True, over_all=True, name="a")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    assert again.mining == mining


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"`margin` of at least 0.*margin=-1"):
        Triplet(-1)
    with pytest.raises(ValueError, match=r"'batch-hard', or a function.*'hardest'"):
        Triplet(mining="hardest")
    with pytest.raises(ValueError, match=r"integer labels \(N,\).*\(5,\) and \(6, 3\)"):
        Triplet()(LABELS[:5], Z)
    with pytest.raises(ValueError, match=r"integer labels \(N,\)"):
        Triplet()(LABELS, Z[None, None])
