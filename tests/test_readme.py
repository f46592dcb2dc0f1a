"""The README's example runs as it is written."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECK = """
import numpy as np
assert classifier(np.zeros((2, 32, 32, 3), "float32")).shape == (2, 10)
"""


def test_the_example_runs(tmp_path):
    readme = (ROOT / "README.md").read_text()
    code = re.search(r"<!-- example -->\n```python\n(.*?)```", readme, re.DOTALL).group(1)
    # In a process of its own, where JAX compiles for speed: it trains for a while.
    settings = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    subprocess.run([sys.executable, "-c", code + CHECK], cwd=tmp_path, env=settings, check=True)
    assert (tmp_path / "encoder.keras").exists()
