"""Files of half the size: what is rounded, and what is left alone."""

import zipfile

import keras
import numpy as np
import pytest

from keras_contrastive.presets import from_preset, save_to_preset
from keras_contrastive.presets.half_precision import halve


def saved(weights, folder):
    """A dense layer with these weights, and its file."""
    kernel, bias = (np.asarray(values, "float32") for values in weights)
    layer = keras.layers.Dense(kernel.shape[1])
    model = keras.Sequential([keras.Input((kernel.shape[0],)), layer])
    layer.set_weights([kernel, bias])
    model.save(folder / "model.keras")
    return folder / "model.keras"


def test_kernels_are_rounded_and_vectors_kept(tmp_path):
    path = saved(([[1.0001, -2.0]], [1e-9, 1e6]), tmp_path)
    halve(path)
    kernel, bias = keras.saving.load_model(path).get_weights()
    np.testing.assert_array_equal(kernel, np.array([[1.0001, -2.0]], "float16").astype("float32"))
    np.testing.assert_array_equal(bias, np.array([1e-9, 1e6], "float32"))


@pytest.mark.parametrize("value", [7e4, np.inf, np.nan])
def test_a_kernel_beyond_float16_is_kept(tmp_path, value):
    path = saved(([[1.0001, value]], [0, 0]), tmp_path)
    halve(path)
    kernel = keras.saving.load_model(path).get_weights()[0]
    np.testing.assert_array_equal(kernel, np.array([[1.0001, value]], "float32"))


def test_the_rest_of_the_file_is_the_same(tmp_path):
    path = saved((np.ones((300, 300)), np.zeros(300)), tmp_path)
    with zipfile.ZipFile(path) as before:
        expected = {name: before.read(name) for name in ("config.json", "metadata.json")}
    size = path.stat().st_size
    halve(path)
    with zipfile.ZipFile(path) as after:
        assert {name: after.read(name) for name in expected} == expected
    assert path.stat().st_size < size / 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.keras"]


def test_another_precision_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"float32 or float16. Received: 'int8'"):
        save_to_preset(model, tmp_path / "new", weights_dtype="int8")
    save_to_preset(model, tmp_path / "new", weights_dtype="float16")
    assert from_preset(tmp_path / "new").output_shape == (None, 2)
