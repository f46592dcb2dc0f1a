"""The README's example runs as it is written."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent


def test_the_example_runs(tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text()
    code = re.search(r"<!-- example -->\n```python\n(.*?)```", readme, re.DOTALL).group(1)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert (tmp_path / "encoder.keras").exists()
    assert names["classifier"](
        names["images"].images[:2].repeat(2, 1).repeat(2, 2).repeat(3, 3)
    ).shape == (2, 10)
