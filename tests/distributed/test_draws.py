"""Random draws on several devices."""

import pytest

from tests.distributed.processes import BACKEND, run


@pytest.mark.skipif(BACKEND == "jax", reason="draws are of the whole batch there")
def test_devices_draw_apart_and_end_in_the_same_state():
    run(2, "tests/distributed/draws.py")
