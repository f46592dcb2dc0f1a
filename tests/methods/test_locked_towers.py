"""A locked tower learns nothing, and is locked in its file too."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_contrastive as kc
from tests.methods.parts import clip, compiled, data, tiny_text_encoder


def array(tensor):
    return np.array(ops.convert_to_numpy(ops.stop_gradient(tensor)))


def locked_tower():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(8), kc.layers.batch_norm()]
    return keras.Sequential(
        [keras.Input((4, 4, 3)), *layers, keras.layers.Dropout(0.5), keras.layers.Dense(6)]
    )


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_locked_tower_does_not_move(when):
    encoder = locked_tower()
    encoder.trainable = when == "after"
    method = kc.CLIP(encoder, tiny_text_encoder())
    encoder.trainable = False
    compiled(method, keras.optimizers.Adam(0.1), run_eagerly=True)
    others = method.text_encoder.trainable_weights
    start = [[array(v) for v in variables] for variables in (encoder.weights, others)]
    pixels, texts = data(clip(), 16)[0]
    features = encoder.predict(pixels, verbose=0)
    seen = method.objective((ops.convert_to_tensor(pixels), ops.convert_to_tensor(texts)))
    # Neither dropout nor batch statistics.
    np.testing.assert_allclose(array(seen["features"]), features, rtol=1e-5, atol=1e-6)
    method.fit((pixels, texts), batch_size=8, epochs=2, verbose=0)
    for variable, value in zip(encoder.weights, start[0], strict=True):
        np.testing.assert_array_equal(array(variable), value, err_msg=variable.path)
    moved = zip(others, start[1], strict=True)
    assert max(np.abs(array(v) - value).max() for v, value in moved) > 1e-3


def transformer_tower():
    return kc.encoders.vit(input_shape=(4, 4, 3), patch_size=2, dim=8, depth=1, num_heads=2)


@pytest.mark.parametrize("make", [locked_tower, transformer_tower])
def test_a_locked_tower_stays_locked_in_a_file(make, tmp_path):
    encoder = make()
    encoder.trainable = False
    method = kc.CLIP(encoder, tiny_text_encoder())
    method.save(tmp_path / "method.keras")
    loaded = keras.saving.load_model(tmp_path / "method.keras")
    assert len(loaded.trainable_variables) == len(method.trainable_variables)
    assert not any(v.trainable for v in loaded.encoder.weights)
