"""The code of `docs/sentence_embeddings.md` runs, on a small random BERT."""

import pathlib

import keras

from keras_contrastive.encoders import SentenceEncoder
from tests.encoders.tiny_bert import write_folder

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"


def test_the_page_shows_the_file():
    code = (DOCS / "sentence_embeddings.py").read_text()
    assert f"```python\n{code}```" in (DOCS / "sentence_embeddings.md").read_text()


def test_the_file_runs(tmp_path, monkeypatch):
    write_folder(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    names = {}
    code = (DOCS / "sentence_embeddings.py").read_text()
    exec(compile(code, "sentence_embeddings.py", "exec"), names)
    assert names["vectors"].shape == (3, 8)
    assert isinstance(keras.saving.load_model(tmp_path / "sentences.keras"), SentenceEncoder)
