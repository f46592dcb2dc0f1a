"""Presets to a hub and back, with huggingface-hub's own client and a hub on this machine."""

import numpy as np
import pytest

from keras_contrastive import encoders, from_preset, push_to_hub
from keras_contrastive.presets import save_to_preset
from tests.presets.fake_hub import FakeHub, serving

huggingface_hub = pytest.importorskip("huggingface_hub", reason="huggingface-hub is not installed")
ADDRESS = "hf://owner/tiny"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    from huggingface_hub import constants

    with serving(FakeHub()) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", "hf_write")
        yield hub


@pytest.fixture
def preset(tmp_path):
    encoder = encoders.small_resnet(input_shape=(16, 16, 3), widths=(4, 8))
    return save_to_preset(encoder, tmp_path / "tiny", "method: simclr\n", {"knn": 0.5})


def test_a_preset_comes_back_as_it_was_pushed(hub, preset):
    (preset.folder / "picture.png").write_bytes(b"picture")
    (preset.folder / "private.txt").write_text("not a file of a preset")
    url = push_to_hub(preset.folder, ADDRESS)
    assert url.startswith(f"{hub.url}/owner/tiny/commit/")
    assert set(hub.repos["owner/tiny"]) == {
        "encoder.keras", "results.json", "recipe.yaml", "README.md", "picture.png",
    }  # fmt: skip
    hub.repos["owner/tiny"]["evil.py"] = b"raise SystemExit"
    images = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
    expected = from_preset(preset.folder).predict(images, verbose=0)
    np.testing.assert_array_equal(from_preset(ADDRESS).predict(images, verbose=0), expected)
    assert not [request for request in hub.requests if "evil" in request]


def test_what_lies_there_is_checked_against_its_sha256(hub, preset):
    push_to_hub(preset.folder, ADDRESS)
    hub.repos["owner/tiny"]["encoder.keras"] += b"more"
    with pytest.raises(ValueError, match="Received: sha256"):
        from_preset(ADDRESS)


def test_exchanged_weights_are_not_pushed(hub, preset):
    encoders.small_resnet(widths=(4, 8)).save(preset.folder / "encoder.keras")
    with pytest.raises(ValueError, match="Received: sha256"):
        push_to_hub(preset.folder, ADDRESS)
    assert hub.requests == []


def test_nothing_there_is_told(hub):
    with pytest.raises(ValueError, match="Expected a preset at hf://owner/none"):
        from_preset("hf://owner/none")


def test_without_a_token_nothing_is_pushed(hub, preset, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ValueError, match="Log in with `hf auth login`"):
        push_to_hub(preset.folder, ADDRESS)
    assert hub.repos == {}


@pytest.mark.parametrize("address", ["hf://name", "hf://a/b/c", "hf://", "hf://a/b@"])
def test_an_address_of_another_form_is_told(address):
    with pytest.raises(ValueError, match=r"Expected an address hf://owner/name"):
        from_preset(address)
