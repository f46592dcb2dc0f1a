"""The page `docs/methods.md`, from `docs/methods.yaml` and `benchmarks/results/agreement.json`."""

import pathlib

from benchmarks.markdown import table
from benchmarks.rows import read

ROOT = pathlib.Path(__file__).resolve().parent.parent
AGREEMENT = ROOT / "benchmarks" / "results" / "agreement.json"
PAGE = """# Methods

Written by `python benchmarks/tables.py` from [methods.yaml](methods.yaml), which the tests hold to
the code. N is the number of images in a batch; every image has two views unless it says otherwise.

{methods}

*Golden* values were computed by other implementations and are part of the tests; *values* were
worked out by hand or in NumPy; *steps* compares the weights after two optimizer steps with a
computation of its own from the formulas; *gradients* holds where they go, and that targets and
stores get exactly none; *collapse* takes away what prevents it and sees the alarm go off. Every
method passes the tests that all of them share ([test_fit.py](../tests/methods/test_fit.py)) on
TensorFlow, JAX and PyTorch.

## Losses beside other libraries'

{agreement}
"""
HEAD = [
    "method",
    "use",
    "paper",
    "what prevents a collapse",
    "negatives",
    "what the batch size does",
    "heads",
    "loss",
    "state",
    "recipes",
    "verified by",
]
TESTS = ("values", "steps", "gradients", "collapse")


def text():
    """The text of `docs/methods.md`."""
    facts = rows()
    agreement = {row["ours"] for row in read(AGREEMENT)}
    return PAGE.format(
        methods=table(HEAD, [method_row(row, agreement) for row in facts]),
        agreement=agreement_table(),
    )


def rows():
    """The facts of all methods."""
    import yaml

    return yaml.safe_load((ROOT / "docs" / "methods.yaml").read_text())


def method_row(row, agreement):
    recipes = (f"[{name}](../benchmarks/recipes/{name}.yaml)" for name in row["recipes"])
    verified = ["golden " + code(row["golden"])] if row["golden"] else []
    verified += [f"[{kind}](../{row[kind].split('::')[0]})" for kind in TESTS if kind in row]
    if agreement & {*row["golden"], *row.get("agreement", [])}:
        verified.append("[other libraries](#losses-beside-other-libraries)")
    return [
        row["method"],
        code(row["use"]),
        f"[{row['paper']}]({row['link']})" if row["link"] else row["paper"],
        *(row[key] for key in ("prevents", "negatives", "batch")),
        code(row["heads"]) or "none",
        code(row["loss"]) or "that of the method",
        row["state"],
        ", ".join(recipes) or "none",
        "; ".join(verified) or "shared tests",
    ]


def code(names):
    return ", ".join(f"`{name}`" for name in names)


def agreement_table():
    """The largest differences over the backends, one row a peer's loss."""
    measured = read(AGREEMENT)
    names = ("value", "gradient", "peer_value", "peer_gradient")
    lines = []
    for peer in dict.fromkeys(row["peer"] for row in measured):
        of_peer = [row for row in measured if row["peer"] == peer]
        numbers = [f"{max(row[name] for row in of_peer):.0e}" for name in names]
        backends = ", ".join(sorted(row["backend"] for row in of_peer))
        lines.append([peer, backends, *numbers, of_peer[0]["note"]])
    head = ["loss", "backends", "value", "gradient", "its value", "its gradient", "mapped"]
    cases = {row["backend"]: f"{row['cases']} on {row['backend']}" for row in measured}
    note = (
        "The largest relative difference of our float32 from the peer's float64 over random cases "
        f"({', '.join(sorted(cases.values()))}), and that of the peer's own float32. pml is "
        "pytorch-metric-learning. `python benchmarks/agreement.py`"
    )
    return table(head, lines) + "\n\n" + note
