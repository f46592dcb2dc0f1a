"""Weights from a frozen network, alone and in a method."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.gradients import value_and_gradients
from tests.methods.parts import compiled, images, moco, simclr, vicreg


def cells(channels=3):
    """A network whose features are the mean colours of four cells of an image."""
    return keras.Sequential([keras.Input((4, 4, channels)), keras.layers.AveragePooling2D(2)])


def convolution():
    return keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Conv2D(5, 2), kc.layers.batch_norm()]
    )


def test_adapt_finds_the_first_component_with_the_middle_in_front():
    pixels = 0.5 + 0.01 * np.random.default_rng(0).normal(size=(20, 4, 4, 3))
    pixels[:, 1:3, 1:3, 1] += 0.4  # something green in the middle
    layer = kc.layers.ViewQuality(
        keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Identity()])
    )
    layer.adapt(pixels.astype("float32"), batch_size=8)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.direction), [0, 1, 0], atol=0.05)
    layer.adapt(1 - pixels.astype("float32"))
    np.testing.assert_allclose(ops.convert_to_numpy(layer.direction), [0, -1, 0], atol=0.05)


def test_weights_prefer_the_same_object_on_another_background():
    view = np.zeros((2, 4, 4, 3), "float32")
    view[:, :2, :2, 0] = 1.0  # the object is red, in the first cell
    view[:, 2:, :, 1] = 0.5
    other = view.copy()
    other[1, :, :, 1], other[1, :, 2:, 2] = 0.0, 0.5  # the second has a new background
    layer = kc.layers.ViewQuality(cells())
    layer.direction.assign([1.0, 0.0, 0.0])
    weights = ops.convert_to_numpy(layer((view, other)))
    assert weights[1] > 1 > weights[0]
    np.testing.assert_allclose(weights.mean(), 1.0, rtol=1e-5)


def test_it_stays_frozen():
    layer = kc.layers.ViewQuality(convolution())
    layer.trainable = True
    assert layer.trainable_variables == []
    method = compiled(simclr(weighting=layer))
    method.trainable = True
    before = [ops.convert_to_numpy(v).copy() for v in layer.network.variables]
    x, _ = images(16)
    layer.adapt(x)
    method.fit(x, batch_size=8, verbose=0)
    for old, variable in zip(before, layer.network.variables, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(variable))


def test_no_gradient_comes_from_the_weights():
    layer = kc.layers.ViewQuality(convolution())
    x, _ = images(4)
    layer.adapt(x)
    _, gradients = value_and_gradients(
        lambda t: (
            ops.sum(ops.square(layer((t["x"], ops.flip(t["x"], axis=1))))) + 0.0 * ops.sum(t["x"])
        ),
        {"x": x},
        ["x"],
    )
    assert (gradients["x"] == 0).all()


class Fixed(keras.layers.Layer):
    """Weights of which only the first is not zero."""

    def call(self, views):
        first = ops.arange(ops.shape(views[0])[0]) == 0
        return 8.0 * ops.cast(first, "float32")


@pytest.mark.parametrize("make", [simclr, moco])
def test_a_method_multiplies_them_to_its_loss(make):
    x, _ = images(8)
    views = x, x[:, ::-1].copy()
    each = ops.convert_to_numpy(
        ops.stop_gradient(make().objective(tuple(map(ops.convert_to_tensor, views)))["loss"])
    )
    options = {"batch_size": 8, "shuffle": False, "verbose": 0}
    weighted = compiled(make(weighting=Fixed())).fit(views, **options).history["loss"][0]
    np.testing.assert_allclose(weighted, each[0], rtol=1e-4)
    by_data = np.array([0.5] + [0.0] * 7)
    both = compiled(make(weighting=Fixed())).fit(views, sample_weight=by_data, **options)
    np.testing.assert_allclose(both.history["loss"][0], 0.5 * each[0], rtol=1e-4)


def test_an_objective_of_the_whole_batch_has_nothing_to_weigh():
    with pytest.raises(ValueError, match="statistic of the whole batch"):
        compiled(vicreg(weighting=Fixed())).fit(images(8)[0], batch_size=8, verbose=0)


def test_it_is_saved_with_the_method(tmp_path):
    layer = kc.layers.ViewQuality(convolution(), gamma=2.0)
    x, _ = images(8)
    layer.adapt(x)
    method = compiled(simclr(weighting=layer))
    method.save(tmp_path / "method.keras")
    again = keras.saving.load_model(tmp_path / "method.keras").weighting
    assert again.gamma == 2.0
    views = x, x[:, ::-1].copy()
    np.testing.assert_allclose(
        ops.convert_to_numpy(again(views)), ops.convert_to_numpy(layer(views)), rtol=1e-5
    )


def test_a_network_without_maps_is_refused():
    vectors = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"feature maps.*\(None, 2\)"):
        kc.layers.ViewQuality(vectors)
