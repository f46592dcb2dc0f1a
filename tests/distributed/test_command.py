"""`pretrain --devices` from beginning to end, stopped and gone on with."""

import json
import os
import subprocess
import sys

import pytest

from keras_contrastive.cli.history import column, read_history
from tests.cli.tiny import recipe, write_images
from tests.distributed.processes import BACKEND, ROOT


def pretrain(*arguments):
    command = [sys.executable, "-m", "keras_contrastive", "pretrain", *map(str, arguments)]
    environment = {**os.environ, "KERAS_BACKEND": BACKEND, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
def test_a_run_on_two_devices_stops_and_goes_on(tmp_path):
    recipe(write_images(tmp_path / "images.npz")).save(tmp_path / "recipe.yaml")
    command = [tmp_path / "recipe.yaml", "--run", tmp_path / "run", "--devices", 2]
    stopped = pretrain(*command, "--minutes", 0.001)
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert stopped.stdout.count("Stopped after epoch 1") == 1
    finished = pretrain(*command)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (results["finished"], results["epochs"]) == (True, 3)
    rows = read_history(tmp_path / "run" / "history.csv")
    assert column(rows, "epoch")[1] == [1, 2, 3]


@pytest.mark.slow
def test_a_failure_is_told_once(tmp_path):
    failed = pretrain(tmp_path / "missing.yaml", "--devices", 2)
    assert failed.returncode == 1
    assert "missing.yaml" in failed.stdout + failed.stderr
