"""The command that converts, as a user runs it."""

import json

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from keras_contrastive.cli import commands
from keras_contrastive.encoders.tensor_files import read_tensors, write_tensors
from keras_contrastive.presets import from_preset
from tests.presets.convert import checkpoints
from tests.presets.convert.weights import images


def run(*arguments):
    return CliRunner().invoke(commands.app, ["convert", *map(str, arguments)])


@pytest.fixture
def moco(tmp_path):
    path = tmp_path / "moco.safetensors"
    write_tensors(path, checkpoints.moco_v2()["state_dict"])
    return path


def test_there_and_back(moco, tmp_path):
    result = run(moco, "--from", "moco-v2", "--to", tmp_path / "moco")
    assert result.exit_code == 0, result.output
    assert "moco.safetensors: moco-v2, resnet18 with" in result.output
    assert "Left out: module.encoder_" in result.output
    results = json.loads((tmp_path / "moco" / "results.json").read_text())
    assert results["checkpoint"]["format"] == "moco-v2"
    assert "Converted from `moco.safetensors`" in (tmp_path / "moco" / "README.md").read_text()
    features = from_preset(tmp_path / "moco").predict(images(), verbose=0)
    np.testing.assert_allclose(features, checkpoints.features("resnet18"), rtol=1e-4, atol=1e-4)
    head = keras.saving.load_model(tmp_path / "moco" / "projector.keras")
    assert head.output_shape == (None, 8)

    back = tmp_path / "new" / "back.safetensors"
    assert run(tmp_path / "moco", "--to", back).exit_code == 0
    given = checkpoints.network("resnet18")
    assert {name: array.tolist() for name, array in read_tensors(back).items()} == {
        name: array.tolist() for name, array in given.items()
    }


def test_a_file_of_keras(moco, tmp_path):
    result = run(moco, "--to", tmp_path / "encoder.keras")
    assert result.exit_code == 0, result.output
    assert "Without projector" in result.output
    assert keras.saving.load_model(tmp_path / "encoder.keras").output_shape == (None, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "x.h5"), "Expected --to to be a folder"),
        (("--to", "x.keras", "--from", "moco"), "Did you mean 'moco-v"),
    ],
)
def test_errors_are_sentences(moco, arguments, message):
    result = run(moco, *arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output
