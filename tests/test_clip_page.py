"""The code of `docs/clip.md` runs, on four pictures."""

import pathlib

import keras
import numpy as np
import pytest

from keras_contrastive import CLIP

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
CAPTIONS = "image,caption\n0.png,a cat\n0.png,a grey cat\n1.png,a dog\n2.png,two dogs\n3.png,cats\n"


def test_the_page_shows_the_file():
    assert f"```python\n{(DOCS / 'clip.py').read_text()}```" in (DOCS / "clip.md").read_text()


def test_the_file_runs(tmp_path, monkeypatch):
    pytest.importorskip("PIL.Image")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "captions.csv").write_text(CAPTIONS)
    for number, image in enumerate(np.random.default_rng(0).random((4, 40, 48, 3))):
        keras.utils.save_img(tmp_path / "photos" / f"{number}.png", image)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile((DOCS / "clip.py").read_text(), "clip.py", "exec"), names)
    assert set(names["found"]) == {
        f"{way}_r{k}" for way in ("image_to_text", "text_to_image") for k in (1, 2)
    }
    assert keras.saving.load_model("cat_or_dog.keras").output_shape == (None, 2)
    assert isinstance(keras.saving.load_model("clip.keras"), CLIP)
