import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_contrastive.encoders import as_encoder, small_resnet


def numpy(x):
    return ops.convert_to_numpy(x)


def images(n=2, size=8):
    return np.random.default_rng(0).random((n, size, size, 3), "float32")


def backbone(outputs=lambda x: x, cls=keras.Model):
    """A small network with feature maps, whose outputs can have a structure."""
    inputs = keras.Input((8, 8, 3))
    return cls(inputs, outputs(keras.layers.Conv2D(5, 3, name="conv")(inputs)), name="net")


@keras.saving.register_keras_serializable(package="tests")
class Backbone(keras.Model):
    """As keras-hub's: a subclass that is functional, with a dict of inputs and of outputs."""

    def __init__(self, vocabulary=11, **kwargs):
        ids = keras.Input((None,), dtype="int32", name="token_ids")
        mask = keras.Input((None,), dtype="int32", name="padding_mask")
        x = keras.layers.Embedding(vocabulary, 6, name="embedding")(ids)
        x = keras.layers.Dense(6, name="dense")(x)
        pooled = x[:, 0]
        super().__init__(
            inputs={"token_ids": ids, "padding_mask": mask},
            outputs={"sequence_output": x, "pooled_output": pooled},
            **kwargs,
        )
        self.vocabulary = vocabulary

    def get_config(self):
        return {"vocabulary": self.vocabulary, "name": self.name}


def test_vectors_are_returned_as_they_are():
    encoder = small_resnet(widths=(4,))
    assert as_encoder(encoder) is encoder


def test_maps_are_averaged():
    model = backbone()
    encoder = as_encoder(model)
    assert encoder.output_shape == (None, 5)
    np.testing.assert_allclose(
        numpy(encoder(images())), numpy(model(images())).mean((1, 2)), rtol=1e-5, atol=1e-6
    )
    assert encoder.get_layer("conv") is model.get_layer("conv")  # shares the weights
    assert as_encoder(encoder) is encoder


def test_channels_first_maps_are_averaged_over_their_positions():
    inputs = keras.Input((3, 8, 8))
    model = keras.Model(inputs, keras.layers.MaxPooling2D(2, data_format="channels_first")(inputs))
    assert as_encoder(model).output_shape == (None, 3)


def test_sequences_are_averaged():
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, keras.layers.Dense(4)(inputs))
    x = np.random.default_rng(0).random((2, 7, 3), "float32")
    np.testing.assert_allclose(
        numpy(as_encoder(model)(x)), numpy(model(x)).mean(1), rtol=1e-5, atol=1e-6
    )


def test_sequences_are_averaged_under_their_mask():
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, keras.layers.Embedding(9, 4, mask_zero=True)(inputs))
    encoder = as_encoder(model)
    short, padded = np.array([[3, 5]], "int32"), np.array([[3, 5, 0, 0, 0]], "int32")
    np.testing.assert_allclose(numpy(encoder(short)), numpy(encoder(padded)), rtol=1e-6)


def test_features_are_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder = as_encoder(backbone())
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(encoder(images()).dtype) == "float32"


def test_sequential():
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3)])
    encoder = as_encoder(model)
    assert encoder.output_shape == (None, 5)
    np.testing.assert_allclose(
        numpy(encoder(images())), numpy(model(images())).mean((1, 2)), rtol=1e-5, atol=1e-6
    )


def test_keras_applications():
    model = keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), include_top=False, weights=None, alpha=0.35
    )
    encoder = as_encoder(model)
    assert encoder.output_shape == (None, 1280)
    assert len(encoder.layers) == len(model.layers) + 1


def test_a_functional_subclass_with_dicts():
    model = Backbone(name="bert")
    inputs = {
        "token_ids": np.array([[1, 2, 3], [4, 5, 6]], "int32"),
        "padding_mask": np.ones((2, 3), "int32"),
    }
    both = model(inputs)
    pooled = as_encoder(model, output="pooled_output")
    np.testing.assert_array_equal(numpy(pooled(inputs)), numpy(both["pooled_output"]))
    sequence = as_encoder(model, output="sequence_output")
    np.testing.assert_allclose(
        numpy(sequence(inputs)), numpy(both["sequence_output"]).mean(1), rtol=1e-5, atol=1e-6
    )


def test_a_list_of_outputs_by_position_or_name():
    model = backbone(lambda x: [x, keras.layers.Flatten(name="flat")(x)])
    assert as_encoder(model, output=0).output_shape == (None, 5)
    assert as_encoder(model, output=1).output_shape == (None, 180)
    assert as_encoder(model, output="flat").output_shape == (None, 180)


def test_keras_hub():
    hub = pytest.importorskip("keras_hub", reason="keras-hub is not installed")
    model = hub.models.BertBackbone(
        vocabulary_size=20, num_layers=1, num_heads=2, hidden_dim=4, intermediate_dim=8
    )
    assert as_encoder(model, output="sequence_output").output_shape == (None, 4)


def test_several_outputs_need_a_name():
    with pytest.raises(ValueError, match=r"\['a', 'b'\]. Received: output=None"):
        as_encoder(backbone(lambda x: {"a": x, "b": x}))
    with pytest.raises(ValueError, match=r"\['a', 'b'\]. Received: output='c'"):
        as_encoder(backbone(lambda x: {"a": x, "b": x}), output="c")
    with pytest.raises(ValueError, match=r"outputs of 'net'.* Received: output=2"):
        as_encoder(backbone(lambda x: [x, x]), output=2)


def test_one_output_needs_none():
    with pytest.raises(ValueError, match=r"Expected output=None.* Received: output='a'"):
        as_encoder(backbone(), output="a")


class Subclassed(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize(
    "model",
    [
        keras.Sequential(),
        keras.Sequential([keras.layers.Dense(2)]),
        Subclassed(),
    ],
)
def test_models_without_symbolic_inputs_are_refused(model):
    with pytest.raises(ValueError, match=r"keras.Model\(inputs, model\(inputs\)\)"):
        as_encoder(model)


def test_a_subclassed_model_works_as_the_error_says():
    inputs = keras.Input((3,))
    assert as_encoder(keras.Model(inputs, Subclassed()(inputs))).output_shape == (None, 3)


def test_other_things_are_refused():
    with pytest.raises(ValueError, match=r"Expected a keras.Model. Received: Dense"):
        as_encoder(keras.layers.Dense(2))
    inputs = keras.Input((2, 3, 4, 5))
    with pytest.raises(ValueError, match=r"Received: shape \(None, 2, 3, 4, 5\)"):
        as_encoder(keras.Model(inputs, keras.layers.ReLU()(inputs)))


PLAIN = """
import sys
import keras
import numpy as np

images = np.load("images.npy")
for name in ("own", "wrapped"):
    model = keras.saving.load_model(f"{name}.keras")
    features = keras.ops.convert_to_numpy(model(images))
    np.testing.assert_allclose(features, np.load(f"{name}.npy"), rtol=1e-4, atol=1e-5)
assert not [name for name in sys.modules if name.startswith("keras_contrastive")]
"""


def test_saved_files_open_in_plain_keras(tmp_path):
    """In another process, which never imports this package."""
    x = images()
    np.save(tmp_path / "images.npy", x)
    own = small_resnet(input_shape=(8, 8, 3), widths=(4, 8), zero_init_residual=False)
    for name, model in (("own", own), ("wrapped", as_encoder(backbone()))):
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", numpy(model(x)))
    result = subprocess.run(
        [sys.executable, "-c", PLAIN],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
