"""Our losses beside those of lightly and pytorch-metric-learning, on the same random cases.

    KERAS_BACKEND=torch python benchmarks/agreement.py --peer /path/to/environment/bin/python

The peers' own classes run in an environment of theirs (pip install torch lightly
pytorch-metric-learning) on batches of 2 to 64, dimensions of 2 to 256, temperatures of 0.05 to 1.
Their float64 result is the reference; ours is float32, and what float32 costs the peer stands
beside it. Differences of values are relative to the value; those of gradients are the largest
entry of the difference over the largest of the gradient. The largest of all cases is reported.
Rows of the same loss and backend in the JSON file are replaced, the others kept.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from collections import defaultdict

import keras
import numpy as np
from keras import ops

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from benchmarks.rows import merge, read, write  # noqa: E402
from keras_contrastive import layers, losses  # noqa: E402
from keras_contrastive.cli import machine  # noqa: E402
from keras_contrastive.ops import nearest_rows  # noqa: E402
from tests.gradients import value_and_gradients  # noqa: E402
from tests.oracles.adapters import ADAPTERS  # noqa: E402

KEY = ("peer", "backend")
# Where definitions differ, and what was done about it.
NOTES = {
    "lightly NNMemoryBankModule and NTXentLoss": "lightly's NNCLR contrasts within both views "
    "(NT-Xent), the paper and ours across them (InfoNCE): ours with loss=NTXent",
    "lightly DirectCLRLoss": "NT-Xent there, InfoNCE in the paper and ours: ours with loss=NTXent",
    "lightly BarlowTwinsLoss": "in batches of two the gradient all but vanishes on both sides",
    "lightly MACLLoss": "weights 1 / (1 - P + 1e-8) there, 1 / max(1 - P, 1e-6) here: they differ "
    "where an anchor's P is above 1 - 1e-4",
    "lightly NegativeCosineSimilarity": "gradient of the prediction; ours stops the target's",
    "lightly NTXentLoss with a memory bank": "gradient of the query; ours stops the key's",
    "lightly DINOLoss": "gradient of the student; lightly leaves the teacher's to the caller",
    "lightly TiCoLoss": "the first step, whose past moment is zero",
    "lightly HypersphereLoss": "Alignment + weight * Uniformity here",
    "pml SelfSupervisedLoss of NTXentLoss, one direction": "InfoNCE here",
    "pml NTXentLoss of labels": "mean over positive pairs there, over anchors in SINCERE: equal "
    "for classes of one size, as here",
    "pml SupConLoss": "anchors without a positive are left out of the mean there, zeros here",
    "pml SupConLoss of two views": "base_temperature = temperature here",
    "pml TripletMarginLoss": "given triplets, distances at any length, mean over all",
    **dict.fromkeys(
        [f"pml TripletMarginLoss, {kind} triplets" for kind in ("all", "semi-hard", "hard")]
        + ["pml TripletMarginLoss, BatchHardMiner"],
        "mean over the triplets of non-zero loss; rows that all but coincide (dimension 2) are "
        "told apart by rounding, on both sides",
    ),
}


def _two_views(loss):
    return lambda inputs, params: loss(params)(inputs["z1"], inputs["z2"])


def _macl(params):
    names = {"temperature": "base", "alpha": "alpha", "A_0": "neutral"}
    arguments = {ours: params[theirs] for theirs, ours in names.items()}
    return losses.MACL(layers.AlignmentTemperature(**arguments))


def _dino(inputs, params):
    teacher = [inputs["teacher1"], inputs["teacher2"]]
    student = [inputs[f"student{i}"] for i in (1, 2, 3, 4)]
    loss = losses.DINOLoss(params["student_temperature"], params["teacher_temperature"])
    return loss((teacher, inputs["center"]), student)


def _nnclr(inputs, params):
    loss = losses.NTXent(params["temperature"])
    n1, n2 = (
        nearest_rows(z / ops.norm(z, axis=1, keepdims=True), inputs["bank"])
        for z in (inputs["z1"], inputs["z2"])
    )
    return (loss(n1, inputs["p2"]) + loss(n2, inputs["p1"])) / 2


def _hypersphere(params):
    pull, spread = losses.Alignment(params["alpha"]), losses.Uniformity(params["t"])
    return lambda z1, z2: pull(z1, z2) + params["lam"] * spread(z1, z2)


def _mined(mining):
    def call(inputs, params):
        return losses.Triplet(params["margin"], mining)(inputs["labels"], inputs["z"])

    return call


# Beside the golden files' names: what only the peers' cases ask for.
OURS = {
    **ADAPTERS,
    "dino": _dino,
    "hypersphere": _two_views(_hypersphere),
    "info_nce": lambda x, p: losses.InfoNCE(p["temperature"])(x["z2"], x["z1"]),
    "macl": _two_views(_macl),
    "nnclr": _nnclr,
    "triplet_all": _mined("all"),
    "triplet_hard": _mined("hard"),
    "triplet_semi_hard": _mined("semi-hard"),
}


def load(path):
    """Versions of the peers, and the cases of each loss: dicts of arrays."""
    cases = defaultdict(lambda: defaultdict(dict))
    with np.load(path) as file:
        versions = json.loads(str(file["versions"]))
        for name in file.files:
            if name != "versions":
                loss, case, part = name.split("/")
                cases[loss][int(case)][part] = file[name]
    return versions, {loss: list(by_case.values()) for loss, by_case in cases.items()}


def with_prefix(case, prefix):
    return {k.removeprefix(prefix): v for k, v in case.items() if k.startswith(prefix)}


def value_difference(value, reference):
    return abs(value - reference) / (abs(reference) or 1.0)


def gradient_difference(gradients, reference):
    largest = max(np.abs(gradient).max() for gradient in reference.values())
    difference = max(np.abs(gradients[name] - reference[name]).max() for name in reference)
    return float(difference / (largest or 1.0))


def compare(peer, cases):
    """The largest differences over the cases of one loss, as a row."""
    found = []
    for case in cases:
        facts = json.loads(str(case["facts"]))
        call, params = OURS[facts["ours"]], facts["params"]
        expected = float(case["loss"]), with_prefix(case, "grad_")
        ours = value_and_gradients(
            lambda x, call=call, params=params: call(x, params),
            with_prefix(case, "input_"),
            facts["wanted"],
        )
        rounded = float(case["loss32"]), with_prefix(case, "grad32_")
        found.append(
            {
                "value": value_difference(ours[0], expected[0]),
                "gradient": gradient_difference(ours[1], expected[1]),
                "peer_value": value_difference(rounded[0], expected[0]),
                "peer_gradient": gradient_difference(rounded[1], expected[1]),
                "case": {name: facts[name] for name in ("batch", "dimension", "params")},
            }
        )
    worst = max(found, key=lambda difference: difference["gradient"])
    names = ("value", "gradient", "peer_value", "peer_gradient")
    return {
        "peer": peer,
        "ours": facts["ours"],
        "backend": keras.backend.backend(),
        "cases": len(found),
        **{name: max(difference[name] for difference in found) for name in names},
        "median_gradient": float(np.median([difference["gradient"] for difference in found])),
        "worst": worst["case"],
        "note": NOTES.get(peer, ""),
    }


def show(rows):
    print(f"{'':54}{'value':>10}{'gradient':>10}   the peer's own rounding in float32")
    for row in rows:
        numbers = (row[name] for name in ("value", "gradient", "peer_value", "peer_gradient"))
        print(f"{row['peer']:54}" + "".join(f"{number:10.1e}" for number in numbers))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peer", required=True, help="python of an environment with lightly and the other"
    )
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--losses", nargs="*", default=[""], help="parts of the peers' names")
    parser.add_argument("--json", type=pathlib.Path, default=HERE / "results" / "agreement.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "cases.npz"
        options = ["--cases", str(args.cases), "--seed", str(args.seed), "--losses", *args.losses]
        script = str(HERE / "peers" / "losses.py")
        subprocess.run([args.peer, script, str(path), *options], check=True)
        peers, cases = load(path)
    rows = read(args.json) if args.json.exists() else []
    for peer, its_cases in cases.items():
        versions = {**machine.versions(), **{f"peer {k}": v for k, v in peers.items()}}
        row = {**compare(peer, its_cases), "versions": versions}
        show([row])
        rows = merge(rows, row, KEY)
        write(args.json, rows)
    show(rows)


if __name__ == "__main__":
    main()
