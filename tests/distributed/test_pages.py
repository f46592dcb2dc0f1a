"""The scripts of the pages on several devices run, and the pages show them as they are."""

import re

import pytest

from tests.distributed.processes import BACKEND, ROOT, run

PAGES = ROOT / "docs" / "distributed"
PREPARED = """
import runpy, sys
import tensorflow as tf
cpu, = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])
runpy.run_path(sys.argv[1])
"""


@pytest.mark.slow
def test_the_script_trains_on_two_devices():
    script = PAGES / f"train_{BACKEND}.py"
    command = ["-c", PREPARED, script] if BACKEND == "tensorflow" else [script]
    outputs = run(2, *command)
    (found,) = re.findall(r"2 devices, loss ([\d.]+)", "".join(outputs))
    assert 0 < float(found) < 6.2  # log 511, of equal similarities


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_the_page_shows_the_script(backend):
    page = (PAGES / f"{backend}.md").read_text("utf8")
    assert (PAGES / f"train_{backend}.py").read_text("utf8") in page
