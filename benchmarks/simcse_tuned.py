"""What SimCSE adds to a sentence encoder that is trained already.

    python benchmarks/simcse_tuned.py path/to/all-MiniLM-L6-v2 \\
        --json benchmarks/results/simcse_tuned.json

Starts from the model's folder in the layout of Hugging Face, and goes on without labels, on the
unlabelled sentences of the folder that KERAS_CONTRASTIVE_DATA names, or with its triples of
premise, entailment and contradiction. STS-B's development part is measured after every epoch and
chooses the epoch; the other tasks, percent by Spearman on all pairs, are then measured once.
Sentences are cut at 32 tokens in training only, and there is no head. `--json` is written after
every run.
"""

import argparse
import pathlib
import sys
import time
import warnings

import keras

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

import keras_contrastive as kc  # noqa: E402
from benchmarks.archives import loader  # noqa: E402
from benchmarks.rows import record  # noqa: E402
from benchmarks.simcse import Best, measured, unlabelled  # noqa: E402
from benchmarks.text import columns, tables  # noqa: E402
from keras_contrastive.cli import machine  # noqa: E402
from keras_contrastive.evaluation import sts  # noqa: E402

KEY = ("name", "model", "seed", "epochs", "samples")
SETTINGS = {"batch_size": 64, "learning_rate": 2e-5}  # the rate that the model was trained with
NAMES = ("as it is", "unsupervised", "supervised")


def no_head(dim):
    """The model was trained without one, and a fresh one would be learned at its vectors' cost."""
    return keras.Sequential([keras.Input((dim,)), keras.layers.Identity()])


def samples(name, num_sentences):
    """What `fit` takes."""
    if name == "supervised":
        return tuple(list(column) for column in zip(*loader().nli_triples(), strict=True))
    return unlabelled(num_sentences)


def run(name, args, seed, tasks, dev):
    """One training; a row of figures."""
    keras.utils.set_random_seed(seed)
    encoder = kc.encoders.SentenceEncoder.from_hugging_face(args.model, normalize=False)

    def encode(texts):
        return encoder.encode(texts, verbose=0)

    row = {"name": name, "model": pathlib.Path(args.model).name, "seed": seed, "epochs": 0}
    row |= {"samples": 0, "dev": round(100 * sts(encode, *dev)["all"], 2)}
    if name != "as it is":
        x, best = samples(name, args.sentences), Best()
        method = kc.SimCSE(encoder, projector=no_head)
        method.compile(keras.optimizers.Adam(SETTINGS["learning_rate"]))
        started = time.perf_counter()
        history = method.fit(
            x,
            batch_size=SETTINGS["batch_size"],
            epochs=args.epochs,
            callbacks=[kc.callbacks.STSCorrelation(*dev), best],
        ).history
        encoder.set_weights(best.weights)
        row |= {"epochs": args.epochs, "dev": round(100 * best.score, 2)}
        row |= {"samples": len(x[0] if name == "supervised" else x), "chosen_epoch": best.epoch}
        row |= {"seconds": round(time.perf_counter() - started, 1), **SETTINGS}
        row |= {"loss": round(history["loss"][-1], 4)}
    return (
        row
        | measured(encode, tasks, dev)
        | {
            "weights": encoder.count_params(),
            "backend": keras.backend.backend(),
            "hardware": machine.hardware(),
            "versions": machine.versions(),
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="folder of a BERT in the layout of Hugging Face")
    parser.add_argument("--names", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--sentences", type=int, help="so many of them, drawn with seed 0")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*are longer than max_length")
    dev = columns(loader().table("stsb_en_dev"))[:3]
    tasks = tables()
    found = (run(name, args, seed, tasks, dev) for seed in args.seeds for name in args.names)
    record(found, args.json, KEY)


if __name__ == "__main__":
    main()
