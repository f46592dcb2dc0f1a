"""The pages on presets, own images and few labels: they show their files, and the files run."""

import pathlib
import runpy

import keras
import numpy as np
import pytest

from keras_contrastive import Method, encoders, from_preset
from keras_contrastive.presets import folder as preset_folder
from keras_contrastive.presets import save_to_preset

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
PAGES = {
    "start_from_a_preset": ["start_from_a_preset", "transfer"],
    "pretrain_on_your_own_images": ["pretrain_on_your_own_images"],
    "few_labels": ["few_labels"],
}


@pytest.fixture
def small_zoo(tmp_path, monkeypatch):
    """A preset of the name that the pages use, which compiles and runs in a moment."""
    encoder = encoders.small_resnet(widths=(4, 8))
    save_to_preset(encoder, tmp_path / "zoo" / "simclr_small_resnet_cifar10")
    monkeypatch.setattr(preset_folder, "zoo_folder", lambda: tmp_path / "zoo")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_its_files(page):
    text = (DOCS / f"{page}.md").read_text("utf8")
    for name in PAGES[page]:
        assert f"```python\n{(DOCS / f'{name}.py').read_text('utf8')}```" in text


def test_start_from_a_preset(small_zoo):
    names = runpy.run_path(str(DOCS / "start_from_a_preset.py"))
    assert 0.1 < names["linear"] <= 1
    assert 0.1 < names["fine_tuned"] <= 1
    assert keras.saving.load_model("digits.keras").output_shape == (None, 10)


def test_few_labels(small_zoo):
    accuracies = runpy.run_path(str(DOCS / "few_labels.py"))["accuracies"]
    assert list(accuracies) == [20, 100]
    assert all(0 <= value <= 1 for values in accuracies.values() for value in values)


def test_pretrain_on_your_own_images(tmp_path, monkeypatch):
    photos = tmp_path / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for number in range(256):  # one batch
        keras.utils.save_img(photos / f"{number}.png", rng.integers(0, 256, (16, 18, 3)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["pretrain_on_your_own_images.py", "photos", "16", "2"])

    def smaller(input_shape, width):
        return encoders.small_resnet(input_shape, widths=(4, 8))

    monkeypatch.setattr(encoders, "resnet18", smaller)
    runpy.run_path(str(DOCS / "pretrain_on_your_own_images.py"))
    assert int(Method.from_preset("method.keras").steps) == 2
    assert from_preset("my_encoder").output_shape == (None, 8)
