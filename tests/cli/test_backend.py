"""The backend that is chosen when nobody has said."""

import sys

import pytest

from keras_contrastive.cli import backend


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """No variable, no configuration, Keras not imported yet."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delitem(sys.modules, "keras")
    return tmp_path


def chosen(monkeypatch, installed):
    monkeypatch.setattr(backend, "_installed", lambda name: name in installed)
    backend.choose_backend()
    import os

    return os.environ.get("KERAS_BACKEND")


def test_the_installed_backend_is_taken(fresh, monkeypatch):
    assert chosen(monkeypatch, {"torch"}) == "torch"


def test_tensorflow_stays_the_default(fresh, monkeypatch):
    assert chosen(monkeypatch, {"tensorflow", "jax"}) is None


def test_the_configuration_counts(fresh, monkeypatch):
    (fresh / "keras.json").write_text('{"backend": "jax"}')
    assert chosen(monkeypatch, {"jax", "torch"}) is None


def test_what_the_user_said_stays(fresh, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert chosen(monkeypatch, {"torch"}) == "jax"
