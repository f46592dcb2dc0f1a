"""The page on checkpoints: its script runs, and its tables name the formats and layouts."""

import pathlib
import re
import runpy

import numpy as np
import pytest

from keras_contrastive.encoders.tensor_files import write_tensors
from keras_contrastive.presets.convert import FORMATS
from tests.presets.convert import checkpoints

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "bring_a_checkpoint.md"
SCRIPT = PAGE.with_suffix(".py")


def test_the_script_runs(tmp_path, monkeypatch, capsys):
    write_tensors(tmp_path / "moco.safetensors", checkpoints.moco_v2()["state_dict"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["bring_a_checkpoint.py", "moco.safetensors"])
    names = runpy.run_path(str(SCRIPT))
    assert "moco-v2 (None, 32) ['projector']" in capsys.readouterr().out
    assert np.isfinite(names["features"]).all()
    assert (tmp_path / "encoder.keras").exists()
    assert (tmp_path / "encoder.safetensors").exists()


def test_the_page_shows_the_script():
    assert SCRIPT.read_text("utf8") in PAGE.read_text("utf8")


@pytest.mark.parametrize("name", FORMATS)
def test_the_page_has_every_format(name):
    assert re.search(rf"^\| `{name}` \|", PAGE.read_text("utf8"), re.MULTILINE)
