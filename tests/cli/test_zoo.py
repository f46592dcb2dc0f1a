"""Presets from runs: what is measured, that an interruption costs nothing, and what verify sees."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from keras_contrastive import from_preset, presets
from keras_contrastive.cli import commands
from keras_contrastive.cli.pretrain import pretrain
from keras_contrastive.cli.splits import Splits
from keras_contrastive.cli.tables import results_table
from keras_contrastive.cli.zoo import Protocol, add, pictures, steps, verify
from keras_contrastive.cli.zoo.subject import Subject, splits_for
from keras_contrastive.data import Source
from keras_contrastive.presets import find_preset
from keras_contrastive.presets import folder as preset_folder
from tests.cli.tiny import recipe, write_images

PROTOCOL = Protocol(k=5, label_epochs={0.25: 1}, seeds=(0, 1), transfer_k=3)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    source = write_images(folder / "images.npz")
    pretrain(recipe(source, epochs=2), folder / "simclr_tiny")
    return folder / "simclr_tiny"


@pytest.fixture(scope="module")
def preset(run):
    other = run.parent / "images.npz"
    return add(run, run.parent / "zoo" / "simclr_tiny", [f"{other},{other}"], PROTOCOL)


def rounded(encoder):
    """Its kernels as float16 holds them."""
    for weight in encoder.weights:
        if len(weight.shape) > 1:
            weight.assign(np.asarray(weight).astype("float16").astype("float32"))
    return encoder


def test_a_preset_is_its_run_with_rounded_kernels(run, preset):
    images = np.random.default_rng(0).random((4, 8, 8, 3), "float32")
    expected = rounded(from_preset(run)).predict(images, verbose=0)
    found = from_preset(preset.folder)
    np.testing.assert_allclose(found.predict(images, verbose=0), expected, rtol=1e-5, atol=1e-7)
    assert {weight.dtype for weight in found.weights} == {"float32"}
    assert {layer.compute_dtype for layer in found.layers} == {"float32"}


def test_it_holds_every_figure(run, preset):
    results = json.loads((preset.folder / "results.json").read_text())
    assert {"knn", "linear", "ridge", "rank_me", "before", "seconds_per_epoch"} <= set(results)
    assert [(row["fraction"], row["seed"]) for row in results["labels"]] == [(0.25, 0), (0.25, 1)]
    assert {"linear", "fine_tuned", "from_scratch"} <= set(results["labels"][0])
    (other,) = results["other_data"]
    assert (other["num_train"], other["num_test"], other["num_classes"]) == (64, 64, 4)
    assert other["knn"] > 0.5  # the test images are in the bank
    assert {"knn", "linear"} == set(other["untrained"])
    assert results["learns_from"] is None
    assert "pretrained without labels" in (preset.folder / "README.md").read_text()
    features = from_preset(preset.folder).predict(steps.noise((None, 8, 8, 3)), verbose=0)[0]
    np.testing.assert_allclose(results["sample"], features, rtol=1e-5)


def test_a_table_shows_its_figures(preset):
    table = results_table(preset.results)  # what the command prints
    assert [*table.columns[0].cells][:3] == ["kNN", "linear probe", "ridge probe"]


def test_its_card_shows_them_and_its_picture_is_small(preset):
    card = (preset.folder / "README.md").read_text("utf8")
    for heading in ("Measured", "Few labels", "Transfer", "How it was made", "Limits"):
        assert f"## {heading}" in card
    assert "| 25 % (12) |" in card
    assert "](picture.png)" in card
    assert 0 < (preset.folder / "picture.png").stat().st_size < 60_000


def test_an_interrupted_series_goes_on(run, preset, tmp_path, monkeypatch):
    measure, seen = steps.accuracy_after_training, []

    def interrupted(*args, **kwargs):
        seen.append(kwargs["seed"])
        if len(seen) == 3:
            raise KeyboardInterrupt
        return measure(*args, **kwargs)

    monkeypatch.setattr(steps, "accuracy_after_training", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(run, tmp_path / "again", (), PROTOCOL)
    weights = (tmp_path / "again" / "encoder.keras").read_bytes()
    results = add(run, tmp_path / "again", (), PROTOCOL, {"note": "In two parts."}).results
    assert seen == [0, 0, 1, 1, 1]  # scratch and fine-tuned for each seed; one began twice
    assert (tmp_path / "again" / "encoder.keras").read_bytes() == weights
    for name in ("knn", "linear", "labels"):
        assert results[name] == preset.results[name]
    assert "In two parts." in (tmp_path / "again" / "README.md").read_text("utf8")


def test_a_network_from_scratch_is_trained_once_for_all_presets(run, preset, monkeypatch):
    measure, starts = steps.accuracy_after_training, []

    def counted(encoder, weights, *args, **kwargs):
        starts.append("scratch" if weights is None else "preset")
        return measure(encoder, weights, *args, **kwargs)

    monkeypatch.setattr(steps, "accuracy_after_training", counted)
    beside = add(run, preset.folder.parent / "twin", (), PROTOCOL)
    assert starts == ["preset", "preset"]
    assert beside.results["labels"] == preset.results["labels"]


def test_a_share_with_one_label_a_class_is_left_out(run, tmp_path):
    protocol = Protocol(k=5, label_epochs={0.01: 1, 0.25: 1}, seeds=(0,))
    console = Console(record=True, width=200)
    made = add(run, tmp_path / "preset", (), protocol, console=console)
    assert [row["fraction"] for row in made.results["labels"]] == [0.25]
    assert "Without 1 % of the labels: at most one a class" in console.export_text()
    card = (made.folder / "README.md").read_text("utf8")
    assert "1 epochs (25 %)" in card
    assert "(1 %)" not in card


def test_other_settings_are_measured_anew(run, tmp_path):
    none = Protocol(k=5, label_epochs={})
    add(run, tmp_path / "preset", (), none)
    results = add(run, tmp_path / "preset", (), Protocol(k=1, label_epochs={})).results
    assert results["protocol"]["k"] == 1


def test_a_folder_of_other_weights_is_not_replaced(run, preset, tmp_path):
    other = write_images(tmp_path / "images.npz")
    pretrain(recipe(other, epochs=1), tmp_path / "run")
    with pytest.raises(ValueError, match=r"made from other weights. Give another --name"):
        add(tmp_path / "run", preset.folder, (), PROTOCOL)
    with pytest.raises(ValueError, match=r"Expected the folder of a run"):
        add(tmp_path, tmp_path / "new", (), PROTOCOL)


def test_images_without_labels_get_a_card_without_accuracies(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 3), "uint8")
    np.savez(tmp_path / "images.npz", images=images)
    pretrain(recipe(tmp_path / "images.npz", epochs=1), tmp_path / "run")
    made = add(tmp_path / "run", tmp_path / "zoo" / "run", (), PROTOCOL)
    assert "rank_me" in made.results
    assert not {"knn", "linear", "labels"} & set(made.results)
    assert (made.folder / "picture.png").exists()
    with pytest.raises(ValueError, match="Expected a preset with recipe"):
        verify(made)


def test_verify_agrees_with_what_add_measured(preset):
    verdict = verify(find_preset(preset.folder))
    assert verdict.agrees
    assert verdict.measured == pytest.approx(preset.results["knn"], abs=1e-6)


def moved(preset, folder):
    """A copy whose recipe names images that are not there."""
    copy = folder / "moved"
    shutil.copytree(preset.folder, copy)
    text = (copy / "recipe.yaml").read_text("utf8")
    (copy / "recipe.yaml").write_text(text.replace("images.npz", "gone.npz"), "utf8")
    return copy


def test_verify_sees_a_card_that_is_wrong(preset, monkeypatch, tmp_path):
    monkeypatch.setitem(preset.results, "knn", preset.results["knn"] - 0.1)
    assert not verify(preset).agrees
    with pytest.raises(ValueError, match=r"does not exist.*name yours with --data"):
        verify(replace(preset, folder=moved(preset, tmp_path)))
    monkeypatch.setitem(preset.results, "num_train", 50)
    with pytest.raises(ValueError, match="Expected the 50 training and 16 test images"):
        verify(preset)


def test_the_commands(run, preset, monkeypatch):
    monkeypatch.setattr(preset_folder, "zoo_folder", lambda: preset.folder.parent)
    monkeypatch.setenv("COLUMNS", "200")
    cli = CliRunner()
    listed = cli.invoke(commands.app, ["zoo", "list"])
    assert "25%" in listed.output
    verified = cli.invoke(commands.app, ["zoo", "verify"])
    assert verified.exit_code == 0, verified.output
    assert verified.output.count("agrees") == len(presets())
    results = {**preset.results, "knn": 0.0}
    (preset.folder / "results.json").write_text(json.dumps(results))
    verified = cli.invoke(commands.app, ["zoo", "verify", "simclr_tiny"])
    (preset.folder / "results.json").write_text(json.dumps(preset.results))
    assert verified.exit_code == 1
    assert "differs" in verified.output


def test_other_data_is_brought_to_the_encoder(run):
    splits = splits_for(from_preset(run), "digits")
    assert splits.train.images.shape[1:] == (8, 8, 3)


def test_shares_of_neighbours_by_hand(monkeypatch):
    """Two classes in opposite corners, and a test image of class 1 that lies among class 0."""
    monkeypatch.setattr(pictures, "_NEIGHBOURS", 2)
    bank = Source(np.zeros((4, 1, 1, 1), "uint8"), np.array([0, 0, 1, 1]))
    queries = Source(np.zeros((3, 1, 1, 1), "uint8"), np.array([0, 1, 1]))
    subject = Subject(None, Splits(bank, queries))
    vars(subject)["train_features"] = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    vars(subject)["test_features"] = np.array([[1, 0], [0, 1], [1, 0.0]])
    shares, names = pictures.neighbour_shares(subject)
    np.testing.assert_allclose(shares, [[1, 0], [0.5, 0.5]])
    assert names == ["0", "1"]
