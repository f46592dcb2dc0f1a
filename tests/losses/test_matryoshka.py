"""Matryoshka: the sum of a loss on the first dimensions, whichever loss it is."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from keras_contrastive import losses
from keras_contrastive.layers import IndividualTemperature, LearnedTemperature
from keras_contrastive.losses import Matryoshka
from tests.gradients import assert_gradients_agree, value_and_gradients

RNG = np.random.default_rng(0)
Q, K, H = RNG.normal(size=(3, 5, 8)).astype("float32")
LABELS = np.array([0, 1, 0, 1, 1])
SCORES = np.array([3.0, 1.0, 0.0, 5.0, 4.0], "float32")
VIEWS = np.stack([Q, K], axis=1)
CASES = {
    "two views": (losses.NTXent(), Q, K),
    "hard negatives": (losses.SimCSELoss(), (K, H), Q),
    "a queue": (losses.InfoNCE(), (K, RNG.normal(size=(8, 8)).astype("float32")), Q),
    "labels": (losses.SupCon(), LABELS, Q),
    "labels of views": (losses.SupCon(), LABELS, VIEWS),
    "scores": (losses.CoSENTLoss(), SCORES, VIEWS),
    "a scalar": (losses.VICRegLoss(), Q, K),
    "of Keras": (keras.losses.CosineSimilarity(), Q, K),
}


def cut(part, dim):
    if isinstance(part, tuple):
        return tuple(cut(each, dim) for each in part)
    return part if part.ndim == 1 else np.ascontiguousarray(part[..., :dim])


@pytest.mark.parametrize("case", CASES)
def test_it_is_the_sum_over_what_is_cut(case):
    loss, target, prediction = CASES[case]
    dims, weights = [8, 4, 2], [1.0, 0.5, 2.0]
    got = Matryoshka(loss, dims, weights).call(target, prediction)
    expected = sum(
        weight * ops.convert_to_numpy(loss.call(cut(target, dim), cut(prediction, dim)))
        for dim, weight in zip(dims, weights, strict=True)
    )
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, rtol=1e-5, atol=1e-6)


def test_value_and_gradients_are_torch_s():
    """What is cut is brought to unit length again."""
    torch = pytest.importorskip("torch")
    q, k = (torch.tensor(z.astype("float64"), requires_grad=True) for z in (Q, K))
    value = 0
    for dim in (8, 3):
        a, b = (torch.nn.functional.normalize(z[:, :dim]) for z in (q, k))
        value = value + torch.nn.functional.cross_entropy(a @ b.T / 0.2, torch.arange(5))
    value.backward()
    loss = Matryoshka(losses.SimCSELoss(0.2), [8, 3])
    got = value_and_gradients(lambda t: loss(t["k"], t["q"]), {"q": Q, "k": K}, ["q", "k"])
    expected = {"q": q.grad.numpy(), "k": k.grad.numpy()}
    assert_gradients_agree(got, (value.item(), expected))


def test_a_method_trains_the_first_dimensions_and_the_temperature():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(8)]
    loss = Matryoshka(losses.NTXent(LearnedTemperature(0.3)), [2])
    head = keras.Sequential([keras.layers.Identity()])
    method = kc.SimCLR(keras.Sequential(layers), projector=head, loss=loss)
    method.compile(keras.optimizers.SGD(1.0))
    kernel = layers[-1].kernel
    before = ops.convert_to_numpy(kernel).copy()
    scale_before = float(ops.convert_to_numpy(loss.temperature.log_scale))
    views = tuple(np.abs(z)[:, :, None, None] % 1 for z in (Q, K))  # images in 0 to 1
    method.fit(views, batch_size=5, verbose=0)
    change = np.abs(ops.convert_to_numpy(kernel) - before).max(axis=0)
    assert (change[:2] > 1e-5).all()
    np.testing.assert_array_equal(change[2:], 0)
    log_scale = loss.temperature.log_scale
    assert float(ops.convert_to_numpy(log_scale)) != scale_before


def test_config_round_trip():
    loss = Matryoshka(losses.SimCSELoss(0.3), [8, 2], [1, 0.5], name="mine")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
    assert float(again((K, H), Q)) == float(loss((K, H), Q))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "positive `dims` that differ"),
        (([4, 0],), "positive `dims`"),
        (([4, 4],), "`dims` that differ"),
        (([4, 2], [1.0]), "a weight of at least 0 for each"),
        (([4, 2], [1.0, -1.0]), "weights=\\[1.0, -1.0\\]"),
    ],
)
def test_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        Matryoshka(losses.NTXent(), *arguments)


def test_more_dimensions_than_there_are_and_losses_that_remember_are_refused():
    with pytest.raises(ValueError, match=r"at least 16 dimensions.*\(5, 8\)"):
        Matryoshka(losses.NTXent(), [16, 8])(Q, K)
    for loss in (losses.SogCLR(5), losses.InfoNCE(IndividualTemperature(5))):
        with pytest.raises(ValueError, match="which all dimensions can share"):
            Matryoshka(loss, [8])
