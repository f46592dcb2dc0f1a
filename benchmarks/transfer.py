"""What a pretrained encoder is worth on data it never saw, beside the same network from scratch.

    python benchmarks/transfer.py simclr_small_resnet_cifar10 runs/supervised/encoder.keras \\
        --json benchmarks/results/transfer.json

Encoders are names of presets, folders or `.keras` files, all of one network; `from scratch` is
that network with fresh weights. Data: scikit-learn's digits, emoji in tones of skin that training
does not show, crops of blood cells, and CamVid's road scenes, pixel by pixel (in the folder named
by KERAS_CONTRASTIVE_DATA). Frozen, and trained as a whole; with all labels, and with few. The
models and their training are those of `docs/transfer.py`, in plain Keras, with the same number of
steps for all; nothing is chosen on the test images, and the last step counts.

`--json` is written after every row; rows that it has already are not measured again, so a series
can be interrupted and goes on.
"""

import argparse
import importlib.util
import pathlib
import sys
import time

import keras
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from benchmarks import transfer_data  # noqa: E402
from benchmarks.rows import merge, read, write  # noqa: E402

SCRATCH = "from scratch"
CAMVID_SIZE, VOID = (96, 128), 11
# Labelled images a class that count as few; of CamVid, images.
FEW = {"digits": 10, "emoji": 1, "blood cells": 10, "CamVid": 40}
# A last layer alone bears a higher rate than a whole network, and needs it.
RATES = {"linear": 1e-2, "fine-tuned": 1e-3}
# What makes two measurements the same one.
KEY = ("data", "labels", "way", "start", "seed", "steps")


def page():
    """The code of the documentation, which is what is measured."""
    spec = importlib.util.spec_from_file_location("transfer_page", ROOT / "docs" / "transfer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def name_of(path):
    """`mine` of a preset `mine`, of `runs/mine` and of `runs/mine/encoder.keras`."""
    path = pathlib.Path(path)
    return path.parent.name if path.name == "encoder.keras" else path.name.removesuffix(".keras")


def encoder_for(start, encoders, seed):
    """A fresh copy: a pretrained one, or the first one's network from scratch."""
    original = encoders.get(start, next(iter(encoders.values())))
    keras.utils.set_random_seed(seed)
    copy = type(original).from_config(original.get_config())
    if start != SCRATCH:
        copy.set_weights(original.get_weights())
    return copy


def few_of_each(labels, number, seed):
    """Rows of so many images of each class."""
    rng = np.random.default_rng(seed)
    classes = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return np.concatenate([rows[:number] for rows in classes])


def classification(name, encoder, way, few, seed, steps):
    """Test accuracy, and the number of labels."""
    code = page()
    (train_x, train_y), (test_x, test_y), names = transfer_data.CLASSIFICATION[name]()
    rows = few_of_each(train_y, FEW[name], seed) if few else np.arange(len(train_y))
    train_x, test_x = (brought_to(encoder, images) for images in (train_x[rows], test_x))
    model = code.classifier(encoder, len(names), frozen=way == "linear")
    rate = RATES[way]
    code.train(model, train_x, train_y[rows], epochs_of(len(rows), steps), learning_rate=rate)
    predicted = model.predict(test_x, verbose=0).argmax(axis=-1)
    return float(np.mean(predicted == test_y)), len(rows)


def segmentation(encoder, way, few, seed, steps):
    """Mean over the classes of intersection over union on the test images, void left out."""
    code = page()
    (train_x, train_y), (test_x, test_y), names = transfer_data.camvid(CAMVID_SIZE)
    order = np.random.default_rng(seed).permutation(len(train_x))
    rows = order[: FEW["CamVid"]] if few else order
    train_x, test_x = (images / np.float32(255) for images in (train_x[rows], test_x))
    model = code.segmenter(encoder, len(names), train_x.shape[1:], frozen=way == "linear")
    epochs = epochs_of(len(rows), steps, batch_size=8)
    code.train(model, train_x, train_y[rows], epochs, batch_size=8, ignore_class=VOID)
    predicted = [
        model.predict_on_batch(test_x[start : start + 16]).argmax(axis=-1)
        for start in range(0, len(test_x), 16)
    ]
    return mean_iou(np.concatenate(predicted), test_y, len(names)), len(rows)


def mean_iou(predicted, labels, num_classes):
    """Mean intersection over union of the classes that occur."""
    known = labels < num_classes
    pairs = labels[known].astype("int64") * num_classes + predicted[known]
    counts = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    intersection = np.diag(counts)
    union = counts.sum(axis=0) + counts.sum(axis=1) - intersection
    return float(np.mean(intersection[union > 0] / union[union > 0]))


def epochs_of(num_images, steps, batch_size=32):
    return max(1, round(steps / -(-num_images // batch_size)))


def brought_to(encoder, images):
    """Images as floats in 0 to 1, in the size that an encoder takes."""
    size = encoder.input_shape[1:3]
    resized = keras.ops.image.resize(
        images.astype("float32"), size, interpolation="bicubic", antialias=True,
        data_format="channels_last",
    )  # fmt: skip
    return np.clip(keras.ops.convert_to_numpy(resized) / 255, 0, 1)


def settings(args, starts):
    """All that is to be measured, the cheap before the dear."""
    for name in args.data:
        for few in (True, False):
            for way in ("linear", "fine-tuned"):
                for seed in args.seeds:
                    for start in starts:
                        yield {
                            "data": name,
                            "labels": "few" if few else "all",
                            "way": way,
                            "start": start,
                            "seed": seed,
                            "steps": args.steps,
                        }


def measure(setting, encoders):
    few, way, seed = setting["labels"] == "few", setting["way"], setting["seed"]
    encoder = encoder_for(setting["start"], encoders, seed)
    started = time.perf_counter()
    if setting["data"] == "CamVid":
        value, number = segmentation(encoder, way, few, seed, setting["steps"])
    else:
        value, number = classification(setting["data"], encoder, way, few, seed, setting["steps"])
    keras.utils.clear_session(free_memory=False)
    seconds = round(time.perf_counter() - started, 1)
    return {"value": value, "num_labels": number, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoders", nargs="+", help="presets, folders or .keras files")
    parser.add_argument("--data", nargs="+", choices=FEW, default=list(FEW), metavar="DATA")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()

    from keras_contrastive import from_preset
    from keras_contrastive.cli import machine

    encoders = {name_of(path): from_preset(path) for path in args.encoders}
    rows = read(args.json) if args.json and args.json.exists() else []
    facts = {"hardware": machine.hardware(), "backend": keras.backend.backend()}
    for setting in settings(args, [*encoders, SCRATCH]):
        if any(all(row[name] == setting[name] for name in KEY) for row in rows):
            continue
        row = {**setting, **measure(setting, encoders), **facts}
        print(*(f"{row[name]}" for name in (*KEY, "num_labels", "value", "seconds")), flush=True)
        rows = merge(rows, row, KEY)
        if args.json:
            write(args.json, rows)


if __name__ == "__main__":
    main()
