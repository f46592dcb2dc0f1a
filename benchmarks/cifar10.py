"""The CIFAR-10 images that benchmarks and zoo recipes train on, as one `.npz`.

    python benchmarks/cifar10.py runs/cifar10

writes `train.npz` and `test.npz` (arrays `images`, `labels`, `class_names`) from a folder of JPEG
archives with a `load.py`, named by KERAS_CONTRASTIVE_DATA.
"""

import argparse
import pathlib
import sys

import numpy as np

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent)]

from benchmarks.archives import loader  # noqa: E402


def load(split):
    """Images (N, 32, 32, 3) uint8, labels (N,) and class names of `train` or `test`."""
    images, labels, names = loader().cifar10(split)
    return images, labels.astype("int64"), names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        images, labels, names = load(split)
        np.savez(folder / f"{split}.npz", images=images, labels=labels, class_names=names)
        print(f"{folder / split}.npz: {len(images):,} images")


if __name__ == "__main__":
    main()
