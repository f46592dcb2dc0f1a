"""Small data sets that an encoder of CIFAR-10 never saw, for `transfer.py` and for zoo cards.

    python benchmarks/transfer_data.py runs/transfer

writes `train.npz` and `test.npz` of each of `emoji` and `blood_cells` into a folder of its own, as
`keras-contrastive zoo add --transfer runs/transfer/emoji/train.npz,runs/transfer/emoji/test.npz`
reads them. Images come from the folder named by KERAS_CONTRASTIVE_DATA.
"""

import argparse
import pathlib
import sys

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from benchmarks.archives import loader  # noqa: E402

# The longer names first: each is the end of another.
TONES = ("medium light", "medium dark", "light", "medium", "dark")
TEST_TONES = ("medium light", "medium dark")
SIZE = 64


def digits():
    """Scikit-learn's digits, grey made RGB; every fifth one is for testing."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.repeat(np.rint(data.images * (255 / 16)).astype("uint8")[..., None], 3, axis=-1)
    test = np.arange(len(images)) % 5 == 0
    names = list(map(str, data.target_names))
    return (images[~test], data.target[~test]), (images[test], data.target[test]), names


def emoji():
    """Which person, gesture or hand it is; the tones of skin to test on are none of training."""
    images, names = loader().emoji()
    found = {}
    for row, name in enumerate(names):
        tone = next((tone for tone in TONES if name.endswith(f" {tone} skin tone")), None)
        base = name.removesuffix(f" {tone} skin tone")
        if tone is not None and "skin tone" not in base:
            found.setdefault(base, {})[tone] = row
    bases = sorted(base for base, tones in found.items() if len(tones) == len(TONES))
    train = [tone for tone in TONES if tone not in TEST_TONES]
    rows, labels = {}, {}
    for part, tones in (("train", train), ("test", TEST_TONES)):
        rows[part] = [found[base][tone] for base in bases for tone in tones]
        labels[part] = np.repeat(np.arange(len(bases)), len(tones))
    parts = ((images[rows[part]], labels[part]) for part in ("train", "test"))
    return (*parts, bases)


def blood_cells():
    """Crops of cells, red or white, and platelets; of red cells, which are many, one a picture."""
    parts = {}
    for split in ("train", "val", "test"):
        pictures, boxes, kinds, names = loader().bccd(split)
        rng, crops, labels = np.random.default_rng(0), [], []
        for picture, its_boxes, its_kinds in zip(pictures, boxes, kinds):
            red = rng.permutation(np.flatnonzero(its_kinds == names.index("RBC")))[:1]
            others = np.flatnonzero(its_kinds != names.index("RBC"))
            for row in [*red, *others]:
                crops.append(crop(picture, its_boxes[row]))
                labels.append(its_kinds[row])
        parts[split] = np.stack(crops), np.array(labels, "int64")
    test = tuple(np.concatenate(pair) for pair in zip(parts["val"], parts["test"]))
    return parts["train"], test, names


def crop(picture, box):
    """A square around a box, as large as the longer side, resized."""
    left, top, right, bottom = map(float, box)
    half = max(right - left, bottom - top, 2.0) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    pad = int(np.ceil(half))
    padded = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    square = tuple(value + pad for value in (x - half, y - half, x + half, y + half))
    resized = Image.fromarray(padded).resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=square)
    return np.asarray(resized)


def camvid(size):
    """Road scenes and the class of each pixel, brought to `(height, width)`; 11 is void."""
    parts = []
    for split in ("train", "test"):
        images, masks, names = loader().camvid(split)
        shape = size[::-1]
        pictures = [Image.fromarray(image).resize(shape, Image.Resampling.BOX) for image in images]
        labels = [Image.fromarray(mask).resize(shape, Image.Resampling.NEAREST) for mask in masks]
        parts.append(
            (np.stack(list(map(np.asarray, pictures))), np.stack(list(map(np.asarray, labels))))
        )
    return (*parts, names[:11])


CLASSIFICATION = {"digits": digits, "emoji": emoji, "blood cells": blood_cells}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    for make in (emoji, blood_cells):
        *parts, names = make()
        path = folder / make.__name__
        path.mkdir(parents=True, exist_ok=True)
        for name, (images, labels) in zip(("train", "test"), parts):
            np.savez(path / f"{name}.npz", images=images, labels=labels, class_names=names)
            print(f"{path / name}.npz: {len(images):,} images of {len(names)} classes")


if __name__ == "__main__":
    main()
