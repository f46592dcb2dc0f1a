"""Writes all tables of the README, `docs` and `zoo/README.md`, the picture and `docs/methods.md`.

    python benchmarks/tables.py

The tables come from `benchmarks/results`, `zoo` and `docs/methods.yaml`; a table stands between
`<!-- name -->` and `<!-- end name -->`; nothing there is typed by hand. The picture
is cut from the report of a demo in `keras_contrastive_demo`, if there is one.
"""

import base64
import json
import pathlib
import re
import statistics
import sys
from collections import defaultdict

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
sys.path[:0] = [str(ROOT)]

from benchmarks import methods_page  # noqa: E402
from benchmarks.image_text import WAYS as WAYS_OF_RETRIEVAL  # noqa: E402
from benchmarks.loss import BACKENDS, WAYS  # noqa: E402
from benchmarks.markdown import table  # noqa: E402
from benchmarks.rows import read  # noqa: E402
from benchmarks.sentence_tables import simcse, simcse_tuned, text  # noqa: E402
from benchmarks.transfer import SCRATCH  # noqa: E402
from benchmarks.zoo_tables import all_presets, supervised, zoo  # noqa: E402
from keras_contrastive.presets.card import mean_and_spread  # noqa: E402


def headline():
    """The table of the largest budget."""
    return quality_tables()[0]


def quality():
    return "\n\n".join(quality_tables())


def quality_tables():
    """One for every budget, the largest first; the untrained encoder stands in all of them."""
    groups = defaultdict(list)
    for row in read(RESULTS / "quality.json"):
        groups[row["minutes"], row["evaluated_on"], row["hardware"]].append(row)
    untrained = [row for key in groups if key[0] == 0 for row in groups[key]]
    tables = []
    for minutes, evaluated_on, hardware in sorted(groups, reverse=True):
        if minutes == 0:
            continue
        rows = groups[minutes, evaluated_on, hardware]
        beside = [row for row in untrained if row["evaluated_on"] == evaluated_on]
        pinned = "taskset -c 0 " if hardware.endswith(" 1 core") else ""
        text = (
            f"{minutes:g} minutes each, {rows[0]['weights']:,} weights, {evaluated_on}, "
            f"{hardware}: `{pinned}python benchmarks/quality.py --minutes {minutes:g}`"
        )
        tables.append(quality_table([*rows, *beside]) + "\n\n" + text)
    return tables


def quality_table(rows):
    """A line for every name, the best first: means over the seeds, and their deviation."""
    by_name = defaultdict(list)
    for row in rows:
        by_name[row["name"]].append(row)

    def mean(name, column):
        values = [row[column] for row in by_name[name]]
        return None if None in values else statistics.mean(values)

    def percent(name, column):
        values = [100 * row[column] for row in by_name[name]]
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        return f"{statistics.mean(values):.1f}{spread} %"

    columns = {
        "epochs": ("epochs", "{:.1f}"),
        "seconds_per_epoch": ("seconds an epoch", "{:.1f}"),
        "pairs_per_second": ("images/s", "{:.0f}"),
        "peak_memory_mb": ("peak memory, MB", "{:.0f}"),
        "effective_rank": ("effective rank", "{:.1f}"),
        "representation_std": ("std", "{:.2f}"),
    }
    lines = []
    for name in sorted(by_name, key=lambda name: -mean(name, "knn")):
        figures = [(mean(name, column), form) for column, (_, form) in columns.items()]
        cells = ["-" if value is None else form.format(value) for value, form in figures]
        seeds = ", ".join(str(row["seed"]) for row in by_name[name])
        lines.append([name, seeds, percent(name, "knn"), percent(name, "linear"), *cells])
    return table(["", "seed", "kNN", "linear", *(head for head, _ in columns.values())], lines)


def collapse():
    """What the alarm says of every recipe, and of those that were broken."""
    rows = read(RESULTS / "collapse.json")
    lines = [
        [
            row["name"],
            row["seed"],
            f"{row['lowest_projection_std']:.2f}",
            f"{row['lowest_projection_rank']:.1f}",
            f"step {row['step']}: {row['alarm']}" if row["alarm"] else "silent",
        ]
        for row in sorted(rows, key=lambda row: (row["sound"], row["name"], row["seed"]))
    ]
    text = (
        f"The first {max(row['steps'] for row in rows)} steps, an epoch of CIFAR-10, "
        f"{rows[0]['hardware']}: `python benchmarks/collapse.py --json "
        "benchmarks/results/collapse.json`"
    )
    head = ["", "seed", "lowest std", "lowest rank", "alarm"]
    return table(head, lines) + "\n\n" + text


def step():
    report = json.loads((RESULTS / "step.json").read_text())
    rows = [
        [name, row["hand_written_ms"], row["fit_ms"], f"{row['ratio']:.3f}"]
        for name, row in report.items()
    ]
    head = ["backend", "hand-written step, ms", "`SimCLR.fit`, ms", "ratio"]
    return table(head, rows) + "\n\nMedians of one run: `python benchmarks/step.py`"


def augmentation():
    report = json.loads((RESULTS / "augmentation.json").read_text())
    rows = []
    for result in report["results"]:
        rates = {way: max(rounds) for way, rounds in result["images_per_second"].items()}
        name = f"{result['size']} px{', blur' if result['blur'] else ''}"
        cells = (f"{rate:,.0f} ({rate / rates['lightly']:.1f})" for rate in rates.values())
        rows.append([name, *cells])
    head = ["images/s on one core (times lightly's)", *rates]
    settings = report["settings"]
    text = (
        f"Batches of {settings['batch']}, {settings['interpolation']} crops, the best of "
        f"{settings['rounds']} rounds: `python benchmarks/augmentation.py`"
    )
    return table(head, rows) + "\n\n" + text


def loss():
    """Seconds and extra memory of each way at a few sizes, a table for each hardware."""
    by_hardware = defaultdict(list)
    for row in read(RESULTS / "loss.json"):
        by_hardware[row["hardware"]].append(row)
    return "\n\n".join(_loss(hardware, rows) for hardware, rows in sorted(by_hardware.items()))


def _loss(hardware, rows):
    measured = {(row["loss"], row["way"], row["pairs"]): row for row in rows}
    sizes = [
        n for n in (512, 1024, 4096, 8192, 32768, 65536) if any(row["pairs"] == n for row in rows)
    ]
    one_core = hardware.endswith("1 core")
    column, kind = (
        ("processor_seconds", "Processor seconds") if one_core else ("seconds", "Seconds")
    )

    def cell(*key):
        row = measured.get(key)
        return f"{row[column]:.3g} s, {row['extra_memory_mb']:.0f} MB" if row else "-"

    lines = [
        [name, f"ours, {way}" if way in BACKENDS else way, *(cell(name, way, n) for n in sizes)]
        for name, ways in WAYS.items()
        for way in ways
        if any((name, way, n) in measured for n in sizes)
    ]
    text = (
        f"{kind} and extra memory of value and gradient, D = 128; dense: ours from the "
        f"whole matrix; -: not run, or more than 8 GB. {hardware}: "
        f"`{'taskset -c 0 ' if one_core else ''}python benchmarks/loss.py --peer ... --json "
        "benchmarks/results/loss.json`"
    )
    return table(["loss", "", *(f"{n:,} pairs" for n in sizes)], lines) + "\n\n" + text


def devices():
    rows = read(RESULTS / "devices.json")
    one = next(row for row in rows if row["devices"] == 1)
    lines = [
        [
            row["devices"],
            row["batch_size"],
            f"{1000 * row['seconds_per_step']:.0f}",
            f"{_speed(row) / _speed(one):.2f}",
            row["memory_mb"],
        ]
        for row in rows
    ]
    head = ["devices", "images a step", "ms a step", "images/s, times one device's"]
    text = f"SimCLR on PyTorch, a core a device, {one['hardware']}: `python benchmarks/devices.py`"
    return table([*head, "memory of each, MB"], lines) + "\n\n" + text


def _speed(row):
    return row["batch_size"] / row["seconds_per_step"]


def image_text():
    """What CLIP finds of combinations that it has not seen, and what is found without it."""
    by_task = defaultdict(lambda: defaultdict(list))
    for row in read(RESULTS / "image_text.json"):
        by_task[row["task"]][row["name"]].append(row)
    retrieval = [task for task in by_task if task.startswith("retrieval")]
    classes = [task for task in by_task if task not in retrieval]
    names = ("chance", "names alone", "nearest picture", "untrained", "CLIP")

    def cell(task, name, figure):
        values = [100 * row[figure] for row in by_task[task][name]]
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        return f"{statistics.mean(values):.1f}{spread}" if values else "-"

    lines = []
    for task in retrieval:
        pairs = by_task[task]["CLIP"][0]["pairs"]
        title = f"{task.removeprefix('retrieval, ')}, {pairs:,} pairs"
        for name in names:
            if by_task[task][name]:
                ways = [f"{way}_r{k}" for way in WAYS_OF_RETRIEVAL for k in (1, 5, 10)]
                lines.append([title, name, *(cell(task, name, way) for way in ways)])
    recalls = [f"{way} R@{k}" for way in ("name of picture", "picture of name") for k in (1, 5, 10)]
    first = table(["", "", *recalls], lines)
    heads = [
        f"{task}, {by_task[task]['CLIP'][0]['classes']} classes, "
        f"{by_task[task]['CLIP'][0]['images']:,} pictures"
        for task in classes
    ]
    lines = [[name, *(cell(task, name, "accuracy") for task in classes)] for name in names]
    trained = by_task[classes[0]]["CLIP"]
    row = trained[0]
    seeds = ", ".join(str(other["seed"]) for other in trained)
    text = (
        f"Percent. {row['num_train']:,} pairs of training, {row['epochs']} epochs, "
        f"{row['weights']:,} weights, seed {seeds}, {row['hardware']}: "
        "`python benchmarks/image_text.py --json benchmarks/results/image_text.json`, which says "
        "what the rows are"
    )
    return first + "\n\n" + table(["zero-shot", *heads], lines) + "\n\n" + text


def transfer():
    """Of each data set a line for every start, means over the seeds and their deviation."""
    rows = read(RESULTS / "transfer.json")
    found = defaultdict(list)
    for row in rows:
        found[row["data"], row["start"], row["labels"], row["way"]].append(row)
    starts = sorted({row["start"] for row in rows} - {SCRATCH})

    def cell(data, start, column):
        values = [row["value"] for row in found[data, start, *column]]
        return mean_and_spread(values) if values else "-"

    tables = []
    for data in dict.fromkeys(row["data"] for row in rows):
        numbers = {row["labels"]: row["num_labels"] for row in rows if row["data"] == data}
        columns = [
            (labels, way)
            for labels in ("few", "all")
            for way in ("linear", "fine-tuned")
            if labels in numbers
        ]
        head = [f"{numbers[labels]:,} images, {way}" for labels, way in columns]
        lines = [
            [start, *(cell(data, start, column) for column in columns)]
            for start in (*starts, SCRATCH)
        ]
        tables.append(table([f"{data}, {_MEASURE[data == 'CamVid']}", *head], lines))
    places = [start if (ROOT / "zoo" / start).exists() else f"runs/{start}" for start in starts]
    seeds = len({row["seed"] for row in rows})
    counted = f"Means and standard deviations over {seeds} seeds" if seeds > 1 else "One seed"
    text = (
        f"{counted}; linear: the encoder is frozen, CamVid's decoder is trained; "
        f"{rows[0]['steps']} steps for all: `python benchmarks/transfer.py {' '.join(places)} "
        f"--seeds {' '.join(sorted({str(row['seed']) for row in rows}))} --json "
        "benchmarks/results/transfer.json`"
    )
    return "\n\n".join([*tables, text])


_MEASURE = {False: "test accuracy", True: "mean IoU"}


def picture():
    report = ROOT / "keras_contrastive_demo" / "report.html"
    if report.exists():
        encoded = re.findall(r'alt="Maps[^>]*base64,([^"]+)"', report.read_text())
        (ROOT / "docs" / "map.svg").write_bytes(base64.b64decode(encoded[0]))


def fill(page, makers):
    """Puts what each function makes between the marks of its name."""
    text = page.read_text()
    for make in makers:
        try:
            content = make()
        except FileNotFoundError as error:
            print(f"{make.__name__}: {error.filename} is missing, left as it is", file=sys.stderr)
            continue
        begin, end = f"<!-- {make.__name__} -->", f"<!-- end {make.__name__} -->"
        pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"Expected {begin} and {end} in {page}. Received: neither or one.")
        text = pattern.sub(lambda _, block=f"{begin}\n{content}\n{end}": block, text)
    page.write_text(text)


def main():
    picture()
    fill(ROOT / "README.md", (headline, zoo))
    fill(
        ROOT / "docs" / "measured.md",
        (quality, supervised, collapse, transfer, loss, devices, step, augmentation),
    )
    fill(ROOT / "docs" / "sentence_embeddings.md", (text, simcse, simcse_tuned))
    fill(ROOT / "docs" / "clip.md", (image_text,))
    fill(ROOT / "zoo" / "README.md", (all_presets,))
    (ROOT / "docs" / "methods.md").write_text(methods_page.text())


if __name__ == "__main__":
    main()
