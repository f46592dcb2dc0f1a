"""Measurements as rows of a JSON file that a series of runs fills piece by piece."""

import json


def read(path):
    """The rows of a file, each with what the file says about all of them."""
    report = json.loads(path.read_text())
    return [{**report, **row} for row in report.pop("rows")]


def write(path, rows):
    """Replaces the file at once, so that a run which is cut off leaves the earlier one."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    partial.replace(path)


def merge(rows, row, key):
    """The rows with one more, in the place of the one with the same values of `key`, if any."""
    same = [all(old[name] == row[name] for name in key) for old in rows]
    if True not in same:
        return [*rows, row]
    place = same.index(True)
    return [*rows[:place], row, *rows[place + 1 :]]


def record(found, path, key):
    """Shows rows as they come, and merges each into a file unless `path` is `None`."""
    rows = read(path) if path and path.exists() else []
    for row in found:
        print(row, flush=True)
        rows = merge(rows, row, key)
        if path:
            write(path, rows)
