"""Writes the tables of the README from `benchmarks/results` and `zoo`, and its picture.

    python benchmarks/tables.py

The picture is cut from the report of a demo in `keras_contrastive_demo`, if there is one.

A table stands between `<!-- name -->` and `<!-- end name -->`; nothing there is typed by hand.
"""

import base64
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def quality():
    report = json.loads((RESULTS / "quality.json").read_text())
    head = ["", "kNN", "linear", "epochs", "seconds an epoch", "pairs/s", "peak memory, MB"]
    rows = [
        [
            row["name"],
            f"{100 * row['knn']:.1f} %",
            f"{100 * row['linear']:.1f} %",
            f"{row['epochs']:.1f}",
            f"{row['seconds_per_epoch']:.1f}",
            f"{row['pairs_per_second']:.0f}",
            row["peak_memory_mb"],
        ]
        for row in sorted(report["rows"], key=lambda row: -row["knn"])
    ]
    seeds = ", ".join(sorted({str(row["seed"]) for row in report["rows"]}))
    text = (
        f"{report['minutes']:g} minutes each, {report['rows'][0]['weights']:,} weights, "
        f"seed {seeds}, "
        f"{report['evaluated_on']}, {report['hardware']}: "
        f"`python benchmarks/quality.py --minutes {report['minutes']:g}`"
    )
    return markdown(head, rows) + "\n\n" + text


def step():
    report = json.loads((RESULTS / "step.json").read_text())
    rows = [
        [name, row["hand_written_ms"], row["fit_ms"], f"{row['ratio']:.3f}"]
        for name, row in report.items()
    ]
    head = ["backend", "hand-written step, ms", "`SimCLR.fit`, ms", "ratio"]
    return markdown(head, rows) + "\n\nMedians of one run: `python benchmarks/step.py`"


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
    return markdown(head, rows) + "\n\n" + text


def zoo():
    rows = []
    for path in sorted((ROOT / "zoo").glob("*/results.json")):
        results = json.loads(path.read_text())
        name = path.parent.name
        rows.append(
            [
                f"[{name}](zoo/{name}/README.md)",
                f"{100 * results['knn']:.1f} %",
                f"{100 * results['linear']:.1f} %",
                f"{results['parameters']:,}",
                results["epochs"],
            ]
        )
    head = ["preset", "kNN", "linear", "weights", "epochs"]
    return (
        markdown(head, rows) + "\n\nFrom each preset's `results.json`: `keras-contrastive zoo list`"
    )


def picture():
    report = ROOT / "keras_contrastive_demo" / "report.html"
    if report.exists():
        encoded = re.findall(r'alt="Maps[^>]*base64,([^"]+)"', report.read_text())
        (ROOT / "docs" / "map.svg").write_bytes(base64.b64decode(encoded[0]))


def main():
    picture()
    readme = ROOT / "README.md"
    text = readme.read_text()
    for table in (quality, step, augmentation, zoo):
        try:
            content = table()
        except FileNotFoundError as error:
            print(f"{table.__name__}: {error.filename} is missing, left as it is", file=sys.stderr)
            continue
        begin, end = f"<!-- {table.__name__} -->", f"<!-- end {table.__name__} -->"
        pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"Expected {begin} and {end} in README.md. Received: neither or one.")
        text = pattern.sub(lambda _, block=f"{begin}\n{content}\n{end}": block, text)
    readme.write_text(text)


if __name__ == "__main__":
    main()
