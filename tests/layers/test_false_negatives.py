"""Detectors of false negatives: they find the right pairs and change no other."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive import layers, losses
from keras_contrastive.losses.contrast import other_samples
from keras_contrastive.ops import Detection

CLASSES = 4
RNG = np.random.default_rng(0)
CENTRES = np.linalg.qr(RNG.normal(size=(16, 16)))[0][:CLASSES]


def numpy(x):
    return ops.convert_to_numpy(ops.stop_gradient(x))


def labelled(num, noise=0.1, seed=0):
    """Unit vectors around their class, two views; and the classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(num) % CLASSES
    views = CENTRES[labels][None] + noise * rng.normal(size=(2, num, 16))
    views /= np.linalg.norm(views, axis=-1, keepdims=True)
    return views.astype("float32"), labels


def grid(num):
    return np.arange(num)[:, None], np.arange(num)[None, :]


def detected(detection, num):
    """The mask as a matrix, over the negatives."""
    rows, columns = grid(num)
    matrix = np.broadcast_to(numpy(detection.is_false(rows, columns)), (num, num))
    return matrix & (rows % (num // 2) != columns % (num // 2))


def precision_and_recall(found, labels):
    twice = np.concatenate([labels, labels])
    true = twice[:, None] == twice[None, :]
    rows, columns = grid(len(twice))
    true &= rows % len(labels) != columns % len(labels)
    return (found & true).sum() / max(found.sum(), 1), (found & true).sum() / true.sum()


def detect(detector, views, index=None, supports=(), training=True):
    z = np.concatenate(views)
    references = np.stack([z, np.roll(z, len(views[0]), axis=0), *supports], axis=1)
    twice = None if index is None else np.concatenate([index, index])
    return detector.detect(
        ops.convert_to_tensor(references),
        ops.convert_to_tensor(z),
        other_samples(len(views[0])),
        index=None if twice is None else ops.convert_to_tensor(twice),
        candidate_index=None if twice is None else ops.convert_to_tensor(twice),
        training=training,
    )


def test_fnc_finds_the_samples_of_the_class():
    views, labels = labelled(12)
    found = detected(detect(layers.FNC(0.5, top_k=20), views), 24)
    assert precision_and_recall(found, labels) == (1.0, 1.0)


def test_fnc_takes_the_highest_scores_only():
    views, _ = labelled(12)
    found = detected(detect(layers.FNC(0.5, top_k=2), views), 24)
    assert (found.sum(axis=1) == 2).all()
    z = np.concatenate(views).astype("float64")
    scores = np.maximum(z @ z.T, np.roll(z, 12, axis=0) @ z.T)
    rows, columns = grid(24)
    scores[rows % 12 == columns % 12] = -2
    for row in range(24):
        assert set(np.flatnonzero(found[row])) == set(np.argsort(-scores[row])[:2])


def test_a_support_view_can_tell_what_the_views_do_not():
    views, _ = labelled(8)
    weak = views.copy()
    weak[:, 0] = np.eye(16, dtype="float32")[15] @ np.linalg.qr(RNG.normal(size=(16, 16)))[0]
    support = np.concatenate([views[0], views[0]])
    without = detected(detect(layers.FNC(0.7, 20, 0), weak), 16)
    with_it = detected(detect(layers.FNC(0.7, 20, 1), weak, supports=[support]), 16)
    assert not without[0].any()
    assert with_it[0, 4]


def test_glofnd_learns_the_quantile():
    views, labels = labelled(32, noise=0.15)
    detector = layers.GloFND(32, rate=0.2, learning_rate=0.02)
    for _ in range(150):
        detection = detect(detector, views, np.arange(32))
    found = detected(detection, 64)
    assert abs(found.mean(axis=1).mean() - 0.2) < 0.05
    precision, recall = precision_and_recall(found, labels)
    assert precision > 0.9
    assert recall > 0.7


def test_glofnd_waits_for_its_start_and_keeps_still_in_evaluation():
    views, _ = labelled(8)
    waiting = layers.GloFND(8, rate=0.2, start=2)
    for expected in (False, False, True):
        detect(waiting, views, np.arange(8))
        assert (numpy(waiting.thresholds.values) < 1).any() == expected
        waiting.after_step(True)
    still = layers.GloFND(8, rate=0.2)
    detect(still, views, np.arange(8), training=False)
    assert (numpy(still.thresholds.values) == 1).all()


def test_ifnd_follows_accepted_pseudo_labels():
    views, labels = labelled(8)
    pseudo = labels.copy()
    pseudo[0] = -1  # not accepted
    detector = layers.IFND(8)
    detector.assign(pseudo)
    found = detected(detect(detector, views, np.arange(8)), 16)
    precision, _ = precision_and_recall(found, labels)
    assert precision == 1
    assert not found[[0, 8]].any()
    assert not found[:, [0, 8]].any()
    # Classes 1 to 3 of two samples: four rows with two columns each.
    assert found.sum() == 3 * 4 * 2
    assert found[1, [5, 13]].all()


def test_ifnd_of_two_clusterings_needs_one_of_them():
    views, labels = labelled(8)
    detector = layers.IFND(8, num_clusterings=2)
    detector.assign(np.stack([np.where(labels == 1, 0, -1), np.where(labels == 2, 0, -1)]))
    found = detected(detect(detector, views, np.arange(8)), 16)
    assert found[[1, 2], [5, 6]].all()
    assert not found[0].any()
    assert not found[1, 2]


def test_elimination_drops_the_pairs_and_no_other():
    views, _ = labelled(4, noise=1.0)
    rows, columns = grid(8)
    drop = (rows % 4 == 0) & (columns % 4 == 2)
    detection = Detection(lambda r, c: ops.logical_and(ops.equal(r % 4, 0), ops.equal(c % 4, 2)))
    z = np.concatenate(views).astype("float64")
    logits = z @ z.T / 0.5
    for keep, ours in ((~drop, detection), (np.ones((8, 8), bool), None)):
        keep = keep & (rows != columns)
        losses_by_hand = [
            np.log(np.exp(logits[i][keep[i]]).sum()) - logits[i, (i + 4) % 8] for i in range(8)
        ]
        expected = np.reshape(losses_by_hand, (2, 4)).mean(0)
        loss = losses.NTXent(0.5).call(*views, detection=ours)
        np.testing.assert_allclose(numpy(loss), expected, rtol=1e-5)


def test_attraction_averages_the_positives():
    views, _ = labelled(4, noise=1.0)
    detection = Detection(lambda r, c: ops.equal((r + c) % 4, 1), attract=True)
    z = np.concatenate(views).astype("float64")
    logits = z @ z.T / 0.5
    expected = []
    for i in range(8):
        others = [j for j in range(8) if j != i]
        positives = [(i + 4) % 8, *(j for j in others if j % 4 != i % 4 and (i + j) % 4 == 1)]
        expected.append(np.log(np.exp(logits[i, others]).sum()) - logits[i, positives].mean())
    loss = losses.NTXent(0.5).call(*views, detection=detection)
    np.testing.assert_allclose(numpy(loss), np.reshape(expected, (2, 4)).mean(0), rtol=1e-5)


def test_rescaling_keeps_the_sum_over_equal_negatives():
    same = np.ones((5, 3), "float32")
    detection = Detection(lambda r, c: ops.equal(c % 5, (r + 1) % 5), rescale=True)
    plain = losses.NTXent(0.5).call(same, same)
    rescaled = losses.NTXent(0.5).call(same, same, detection=detection)
    np.testing.assert_allclose(numpy(rescaled), numpy(plain), rtol=1e-5)


def test_everything_false_is_finite():
    detection = Detection(lambda r, c: ops.equal(r, r), rescale=True)
    views, _ = labelled(4)
    for kind in (losses.NTXent, losses.DCL, losses.HCL):
        assert np.isfinite(numpy(kind(0.5).call(*views, detection=detection))).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.FNC(threshold=2), "threshold=2"),
        (lambda: layers.GloFND(5, rate=0), "rate=0"),
        (lambda: layers.IFND(5, num_clusterings=0), "num_clusterings=0"),
        (lambda: layers.IFND(4).assign(np.zeros((2, 4))), "2"),
        (lambda: detect(layers.GloFND(8), labelled(8)[0]), "no indices"),
        (
            lambda: losses.DCL().call(
                *labelled(4)[0], detection=Detection(lambda r, c: ops.equal(r, c), attract=True)
            ),
            "single positive",
        ),
    ],
)
def test_nonsense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
