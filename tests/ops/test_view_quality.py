"""The nuclear norm, masks and weights by eye."""

import numpy as np
import pytest
from keras import ops

from keras_contrastive.ops.nuclear_norm import nuclear_norm
from keras_contrastive.ops.view_quality import foreground_mask, quality_weights, view_quality
from tests.gradients import value_and_gradients


def test_the_nuclear_norm_and_its_gradient():
    matrix = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    value, gradients = value_and_gradients(lambda x: nuclear_norm(x["a"]), {"a": matrix}, ["a"])
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    np.testing.assert_allclose(value, s.sum(), rtol=1e-5)
    np.testing.assert_allclose(gradients["a"], u @ vt, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("matrix", [np.zeros((3, 2)), np.ones((3, 2)), np.eye(3)], ids=str)
def test_repeated_and_missing_singular_values_are_harmless(matrix):
    matrix = matrix.astype("float32")
    value, gradients = value_and_gradients(lambda x: nuclear_norm(x["a"]), {"a": matrix}, ["a"])
    np.testing.assert_allclose(value, np.linalg.norm(matrix, "nuc"), rtol=1e-5)
    np.testing.assert_allclose(np.sum(gradients["a"] * matrix), value, rtol=1e-5)
    assert np.linalg.norm(gradients["a"], 2) < 1.0001


def test_a_stack_of_matrices():
    stack = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    expected = [np.linalg.norm(matrix, "nuc") for matrix in stack]
    np.testing.assert_allclose(ops.convert_to_numpy(nuclear_norm(stack)), expected, rtol=1e-5)


def test_masks_lie_between_0_and_1_image_by_image():
    maps = np.array([[[1.0], [2.0], [3.0]], [[10.0], [10.0], [30.0]]], "float32")
    masks = ops.convert_to_numpy(foreground_mask(maps, np.array([1.0])))
    np.testing.assert_allclose(masks, [[0, 0.5, 1], [0, 0, 1]], atol=1e-6)
    turned = ops.convert_to_numpy(foreground_mask(maps, np.array([-1.0])))
    np.testing.assert_allclose(turned, [[1, 0.5, 0], [1, 1, 0]], atol=1e-6)


def test_the_same_foreground_elsewhere_is_best_and_the_same_place_without_it_worst():
    dog, grass, sea = np.eye(3, dtype="float32")
    mask = np.array([[1.0, 0.0]], "float32")

    def quality(*views):
        return float(view_quality(*(np.stack(view)[None] for view in views), mask, mask)[0])

    assert quality((dog, grass), (dog, sea)) == pytest.approx(1.0)
    assert quality((dog, grass), (dog, grass)) == pytest.approx(0.0)
    assert quality((dog, grass), (sea, grass)) == pytest.approx(-1.0)


def test_weights_are_a_softmax_of_mean_1_without_gradient():
    quality = np.array([0.0, np.log(3)], "float32")
    weights = ops.convert_to_numpy(quality_weights(quality))
    np.testing.assert_allclose(weights, [0.5, 1.5], rtol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(quality_weights(quality, gamma=0.0)), 1.0)
    _, gradients = value_and_gradients(
        lambda x: ops.sum(ops.square(quality_weights(x["q"]))) + 0.0 * ops.sum(x["q"]),
        {"q": quality},
        ["q"],
    )
    assert (gradients["q"] == 0).all()
