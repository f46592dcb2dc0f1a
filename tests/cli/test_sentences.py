"""Sentences on the command line."""

import json

import numpy as np
import pytest

from keras_contrastive import evaluation
from keras_contrastive.encoders import SentenceEncoder, small_resnet
from tests.cli.test_commands import run
from tests.encoders.tiny_bert import write_folder

SENTENCES = ["a cat sleeps", "the dog eats", "", "a man plays guitar"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder in the layout of Hugging Face."""
    return write_folder(tmp_path_factory.mktemp("model"))


def table(path, **columns):
    lines = ["\t".join(columns), *("\t".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def pairs(path, **columns):
    first, second = SENTENCES, ["a dog sits", "the dog eats", "a cat", "the woman plays guitar"]
    return table(path, sentence1=first, sentence2=second, **columns)


def labelled(path, labels):
    """A table, and its texts and classes."""
    words = {"pet": ("cat", "dog"), "human": ("man", "woman")}
    texts = [f"the {words[label][row % 2]} sits" for row, label in enumerate(labels)]
    return table(path, text=texts, label=labels), texts, [label == "pet" for label in labels]


@pytest.mark.parametrize("command", [[], ["embed"], ["evaluate"]])
def test_help_explains(command):
    result = run("sentences", *command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_embed_gives_a_row_a_line(model, tmp_path):
    (tmp_path / "lines.txt").write_text("\n".join(SENTENCES))
    encoder = SentenceEncoder.from_hugging_face(model)
    encoder.save(tmp_path / "encoder.keras")
    for source in (model, tmp_path / "encoder.keras"):
        result = run("sentences", "embed", source, tmp_path / "lines.txt", tmp_path / "out.npz")
        assert result.exit_code == 0, result.output
        with np.load(tmp_path / "out.npz") as file:
            expected = encoder.encode(SENTENCES)
            np.testing.assert_allclose(file["features"], expected, rtol=1e-5, atol=1e-6)


def test_similarity_is_that_of_the_functions(model, tmp_path):
    data = pairs(tmp_path / "sts.tsv", score=["1.0", "5.0", "4.0", "2.5"], source=list("aabb"))
    result = run("sentences", "evaluate", model, data, "--json", tmp_path / "found.json")
    assert result.exit_code == 0, result.output
    assert "STS, Spearman" in result.output
    found = json.loads((tmp_path / "found.json").read_text())
    encode = SentenceEncoder.from_hugging_face(model).encode
    first, second = SENTENCES, ["a dog sits", "the dog eats", "a cat", "the woman plays guitar"]
    scores = [1.0, 5.0, 4.0, 2.5]
    expected = evaluation.sts(encode, first, second, scores, list("aabb"))
    assert found["sts"] == pytest.approx(expected["all"])
    assert found["sts_wmean"] == pytest.approx(expected["wmean"])
    geometry = evaluation.sts_geometry(encode, first, second, scores)  # 4 of 5 are alike
    assert found["alignment"] == pytest.approx(geometry["alignment"], abs=1e-5)


def test_labels_by_folds_and_on_a_test_table(model, tmp_path):
    data, *train = labelled(tmp_path / "train.tsv", ["pet", "human", "human", "pet"] * 6)
    test, *held = labelled(tmp_path / "test.tsv", ["human", "human", "pet", "pet"])
    train[1], held[1] = np.array(train[1], int), np.array(held[1], int)
    encode, found = SentenceEncoder.from_hugging_face(model).encode, tmp_path / "found.json"
    result = run("sentences", "evaluate", model, data, "--folds", 3, "--json", found)
    assert result.exit_code == 0, result.output
    expected = evaluation.transfer(encode, *train, folds=3)
    figures = json.loads(found.read_text())
    assert figures["transfer"] == pytest.approx(expected["accuracy"])
    assert figures["transfer_std"] == pytest.approx(expected["std"])
    result = run("sentences", "evaluate", model, data, "--test", test, "--json", found)
    assert result.exit_code == 0, result.output
    expected = evaluation.transfer(encode, *train, *held)["accuracy"]
    assert json.loads(found.read_text())["transfer"] == pytest.approx(expected)


def test_pairs_with_labels(model, tmp_path):
    both = SENTENCES * 2, SENTENCES[::-1] + SENTENCES  # others, then the same
    data = table(
        tmp_path / "pairs.tsv", sentence1=both[0], sentence2=both[1], label=["no"] * 4 + ["yes"] * 4
    )
    result = run("sentences", "evaluate", model, data, "--folds", 2)
    assert result.exit_code == 0, result.output
    assert "deviation of folds" in result.output


def test_wrong_input_is_one_sentence(model, tmp_path):
    small_resnet(widths=(4, 8)).save(tmp_path / "images.keras")
    data = pairs(tmp_path / "pairs.tsv", label=["no", "yes", "no", "yes"])
    short = tmp_path / "short.tsv"
    short.write_text("text\tlabel\na cat\n")
    (tmp_path / "empty.txt").write_text("")
    other = table(tmp_path / "other.tsv", sentence1=["a"], sentence2=["b"], label=["maybe"])
    nothing = table(tmp_path / "nothing.tsv", words=["a"])
    for arguments, message in [
        (("evaluate", tmp_path / "images.keras", data), "Expected an encoder of sentences"),
        (("evaluate", model, short), "Received: 1 on line 2"),
        (("evaluate", model, data, "--test", other), "Received: 'maybe' too"),
        (("evaluate", model, nothing), "with words"),
        (("embed", model, tmp_path / "empty.txt", tmp_path / "out.npz"), "which is empty"),
        (("embed", model, data, tmp_path / "out.csv"), "ends in .npz or .parquet"),
    ]:
        result = run("sentences", *arguments)
        assert result.exit_code == 1
        assert message in result.output, result.output
        assert "Traceback" not in result.output
