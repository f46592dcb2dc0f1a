"""A run: what it leaves behind, and that an interruption makes no difference."""

import json
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_contrastive.callbacks import CollapseWarning
from keras_contrastive.cli.batches import training_batches
from keras_contrastive.cli.history import EpochHistory, column, read_history
from keras_contrastive.cli.overrides import override
from keras_contrastive.cli.pretrain import pretrain
from keras_contrastive.cli.recipe import Recipe
from keras_contrastive.data import Source
from keras_contrastive.presets import from_preset
from tests.cli.tiny import recipe, write_images


@pytest.fixture
def source(tmp_path):
    return write_images(tmp_path / "images.npz")


class Interrupt(keras.callbacks.Callback):
    """Ctrl-C in the middle of an epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == 1:
            raise KeyboardInterrupt


def test_a_run_leaves_everything_behind(source, tmp_path):
    results = pretrain(recipe(source), tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        "recipe.yaml", "history.csv", "method.keras", "encoder.keras", "results.json", "README.md",
    }  # fmt: skip
    rows = read_history(tmp_path / "run" / "history.csv")
    assert column(rows, "epoch")[1] == [1, 2, 3]
    assert {"loss", "knn_accuracy", "effective_rank", "seconds"} <= set(rows[0])
    assert results["finished"]
    assert results["num_train"] + results["num_test"] == 64
    assert 0 <= results["before"]["knn"] <= 1
    assert json.loads((tmp_path / "run" / "results.json").read_text())["knn"] == results["knn"]
    assert from_preset(tmp_path / "run").output_shape == (None, 8)


def test_a_resumed_run_equals_one_that_was_not_interrupted(source, tmp_path):
    whole = pretrain(recipe(source), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        pretrain(recipe(source), tmp_path / "parts", callbacks=[Interrupt()])
    assert not (tmp_path / "parts" / "results.json").exists()
    keras.utils.set_random_seed(99)  # a new process has another state
    parts = pretrain(recipe(source), tmp_path / "parts")
    same = ("knn", "linear", "ridge", "rank_me", "history", "epochs", "before")
    assert {key: parts[key] for key in same} == {key: whole[key] for key in same}
    losses = [
        column(read_history(tmp_path / name / "history.csv"), "loss")[1]
        for name in ("whole", "parts")
    ]
    assert losses[0] == losses[1]
    for one, other in zip(
        from_preset(tmp_path / "whole").get_weights(), from_preset(tmp_path / "parts").get_weights()
    ):
        np.testing.assert_array_equal(one, other)


KILLED = """
import os, signal, sys
import keras
from keras_contrastive.cli.pretrain import pretrain
from tests.cli.tiny import recipe

class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == 1:
            os.kill(os.getpid(), signal.SIGKILL)

pretrain(recipe(sys.argv[1]), sys.argv[2], callbacks=[Kill()])
"""


def test_a_run_killed_in_mid_epoch_goes_on_as_if_nothing_had_happened(source, tmp_path):
    command = [sys.executable, "-c", KILLED, str(source), str(tmp_path / "killed")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    pretrain(recipe(source), tmp_path / "whole")
    results = pretrain(recipe(source), tmp_path / "killed")
    assert (results["epochs"], results["finished"]) == (3, True)
    for one, other in zip(
        from_preset(tmp_path / "whole").get_weights(),
        from_preset(tmp_path / "killed").get_weights(),
    ):
        np.testing.assert_array_equal(one, other)


def test_a_loss_that_is_not_finite_ends_the_run_with_the_last_good_state(source, tmp_path):
    optimizer = {"name": "sgd", "learning_rate": 1e30}
    broken = Recipe.parse({**recipe(source).to_dict(), "optimizer": optimizer})
    with (
        pytest.warns(CollapseWarning, match="The loss is nan"),
        pytest.raises(ValueError, match=r"a loss that is a number\. Received: .*nan in epoch 1"),
    ):
        pretrain(broken, tmp_path / "run")
    assert not (tmp_path / "run" / "results.json").exists()


def test_a_time_limit_leaves_a_run_that_goes_on(source, tmp_path):
    results = pretrain(recipe(source), tmp_path / "run", minutes=1e-6)
    assert (results["epochs"], results["finished"]) == (1, False)
    results = pretrain(recipe(source), tmp_path / "run")
    assert (results["epochs"], results["finished"]) == (3, True)
    assert not (tmp_path / "run" / "backup").exists()


def test_a_finished_run_is_not_overwritten_unless_asked(source, tmp_path):
    pretrain(recipe(source, epochs=1), tmp_path / "run")
    with pytest.raises(ValueError, match="which is finished"):
        pretrain(recipe(source, epochs=1), tmp_path / "run")
    with pytest.raises(ValueError, match=r"another training \(.*'epochs': 1.*'epochs': 2"):
        pretrain(recipe(source, epochs=2), tmp_path / "run")
    assert pretrain(recipe(source, epochs=2), tmp_path / "run", resume=False)["epochs"] == 2


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_of_something_else_is_left_alone(source, tmp_path, resume):
    other = tmp_path / "other"
    other.mkdir()
    (other / "README.md").write_text("mine")
    with pytest.raises(ValueError, match="which holds other files"):
        pretrain(recipe(source), other, resume=resume)
    assert (other / "README.md").read_text() == "mine"


def test_a_run_that_never_trained_takes_a_corrected_recipe(source, tmp_path):
    with pytest.raises(ValueError, match="which does not exist"):
        pretrain(recipe(tmp_path / "typo.npz", epochs=1), tmp_path / "run")
    assert (tmp_path / "run" / "recipe.yaml").exists()
    assert pretrain(recipe(source, epochs=1), tmp_path / "run")["finished"]
    assert Recipe.load(tmp_path / "run" / "recipe.yaml").data.source == str(source)


@pytest.mark.parametrize("resume", [True, False])
def test_the_folder_of_a_recipe_is_no_run(source, tmp_path, resume):
    mine = tmp_path / "mine"
    mine.mkdir()
    recipe(source).save(mine / "recipe.yaml")
    (mine / "encoder.keras").write_text("mine")
    before = (mine / "recipe.yaml").read_text()
    with pytest.raises(ValueError, match=r"which holds other files\. Give another --run folder"):
        pretrain(recipe(source, epochs=1), mine, resume=resume)
    assert (mine / "recipe.yaml").read_text() == before
    assert (mine / "encoder.keras").read_text() == "mine"
    assert not (mine / "backup").exists()


def test_images_without_labels_are_measured_without_accuracies(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), "uint8")
    np.savez(tmp_path / "bare.npz", images=images)
    results = pretrain(recipe(tmp_path / "bare.npz", epochs=1), tmp_path / "run")
    assert "knn" not in results
    assert results["rank_me"] > 0


def test_a_bank_of_positives_goes_with_the_images(source, tmp_path):
    np.save(tmp_path / "bank.npy", np.load(source)["images"])
    changes = {
        "method.additions": [{"name": "CLSP"}],
        "data.positives": str(tmp_path / "bank.npy"),
        "data.test": str(source),
    }
    pretrain(override(recipe(source, epochs=1), changes), tmp_path / "run")
    (row,) = read_history(tmp_path / "run" / "history.csv")
    assert 0 < row["clsp_loss"] < 4


def test_a_weighting_looks_at_the_images_first(source, tmp_path):
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.AveragePooling2D(4)])
    network.save(tmp_path / "maps.keras")
    weighting = {"name": "ViewQuality", "network": str(tmp_path / "maps.keras")}
    changes = {"method.weighting": weighting}
    pretrain(override(recipe(source, epochs=1), changes), tmp_path / "run")
    method = keras.saving.load_model(tmp_path / "run" / "method.keras")
    direction = keras.ops.convert_to_numpy(method.weighting.direction)
    assert np.linalg.norm(direction) == pytest.approx(1, abs=1e-5)


def test_a_callback_gets_the_training_images(source, tmp_path):
    pytest.importorskip("sklearn")
    changes = {
        "method": {"name": "moco", "queue_size": 32, "false_negatives": {"name": "IFND"}},
        "callbacks": [{"name": "PseudoLabels", "num_clusters": 3, "start": 0, "end": 1}],
    }
    pretrain(override(recipe(source, epochs=2), changes), tmp_path / "run")
    method = keras.saving.load_model(tmp_path / "run" / "method.keras")
    clusters = keras.ops.convert_to_numpy(method.false_negatives.clusters[0].values)
    assert clusters.shape == (48,)  # a quarter of the 64 images is kept for the test
    assert set(clusters) == {0, 1, 2}  # in the last epoch all assignments are accepted


def test_batches_of_classes(source, tmp_path):
    triplets = override(
        recipe(source, epochs=1, classes_per_batch=2),
        {"method": {"name": "supcon", "loss": {"name": "Triplet", "mining": "batch-hard"}}},
    )
    with np.load(source) as file:
        train = Source(file["images"], file["labels"])
    for batch in range(3):
        _, labels = training_batches(triplets, train, labelled=True)[batch]
        assert np.unique(labels, return_counts=True)[1].tolist() == [8, 8]
    assert pretrain(triplets, tmp_path / "run")["finished"]
    with pytest.raises(ValueError, match=r"Expected labels.*Received: None"):
        training_batches(triplets, Source(train.images), labelled=True)


def test_a_history_replaces_the_epochs_that_are_trained_again(tmp_path):
    for start, losses in ((0, [3.0, 2.0]), (1, [1.5, 1.0])):
        history = EpochHistory(tmp_path / "history.csv")
        for epoch, loss in enumerate(losses, start):
            history.on_epoch_begin(epoch)
            history.on_epoch_end(epoch, {"loss": loss, **({"knn": 0.5} if epoch == 2 else {})})
    rows = read_history(tmp_path / "history.csv")
    assert column(rows, "loss") == ([1, 2, 3], [3.0, 1.5, 1.0])
    assert column(rows, "knn") == ([3], [0.5])
