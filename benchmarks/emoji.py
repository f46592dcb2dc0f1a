"""Emoji and their names, split so that the names of the tests are combinations not seen before.

Pictures come from the folder named by KERAS_CONTRASTIVE_DATA.
"""

import re

import numpy as np

from benchmarks.archives import loader

TONE = re.compile(r"(medium light|medium dark|light|medium|dark) skin tone")
PERSON = re.compile(r"(man|woman) (.+)")
SIZE = 32
TESTS = ("new tone", "new person")
NUM_HELD_OUT, NUM_VALIDATION = 24, 8  # activities


def load():
    """Pictures (N, 32, 32, 3) uint8 and their N names, none twice."""
    images, names = loader().emoji()  # 64 x 64
    images = images.reshape(len(images), SIZE, 2, SIZE, 2, 3).mean(axis=(2, 4))
    return np.round(images).astype("uint8"), names


def bare(name):
    """A name without its skin tones."""
    return " ".join(TONE.sub("", name).split())


def split(names):
    """Rows of "train", "validation", "new tone" and "new person"; the same for every seed."""
    rng = np.random.default_rng(0)
    groups = {}
    for row, name in enumerate(names):
        groups.setdefault(bare(name), []).append(row)
    toned = {base for base, rows in groups.items() if len(rows) > 5}
    activities = sorted(
        {m[2] for base in toned if (m := PERSON.fullmatch(base))}
        & {base[4:] for base in toned if base.startswith("man ")}
        & {base[6:] for base in toned if base.startswith("woman ")}
    )
    chosen = rng.permutation(activities)[: NUM_HELD_OUT + NUM_VALIDATION]
    whole = {
        f"{('man', 'woman')[i % 2]} {activity}": "new person" if i < NUM_HELD_OUT else "validation"
        for i, activity in enumerate(chosen)
    }
    parts = {part: [] for part in ("train", "validation", *TESTS)}
    for base, rows in groups.items():
        if base in whole:
            parts[whole[base]] += rows
        elif base in toned:
            order = rng.permutation([row for row in rows if TONE.search(names[row])])
            fifth = len(order) // 5
            parts["new tone"] += [*order[: 2 * fifth]]
            parts["validation"] += [*order[2 * fifth : 3 * fifth]]
            parts["train"] += [*order[3 * fifth :]]
            parts["train"] += [row for row in rows if not TONE.search(names[row])]
        else:
            parts["train"] += rows
    return {part: np.sort(rows).astype(int) for part, rows in parts.items()}


def classes_of(names):
    """Category -> the class of each name, or None: one skin tone, man or woman, what they do."""
    tones = [TONE.findall(name) for name in names]
    persons = [PERSON.fullmatch(bare(name)) for name in names]
    return {
        "skin tone": [found[0] if len(found) == 1 else None for found in tones],
        "gender": [found[1] if found else None for found in persons],
        "activity": [found[2] if found else None for found in persons],
    }
