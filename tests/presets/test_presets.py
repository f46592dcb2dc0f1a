"""Presets: round trip, and errors for what can go wrong with files and names."""

import json
import zipfile

import keras
import numpy as np
import pytest

from keras_contrastive import Method, MoCo, SimCLR, SupCon, encoders
from keras_contrastive.presets import card, from_preset, presets, save_to_preset
from keras_contrastive.presets import folder as preset_folder
from tests.methods.parts import assert_same_weights


def tiny_encoder():
    return encoders.small_resnet(input_shape=(16, 16, 3), widths=(4, 8))


@pytest.fixture
def saved(tmp_path):
    encoder = tiny_encoder()
    save_to_preset(encoder, tmp_path / "simclr_tiny_noise", "method: simclr\n", {"knn": 0.5})
    return encoder, tmp_path / "simclr_tiny_noise"


@pytest.fixture
def zoo(saved, monkeypatch):
    monkeypatch.setattr(preset_folder, "zoo_folder", lambda: saved[1].parent)
    return saved


def test_round_trip_gives_the_same_features(saved):
    encoder, folder = saved
    images = np.random.default_rng(0).random((4, 16, 16, 3), "float32")
    loaded = from_preset(folder)
    np.testing.assert_allclose(
        loaded.predict(images, verbose=0), encoder.predict(images, verbose=0), rtol=1e-6
    )


def test_presets_are_listed_and_found_by_name(zoo):
    known = presets()
    assert list(known) == ["simclr_tiny_noise"]
    assert known["simclr_tiny_noise"].results["knn"] == 0.5
    assert from_preset("simclr_tiny_noise").output_shape == (None, 8)


def test_an_unknown_name_is_told_the_nearest(zoo):
    with pytest.raises(ValueError, match=r"Received: 'simclr_tiny_nose'. Did you mean 'simclr_t"):
        from_preset("simclr_tiny_nose")


def test_exchanged_weights_are_refused(saved):
    _, folder = saved
    tiny_encoder().save(folder / "encoder.keras")
    with pytest.raises(ValueError, match=r"Expected .* with sha256 .*Received: sha256"):
        from_preset(folder)


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_truncated_file_is_refused(saved, tmp_path, keep):
    _, folder = saved
    whole = (folder / "encoder.keras").read_bytes()
    assert len(whole) > keep
    part = tmp_path / "part.keras"
    part.write_bytes(whole[:keep])
    with pytest.raises(ValueError, match="truncated or damaged"):
        from_preset(part)


def test_a_damaged_archive_is_refused(saved, tmp_path):
    _, folder = saved
    whole = bytearray((folder / "encoder.keras").read_bytes())
    whole[200:2000] = bytes(1800)  # the directory at the end of the archive stays intact
    path = tmp_path / "holes.keras"
    path.write_bytes(bytes(whole))
    with pytest.raises(ValueError, match=r"Keras cannot read .*copy it again"):
        from_preset(path)


def test_a_file_of_a_newer_keras_is_told_from_a_damaged_one(saved, tmp_path):
    _, folder = saved
    path = tmp_path / "new.keras"
    with zipfile.ZipFile(folder / "encoder.keras") as old, zipfile.ZipFile(path, "w") as new:
        new.writestr("metadata.json", json.dumps({"keras_version": "99.1.0"}))
        new.writestr("config.json", old.read("config.json").replace(b"Conv2D", b"Conv99D"))
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
    with pytest.raises(ValueError, match=r"written by Keras 99\.1\.0 and this is .*update Keras"):
        from_preset(path)


def test_missing_files_are_named(saved, tmp_path):
    _, folder = saved
    with pytest.raises(ValueError, match=r"none\.keras, which does not exist"):
        from_preset(tmp_path / "none.keras")
    (folder / "encoder.keras").unlink()
    with pytest.raises(ValueError, match=r"encoder\.keras, which does not exist"):
        from_preset(folder)
    (folder / "results.json").unlink()
    with pytest.raises(ValueError, match=r"without results\.json"):
        from_preset(folder)


def test_damaged_results_are_refused(saved):
    _, folder = saved
    (folder / "results.json").write_text('{"knn": 0.')
    with pytest.raises(ValueError, match=r"to hold JSON\. Received: .*damaged"):
        from_preset(folder)
    (folder / "results.json").write_text('{"knn": 0.5}')
    with pytest.raises(ValueError, match=r"Expected the sha256"):
        from_preset(folder)


def test_results_that_json_does_not_hold_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="Expected results that JSON holds"):
        save_to_preset(tiny_encoder(), tmp_path / "new", results={"knn": np.float32(0.5)})
    assert not (tmp_path / "new").exists()


def test_the_card_shows_what_was_measured(saved):
    _, folder = saved
    text = (folder / "README.md").read_text("utf8")
    assert "| kNN accuracy | – | 50.0 % |" in text
    assert 'kc.from_preset("simclr_tiny_noise")' in text
    assert "method: simclr" in text
    assert json.loads((folder / "results.json").read_text())["sha256"] in text


def test_the_card_draws_the_curve_between_its_ends():
    text = card("x", {"history": [0.1, 0.5, 0.9]})
    assert "▁" in text
    assert "█" in text
    assert "(10.0 % to 90.0 %)" in text


def test_the_card_says_what_taught_the_encoder():
    assert "pretrained with the labels of its images" in card(
        "x", {"learns_from": "the labels of its images"}
    )
    assert "pretrained without labels" in card("x", {"learns_from": None})
    assert "An encoder of images. " in card("x", {"note": "Converted from `resnet50.pth`."})


def test_a_method_says_what_taught_it(tmp_path):
    for method, told in (
        (SimCLR(encoders.small_resnet(widths=(4, 8))), "without labels"),
        (SupCon(encoders.small_resnet(widths=(4, 8))), "with the labels of its images"),
    ):
        preset = save_to_preset(method, tmp_path / method.name)
        assert f", pretrained {told}" in (preset.folder / "README.md").read_text("utf8")


def test_the_card_of_few_labels_says_where_all_had_been_seen():
    protocol = {"label_epochs": [[0.01, 20]], "batch_size": 32, "learning_rate": 1e-3, "seeds": [0]}
    row = {"fraction": 0.01, "num_labels": 5, "linear": 0.5}
    protocol |= {"k": 200, "temperature": 0.1}
    results = {"labels": [row], "protocol": protocol}
    told = "All labels had been seen in pretraining"
    assert told not in card("x", results)
    assert told in card("x", {**results, "learns_from": "the labels of its images"})


def test_an_encoder_of_sentences_comes_back_with_its_tokenizer(tmp_path):
    pytest.importorskip("tokenizers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "cat", "dog", "sits"]
    encoder = encoders.SentenceEncoder(
        encoders.bert(7, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16),
        encoders.SubwordTokenizer.wordpiece(words),
    )
    preset = save_to_preset(encoder, tmp_path / "simcse_tiny", results={"method": "simcse"})
    assert "input_shape" not in preset.results
    text = (preset.folder / "README.md").read_text("utf8")
    assert "An encoder of sentences, pretrained without labels" in text
    assert "encoder.encode([" in text
    loaded = from_preset(preset.folder)
    np.testing.assert_array_equal(
        loaded.encode(["cat sits", "dog"]), encoder.encode(["cat sits", "dog"])
    )


def test_a_method_comes_with_its_training_state(tmp_path):
    images = np.random.default_rng(0).random((16, 16, 16, 3), "float32")
    method = MoCo(tiny_encoder(), queue_size=16)
    method.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    method.fit((images, images[::-1].copy()), batch_size=8, verbose=0)
    method.save(tmp_path / "method.keras")
    loaded = Method.from_preset(tmp_path)
    assert type(loaded) is MoCo
    assert_same_weights(loaded, method)  # the optimizer's too


def test_what_is_no_method_is_told(saved, tmp_path):
    _, folder = saved
    with pytest.raises(ValueError, match=r"Expected a saved Method\. Received: .*a Functional"):
        Method.from_preset(folder / "encoder.keras")
    with pytest.raises(ValueError, match=r"method\.keras, which does not exist"):
        Method.from_preset(folder)
    with pytest.raises(ValueError, match=r"keras_contrastive\.from_preset"):
        Method.from_preset("simclr_tiny_noise")
    SimCLR(tiny_encoder()).save(tmp_path / "simclr.keras")
    with pytest.raises(ValueError, match=r"Expected a saved MoCo\. Received: .*a SimCLR"):
        MoCo.from_preset(tmp_path / "simclr.keras")


def test_the_encoder_of_a_saved_method_is_found(tmp_path):
    method = SimCLR(tiny_encoder())
    method.compile("sgd")
    method.save(tmp_path / "method.keras")
    loaded = from_preset(tmp_path / "method.keras")
    assert isinstance(loaded, keras.Model)
    assert loaded.output_shape == (None, 8)


def test_the_card_says_where_pretraining_did_not_help():
    def row(name, knn):
        return {
            "data": name, "num_train": 9, "num_test": 9, "num_classes": 2,
            "knn": knn, "linear": 0.9, "untrained": {"knn": 0.5, "linear": 0.6},
        }  # fmt: skip

    text = card("x", {"other_data": [row("cells", 0.8), row("emoji", 0.4)]})
    assert "On emoji a probe finds no more" in text
