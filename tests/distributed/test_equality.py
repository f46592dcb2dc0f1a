"""Training on several devices equals training on one: loss, gradients, queues, logs, statistics."""

import numpy as np
import pytest

from tests.distributed.processes import BACKEND, run
from tests.methods.parts import METHODS, SENTENCE_METHODS

SMALL = ("moco", "simclr", "simclr_in_parts")
SHUFFLED = {"moco_symmetric"}  # whose parts of a batch are other ones on more devices
ALL = sorted(METHODS.keys() - SHUFFLED | SENTENCE_METHODS.keys())


def outcomes(folder, devices, rest, names, machines=False):
    file = folder / f"{devices}.npz"
    rest = 0 if BACKEND == "jax" else rest  # devices have to share evenly there
    run(devices, "tests/distributed/train.py", devices, file, rest, *names, machines=machines)
    with np.load(file) as results:
        return dict(results)


def differences(several, one):
    """What differs by more than rounding, which grows from step to step."""
    wrong = []
    for name, value in one.items():
        method, run, rest = name.split("/", 2)
        if run == "start":
            assert np.array_equal(several[name], value), name
            continue
        if BACKEND == "torch" and run == "epoch" and rest == "log/loss":
            continue  # Keras weighs the smaller last batch by the process's share of it
        before = one.get(f"{method}/start/{rest}", 0.0)
        change, scale = several[name] - value, np.abs(value - before).max()
        if np.abs(change).max() > (1e-4 if run == "step" else 2e-3) * scale + 1e-6:
            wrong.append(f"{name}: {np.abs(change).max():.1e} of {scale:.1e}")
    return wrong


@pytest.mark.parametrize(
    ("names", "rest", "counts"),
    [(SMALL, 3, (2,)), pytest.param(ALL, 5, (2, 4), marks=pytest.mark.slow)],
    ids=["small", "all"],
)
def test_several_devices_equal_one(tmp_path, names, rest, counts):
    """With a device that gets a single sample of the last batch."""
    one = outcomes(tmp_path, 1, rest, names)
    for count in counts:
        several = outcomes(tmp_path, count, rest, names)
        assert several.keys() == one.keys()
        wrong = differences(several, one)
        assert not wrong, f"on {count} devices: " + "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="the other backends' processes may be anywhere")
def test_several_machines_equal_one(tmp_path):
    """Two workers of `MultiWorkerMirroredStrategy`."""
    names = ("byol", "moco", "simclr")
    one = outcomes(tmp_path, 1, 4, names)
    wrong = differences(outcomes(tmp_path, 2, 4, names, machines=True), one)
    assert not wrong, "\n".join(wrong)
