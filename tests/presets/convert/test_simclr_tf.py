"""SimCLR's TensorFlow checkpoints have the features of a network of TensorFlow's operations."""

import re

import keras
import numpy as np
import pytest
from rich.console import Console

from keras_contrastive.cli.convert import convert
from keras_contrastive.presets import from_preset
from keras_contrastive.presets.convert import from_checkpoint
from tests.presets.convert.weights import images

tf = pytest.importorskip("tensorflow")


class Network:
    """SimCLR's ResNet-50 and head, whose variables are made and numbered as they are used."""

    def __init__(self, width, seed=0):
        self.width, self.rng = width, np.random.default_rng(seed)
        self.variables, self.counts = {}, {}

    def named(self, scope, kind):
        number = self.counts.get((scope, kind), 0)
        self.counts[scope, kind] = number + 1
        return f"{scope}/{kind}" + (f"_{number}" if number else "")

    def conv(self, x, filters, size, strides):
        shape = (size, size, x.shape[-1], filters)
        kernel = self.rng.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).astype("float32")
        self.variables[self.named("base_model", "conv2d") + "/kernel"] = kernel
        if strides > 1:
            before, behind = (size - 1) // 2, size // 2
            x = tf.pad(x, [[0, 0], [before, behind], [before, behind], [0, 0]])
        x = tf.nn.conv2d(x, kernel, strides, "VALID" if strides > 1 else "SAME")
        return self.norm(x, self.named("base_model", "batch_normalization"))

    def norm(self, x, name, center=True):
        shape = x.shape[-1:]
        gamma, variance = (self.rng.uniform(0.5, 1.0, shape).astype("float32") for _ in range(2))
        beta, mean = (self.rng.normal(0, 0.2, shape).astype("float32") for _ in range(2))
        self.variables |= {f"{name}/gamma": gamma, f"{name}/moving_mean": mean}
        self.variables |= {f"{name}/moving_variance": variance}
        if center:
            self.variables[f"{name}/beta"] = beta
        return tf.nn.batch_normalization(x, mean, variance, beta if center else None, gamma, 1e-5)

    def block(self, x, filters, strides, first):
        shortcut = self.conv(x, 4 * filters, 1, strides) if first else x
        x = tf.nn.relu(self.conv(x, filters, 1, 1))
        x = tf.nn.relu(self.conv(x, filters, 3, strides))
        return tf.nn.relu(self.conv(x, 4 * filters, 1, 1) + shortcut)

    def features(self, x):
        x = tf.nn.relu(self.conv(x, self.width, 7, 2))
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        for stage, depth in enumerate((3, 4, 6, 3)):
            for block in range(depth):
                strides = 2 if stage and not block else 1
                x = self.block(x, self.width * 2**stage, strides, block == 0)
        return tf.reduce_mean(x, [1, 2])

    def projections(self, x, num_layers, output_dim=16):
        for layer in range(num_layers):
            last = layer == num_layers - 1
            scope = f"head_contrastive/nl_{layer}"
            kernel = self.rng.normal(0, 0.1, (x.shape[1], output_dim if last else x.shape[1]))
            self.variables[f"{scope}/dense/kernel"] = kernel.astype("float32")
            x = self.norm(x @ kernel.astype("float32"), f"{scope}/batch_normalization", not last)
            x = x if last else tf.nn.relu(x)
        return x


def write(path, variables):
    names = list(variables)
    tf.raw_ops.SaveV2(
        prefix=str(path),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[variables[name] for name in names],
    )
    return path.with_name(path.name + ".index")


def other_variables(variables):
    """What a checkpoint holds besides: slots of the optimizer, a classifier, a counter."""
    kernel = "base_model/conv2d/kernel"
    return {
        f"{kernel}/Momentum": np.zeros_like(variables[kernel]),
        f"ema_model/{kernel}": variables[kernel] + 1,
        "head_supervised/linear_layer/dense/kernel": np.zeros((64, 10), "float32"),
        "global_step": np.array(7, "int64"),
    }


@pytest.mark.parametrize("num_layers", [2, 3], ids=["v1", "v2"])
def test_features_and_projections_are_those_of_tensorflow(num_layers, tmp_path):
    network = Network(width=8)
    features = network.features(images())
    projections = network.projections(features, num_layers)
    others = other_variables(network.variables)
    converted = from_checkpoint(write(tmp_path / "model.ckpt-7", network.variables | others))
    assert converted.source == "simclr-tf"
    assert set(converted.left_out) == set(others)
    found = converted.encoder(images(), training=False)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), features, rtol=1e-4, atol=1e-4)
    found = converted.heads["projector"](found, training=False)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), projections, rtol=1e-3, atol=1e-4)


def test_the_name_without_the_ending_is_enough(tmp_path):
    """Also on the command line, which tells checkpoints from presets."""
    network = Network(width=8)
    network.features(images())
    write(tmp_path / "model.ckpt-7", network.variables)
    convert(tmp_path / "model.ckpt-7", tmp_path / "ours", None, None, None, Console(quiet=True))
    assert from_preset(tmp_path / "ours").output_shape == (None, 256)


def test_selective_kernels_are_refused(tmp_path):
    network = Network(width=8)
    network.features(images())
    network.conv(tf.zeros((1, 4, 4, 8)), 8, 3, 1)
    path = write(tmp_path / "model.ckpt-7", network.variables)
    with pytest.raises(ValueError, match=r"53 convolutions. Received: 54"):
        from_checkpoint(path)


def test_a_missing_variable_is_named(tmp_path):
    network = Network(width=8)
    network.features(images())
    del network.variables["base_model/batch_normalization_1/gamma"]
    path = write(tmp_path / "model.ckpt-7", network.variables)
    with pytest.raises(ValueError, match=re.escape("1 missing: layer1.0.downsample.1.weight")):
        from_checkpoint(path)


def test_a_checkpoint_without_its_data_is_damaged(tmp_path):
    network = Network(width=8)
    network.features(images())
    path = write(tmp_path / "model.ckpt-7", network.variables)
    next(tmp_path.glob("*.data-*")).unlink()
    with pytest.raises(ValueError, match=r"complete TensorFlow checkpoint.*\.data files"):
        from_checkpoint(path)
