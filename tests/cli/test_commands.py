"""The commands as a user runs them."""

import json
import re
import warnings

import numpy as np
import pytest
from typer.testing import CliRunner

from keras_contrastive import encoders
from keras_contrastive.cli import commands
from keras_contrastive.presets import folder as preset_folder
from keras_contrastive.presets import save_to_preset
from tests.cli.tiny import recipe, write_images


def run(*arguments):
    return CliRunner().invoke(commands.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with images, a recipe and a finished run."""
    folder = tmp_path_factory.mktemp("work")
    recipe(write_images(folder / "images.npz")).save(folder / "recipe.yaml")
    result = run("pretrain", folder / "recipe.yaml", "--run", folder / "run", "--epochs", 1)
    assert result.exit_code == 0, result.output
    return folder


@pytest.mark.parametrize(
    "command",
    ["", "pretrain", "evaluate", "embed", "report", "demo"]
    + [f"zoo {name}" for name in ("list", "add", "verify", "push")],
)
def test_help_explains(command):
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_pretrain_shows_its_figures(work):
    results = json.loads((work / "run" / "results.json").read_text())
    assert results["epochs"] == 1
    result = run("pretrain", work / "recipe.yaml", "--run", work / "run", "--epochs", 1)
    assert result.exit_code == 1
    assert "which is finished" in result.output


def test_a_wrong_key_is_one_sentence_and_no_traceback(work):
    result = run("pretrain", work / "recipe.yaml", "--set", "training.epoch=3")
    assert result.exit_code == 1
    assert "Did you mean 'epochs'?" in result.output
    assert "Traceback" not in result.output


def test_one_image_in_each_sub_folder_is_an_image_without_a_label(work, tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in range(20):
        folder = tmp_path / "photos" / f"{name:02}"
        folder.mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), "uint8")).save(folder / "only.png")
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        result = run(
            "pretrain", work / "recipe.yaml", "--run", tmp_path / "run", "--epochs", 1,
            "--batch-size", 4, "--data", tmp_path / "photos",
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    assert "Warning: Expected a class with several training images" in shown
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (results["num_train"], results["num_test"]) == (15, 5)
    assert "knn" not in results


def test_evaluate_writes_its_figures(work, tmp_path):
    result = run(
        "evaluate", work / "run", work / "images.npz", "--k", 5, "--label-fraction", 0.25,
        "--epochs", 1, "--json", tmp_path / "figures.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "linear probe" in result.output
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert {"knn", "linear", "ridge", "rank_me", "uniformity"} <= set(figures)
    (few,) = figures["labels"]
    assert few["num_labels"] == 12  # a quarter of 12 of each of the four classes
    assert 0 <= few["from_scratch"] <= 1


def test_embed_writes_features_beside_labels(work, tmp_path):
    result = run("embed", work / "run", work / "images.npz", tmp_path / "features.npz")
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "features.npz") as file:
        assert file["features"].shape == (64, 8)
        assert file["labels"].tolist() == [i % 4 for i in range(64)]


def test_embed_writes_parquet_with_file_names(work, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    from PIL import Image

    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((8, 8, 3), "uint8")).save(tmp_path / name)
    output = tmp_path / "out" / "features.parquet"
    result = run("embed", work / "run", tmp_path, output)
    assert result.exit_code == 0, result.output
    table = parquet.read_table(output)
    assert table.column_names == ["features", "file"]
    assert [path.rsplit("/", 1)[-1] for path in table["file"].to_pylist()] == ["a.png", "b.png"]
    assert len(table["features"][0]) == 8


def test_embed_refuses_another_format_at_once(work, tmp_path):
    result = run("embed", "no_such_preset", "digits", tmp_path / "features.csv")
    assert result.exit_code == 1
    assert "ends in .npz or .parquet" in result.output


def test_the_report_holds_its_pictures_and_fetches_nothing(work):
    result = run("report", work / "run")
    assert result.exit_code == 0, result.output
    page = (work / "run" / "report.html").read_text("utf8")
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert len(sources) > 20
    assert all(source.startswith("data:image/") for source in sources)
    visible = re.sub(r'src="data:[^"]+"', "", page)
    assert not re.search(r"https?://|//[a-z]|<script|<link|@import|url\(", visible)
    for heading in ("Results", "Training", "Map", "Nearest neighbours", "Augmented views"):
        assert f"<h2>{heading}" in page


def test_a_report_needs_a_run(tmp_path):
    result = run("report", tmp_path)
    assert result.exit_code == 1
    assert "Expected the folder of a run" in result.output


def test_brackets_in_a_message_are_shown(tmp_path):
    assert "runs[hub]" in run("report", tmp_path / "runs[hub]").output


def test_zoo_list_shows_measured_columns(tmp_path, monkeypatch):
    monkeypatch.setattr(preset_folder, "zoo_folder", lambda: tmp_path)
    assert "No preset" in run("zoo", "list").output
    encoder = encoders.small_resnet(widths=(4, 8))
    save_to_preset(encoder, tmp_path / "tiny", results={"knn": 0.625, "seconds_per_epoch": 2.0})
    rows = [
        {"fraction": fraction, "seed": 0, "num_labels": 5, "fine_tuned": 0.5}
        for fraction in (0.01, 0.1)
    ]
    figures = {"knn": 0.5, "linear": 0.5, "labels": rows, "epochs": 100, "seconds_per_epoch": 54.6}
    save_to_preset(encoder, tmp_path / "multi_target_byol_small_resnet_cifar10", results=figures)
    result = run("zoo", "list", "--json", tmp_path / "zoo.json")
    assert "62.5%" in result.output
    assert "…" not in result.output  # nothing is cut on 80 columns
    assert "54.6" in result.output
    assert json.loads((tmp_path / "zoo.json").read_text())["tiny"]["knn"] == 0.625


def test_the_demo_runs_from_end_to_end(tmp_path):
    result = run("demo", "--smoke", "--folder", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert "largest difference of the features: 0.0" in result.output
    assert (tmp_path / "demo" / "report.html").exists()
    results = json.loads((tmp_path / "demo" / "results.json").read_text())
    assert [entry["fraction"] for entry in results["labels"]] == [0.01]
