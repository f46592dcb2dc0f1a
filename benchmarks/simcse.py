"""What SimCSE owes to its dropout and its temperature, on a small Transformer from scratch.

    python benchmarks/simcse.py --seeds 0 1 2 --epochs 3 --json benchmarks/results/simcse.json

Trains a BERT of two layers on the unlabelled sentences of the folder that KERAS_CONTRASTIVE_DATA
names, as it is and with one thing changed: without dropout, with the same mask for both passes of a
sentence, at temperature 1. STS-B's development part is measured after every epoch and chooses the
epoch; the other tasks, percent by Spearman on all pairs, are then measured once. Alignment and
uniformity are those of the development part. Beside them stand averaged word vectors of the same
sentences, also with less weight for frequent words (Arora et al., 2017).

Attention weights are not dropped, so that all masks are known. Sentences are cut at 32 tokens, also
those that are measured. `--json` is written after every run;
rows of the same name, seed and epochs are replaced, so a long series can be run in pieces.
"""

import argparse
import pathlib
import sys
import time
import warnings

import keras
import numpy as np
from keras import ops

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

import keras_contrastive as kc  # noqa: E402
from benchmarks.archives import loader  # noqa: E402
from benchmarks.rows import record  # noqa: E402
from benchmarks.text import columns, tables  # noqa: E402
from benchmarks.word_vectors import WordVectors  # noqa: E402
from keras_contrastive.cli import machine  # noqa: E402
from keras_contrastive.evaluation import sts, sts_geometry  # noqa: E402

KEY = ("name", "seed", "epochs", "sentences")
BASE = {"temperature": 0.05, "dropout": 0.1, "same_mask": False}
ABLATIONS = {
    "simcse": {},
    "no dropout": {"dropout": 0.0},
    "same mask": {"same_mask": True},
    "temperature 1": {"temperature": 1.0},
}
WORD_VECTORS = {"averaged word vectors": False, "averaged, frequent words less": True}
PIECES, MAX_LENGTH, BATCH_SIZE, LEARNING_RATE = 8000, 32, 128, 1e-3


@keras.saving.register_keras_serializable(package="benchmarks")
class SameMask(keras.layers.Dropout):
    """Dropout that is the same for rows i and i + N of 2N: the two passes of a sentence."""

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        ones = ops.ones_like(inputs[: ops.shape(inputs)[0] // 2])
        mask = keras.random.dropout(ones, self.rate, seed=self.seed_generator)
        return inputs * ops.concatenate([mask, mask], axis=0)


class Best(keras.callbacks.Callback):
    """Keeps the weights of the epoch that did best on the development part."""

    def on_train_begin(self, logs=None):
        self.score, self.epoch, self.weights = -np.inf, 0, None

    def on_epoch_end(self, epoch, logs=None):
        if logs["sts_correlation"] > self.score:
            self.score, self.epoch = logs["sts_correlation"], epoch + 1
            self.weights = self.model.encoder.get_weights()


def unlabelled(number):
    """So many of the unlabelled sentences, or all, in an order drawn with seed 0."""
    sentences = [text for text in loader().sentences() if text.strip()]
    order = np.random.default_rng(0).permutation(len(sentences))[:number]
    return [sentences[row] for row in order]


def tokenizer_of(sentences):
    """WordPiece with pieces of these sentences, and their number."""
    import tokenizers

    trained = tokenizers.BertWordPieceTokenizer(lowercase=True)
    trained.train_from_iterator(sentences, vocab_size=PIECES, show_progress=False)
    pieces = sorted(trained.get_vocab(), key=trained.get_vocab().get)
    return kc.encoders.SubwordTokenizer.wordpiece(pieces, MAX_LENGTH), len(pieces)


def encoder_of(tokenizer, pieces, dropout, same_mask, seed):
    backbone = kc.encoders.bert(
        pieces, 2, 4, 128, 512, MAX_LENGTH, dropout=dropout, attention_dropout=0.0, seed=seed
    )
    if same_mask:

        def clone(layer):
            kind = SameMask if type(layer) is keras.layers.Dropout else type(layer)
            return kind.from_config(layer.get_config())

        backbone = keras.models.clone_model(backbone, clone_function=clone)
    return kc.encoders.SentenceEncoder(backbone, tokenizer, pooling="mean")


def run(name, seed, epochs, sentences, tokenizer, pieces, tasks, dev):
    """One training; a row of figures."""
    settings = BASE | ABLATIONS[name]
    keras.utils.set_random_seed(seed)
    encoder = encoder_of(tokenizer, pieces, settings["dropout"], settings["same_mask"], seed)
    loss = kc.losses.SimCSELoss(settings["temperature"])
    method = kc.SimCSE(encoder, loss=loss, max_length=MAX_LENGTH)
    method.compile(keras.optimizers.Adam(LEARNING_RATE))
    ids, best = method.prepare(sentences), Best()

    def encode(texts):
        return encoder.encode(texts, verbose=0)

    untrained = {"dev": round(100 * sts(encode, *dev)["all"], 2), **measured(encode, tasks, dev)}
    started = time.perf_counter()
    history = method.fit(
        (ids, ids),  # the sentence twice, also without dropout
        batch_size=BATCH_SIZE,
        epochs=epochs,
        verbose=0,
        callbacks=[kc.callbacks.STSCorrelation(*dev), best],
    ).history
    seconds = time.perf_counter() - started
    encoder.set_weights(best.weights)
    return {
        "name": name,
        "seed": seed,
        "epochs": epochs,
        "sentences": len(sentences),
        **settings,
        "batch_size": BATCH_SIZE,
        "learning_rate": LEARNING_RATE,
        "untrained": untrained,
        "dev": round(100 * best.score, 2),
        "chosen_epoch": best.epoch,
        **measured(encode, tasks, dev),
        "loss": round(history["loss"][-1], 4),
        "contrastive_accuracy": round(history["contrastive_accuracy"][-1], 4),
        "seconds": round(seconds, 1),
        "weights": encoder.count_params(),
        "backend": keras.backend.backend(),
        "hardware": machine.hardware(),
        "versions": machine.versions(),
    }


def run_word_vectors(name, sentences, tasks, dev):
    """A row of figures of word vectors; nothing in them is drawn."""
    vectors = WordVectors(sentences)

    def encode(texts):
        return vectors.encode(texts, weighted=WORD_VECTORS[name])

    return {
        "name": name,
        "seed": 0,
        "epochs": 0,
        "sentences": len(sentences),
        "dev": round(100 * sts(encode, *dev)["all"], 2),
        **measured(encode, tasks, dev),
        "weights": vectors.vectors.size,
        "hardware": machine.hardware(),
    }


def measured(encode, tasks, dev):
    """Percent of each task; alignment and uniformity."""
    percent = {task: 100 * sts(encode, *columns(rows)[:3])["all"] for task, rows in tasks.items()}
    return {
        **{task: round(value, 2) for task, value in percent.items()},
        **{name: round(value, 4) for name, value in sts_geometry(encode, *dev).items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [*ABLATIONS, *WORD_VECTORS]
    parser.add_argument("--names", nargs="*", default=names, choices=names)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--sentences", type=int, help="so many of them, drawn with seed 0")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*are longer than max_length")
    sentences = unlabelled(args.sentences)
    tokenizer, pieces = tokenizer_of(sentences)
    tasks = tables()
    dev = columns(loader().table("stsb_en_dev"))[:3]

    def found():
        for seed in args.seeds:
            for name in args.names:
                if name in ABLATIONS:
                    yield run(name, seed, args.epochs, sentences, tokenizer, pieces, tasks, dev)
                elif seed == args.seeds[0]:
                    yield run_word_vectors(name, sentences, tasks, dev)

    record(found(), args.json, KEY)


if __name__ == "__main__":
    main()
