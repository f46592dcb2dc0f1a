"""The way back to PyTorch."""

import importlib.util

import keras
import numpy as np
import pytest

from keras_contrastive import encoders
from keras_contrastive.encoders.tensor_files import read_tensors, write_tensors
from keras_contrastive.presets.convert import (
    export,
    from_checkpoint,
    save_onnx,
    save_torchvision,
)
from tests.presets.convert import checkpoints
from tests.presets.convert.weights import images


@pytest.mark.parametrize("case", ["resnet18", "resnet50"])
def test_the_names_and_weights_of_torchvision_come_back(case, tmp_path):
    path, given = tmp_path / "network.safetensors", checkpoints.network(case)
    write_tensors(path, given)
    save_torchvision(from_checkpoint(path).encoder, tmp_path / "back.safetensors")
    back = read_tensors(tmp_path / "back.safetensors")
    assert set(back) == set(given)
    for name, array in given.items():
        np.testing.assert_array_equal(back[name], array)


def test_another_network_is_refused(tmp_path):
    dense = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="dense")])
    with pytest.raises(ValueError, match=r"Expected a ResNet of .*with a layer 'dense'"):
        save_torchvision(dense, tmp_path / "x.safetensors")
    encoder = encoders.resnet18(width=0.0625)
    with pytest.raises(ValueError, match=r"ends in \.safetensors\. Received"):
        save_torchvision(encoder, tmp_path / "x.pth")
    with pytest.raises(ValueError, match=r"ends in \.onnx\. Received"):
        save_onnx(encoder, tmp_path / "x.pb")


needs_onnx = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None or importlib.util.find_spec("onnx") is None,
    reason="onnx and onnxruntime are not installed",
)


@needs_onnx
@pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras exports ResNets on PyTorch")
@pytest.mark.filterwarnings("ignore")  # of PyTorch's exporter
def test_onnx_gives_the_same_features(tmp_path):
    import onnxruntime

    write_tensors(tmp_path / "x.safetensors", checkpoints.network("resnet50"))
    save_onnx(from_checkpoint(tmp_path / "x.safetensors").encoder, tmp_path / "x.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "x.onnx")
    (features,) = session.run(None, {session.get_inputs()[0].name: images()})
    np.testing.assert_allclose(features, checkpoints.features("resnet50"), rtol=1e-4, atol=1e-4)


@needs_onnx
def test_a_file_with_other_features_is_not_left(tmp_path, monkeypatch):
    encoder = encoders.resnet18((32, 32, 3), stem="small", width=0.0625)
    monkeypatch.setattr(encoder, "export", lambda path, **_: path.write_text(""))
    monkeypatch.setattr(export, "_run_onnx", lambda path, images: np.ones((2, 32)))
    with pytest.raises(ValueError, match=r"Received: features that differ by .*KERAS_BACKEND"):
        save_onnx(encoder, tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()
