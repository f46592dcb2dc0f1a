"""Tables of `docs/sentence_embeddings.md`, from `benchmarks/results`."""

import json
import pathlib
import statistics
from collections import defaultdict

from benchmarks.markdown import table
from benchmarks.rows import read
from benchmarks.simcse_tuned import NAMES as WAYS_OF_TUNING

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
SIMILARITIES = ["dev", "STS12", "STS13", "STS14", "STS15", "STS-B", "SICK-R"]


def text():
    """What a sentence encoder read into Keras says of similar sentences, and its speed."""
    report = json.loads((RESULTS / "text.json").read_text())

    def percent(row, name):
        return f"{row[name]:.2f}" if name in row else "-"

    ways = ("all", "published", "mean", "wmean")
    rows = [
        [row["task"], f"{row['pairs']:,}", *(percent(row, way) for way in ways)]
        for row in report["similarity"]
    ]
    text = (
        f"{report['model']}, Spearman of cosines, times 100. Published is MTEB's figure, to be "
        "compared with all (all pairs of the task ranked together); mean and wmean are of the "
        "task's own data sets, plain and weighted by pairs: "
        "`python benchmarks/text.py path/to/model --sts --json benchmarks/results/text.json`"
    )
    similarity = table(["task", "pairs", *ways], rows) + "\n\n" + text
    tasks = list(next(iter(report["transfer"].values())))
    rows = [
        [name, *(f"{percent[task]:.1f}" for task in tasks)]
        for name, percent in report["transfer"].items()
    ]
    text = (
        "Accuracy of a logistic regression on frozen vectors, percent; MR by 10-fold "
        "cross-validation: `python benchmarks/text.py path/to/model --transfer --json "
        "benchmarks/results/text.json`"
    )
    transferred = table(["", *tasks], rows) + "\n\n" + text
    rows = [
        [
            row["way"] if row["way"] == "sentence-transformers" else f"ours, {row['way']}",
            f"{row['sentences_per_second']:.0f}",
            f"{row['processor_seconds']:.1f}",
            f"{row['largest_difference']:.0e}",
            f"{row['seconds_per_step']:.2f}",
        ]
        for row in report["speed"]
    ]
    head = ["", "`encode`, sentences/s", "its processor seconds", "largest difference"]
    head.append("seconds a training step")
    text = (
        f"{report['speed'][0]['sentences']:,} sentences of these tasks in batches of "
        f"{report['speed'][0]['batch_size']}, the same weights, the best of the rounds in one run; "
        "the difference is that of a component of a unit vector. Steps are of as many pairs of a "
        f"sentence with itself, cut at {report['speed'][0]['max_length_in_training']} tokens. "
        f"{report['hardware']}: "
        "`taskset -c 0 python benchmarks/text.py path/to/model --peer path/to/python --json "
        "benchmarks/results/text.json`"
    )
    speed = table(head, rows) + "\n\n" + text
    return "\n\n".join([similarity, transferred, speed])


def simcse():
    """What training adds to a small Transformer, and what its parts are for."""
    by_name = _by_name("simcse.json")
    trained = by_name["simcse"]
    lines = [_similarities("untrained", [row["untrained"] for row in trained])]
    lines += [_similarities(name, rows) for name, rows in by_name.items()]
    row = trained[0]
    seeds = ", ".join(str(other["seed"]) for other in trained)
    text = (
        f"Spearman of cosines, times 100, all pairs of a task together; dev is STS-B's development "
        f"part, which chose the epoch and of which alignment and uniformity are. "
        f"{row['sentences']:,} sentences without labels, {row['epochs']} epochs, "
        f"{row['weights']:,} weights, seed {seeds}, {row['hardware']}: "
        f"`python benchmarks/simcse.py --sentences {row['sentences']} --epochs {row['epochs']} "
        "--json benchmarks/results/simcse.json`"
    )
    return table(["", *SIMILARITIES, "alignment", "uniformity"], lines) + "\n\n" + text


def simcse_tuned():
    """What SimCSE adds to a model that is trained already."""
    by_name = _by_name("simcse_tuned.json")
    lines = [_similarities(name, by_name[name]) for name in WAYS_OF_TUNING]
    row = by_name["unsupervised"][0]
    text = (
        f"{row['model']}; unsupervised from {row['samples']:,} sentences, supervised from "
        f"{by_name['supervised'][0]['samples']:,} triples; {row['epochs']} epoch, seed "
        f"{row['seed']}, {row['hardware']}: `python benchmarks/simcse_tuned.py path/to/model "
        f"--sentences {row['samples']} --epochs {row['epochs']} --json "
        "benchmarks/results/simcse_tuned.json`"
    )
    return table(["", *SIMILARITIES, "alignment", "uniformity"], lines) + "\n\n" + text


def _by_name(file):
    by_name = defaultdict(list)
    for row in read(RESULTS / file):
        by_name[row["name"]].append(row)
    return by_name


def _similarities(name, rows):
    percent = (_mean_of([row[task] for row in rows], "{:.1f}") for task in SIMILARITIES)
    geometry = (
        _mean_of([row[key] for row in rows], "{:.2f}") for key in ("alignment", "uniformity")
    )
    return [name, *percent, *geometry]


def _mean_of(values, form):
    spread = f" ± {form.format(statistics.stdev(values))}" if len(values) > 1 else ""
    return form.format(statistics.mean(values)) + spread
