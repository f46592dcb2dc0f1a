"""Sentence encoders: what they say of similar sentences, what is read off them, their speed.

    python benchmarks/text.py path/to/all-MiniLM-L6-v2 --sts --transfer \
        --peer path/to/python --json benchmarks/results/text.json

Reads a model's folder in the layout of Hugging Face into Keras and measures it on the STS tasks by
cosine and Spearman. "published" are the figures of the model's authors' leaderboard (MTEB), for
all-MiniLM-L6-v2; they are "all" (see `keras_contrastive.evaluation.sts`). SICK-R is all of SICK, as
there; STS13 lacks its SMT part, as everywhere.

Transfer is SentEval's: a logistic regression on frozen vectors, for MR by 10-fold
cross-validation, beside averaged word vectors of the unlabelled sentences. SST2 and MRPC are
trained with their development parts; a held-out part of all that chooses the regularisation.

With a Python that has sentence-transformers, 1,000 of the sentences go through `encode` of both,
with the same weights, on each backend that is named, in turns; then both train some steps on pairs
of a sentence with itself, tokenized before. The best of the rounds counts, by the clock and of the
processor. `largest_difference` is that of a component of a vector, at unit length. Tables that are
not asked for are kept in a file that exists.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from functools import partial

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from benchmarks.archives import loader  # noqa: E402

PUBLISHED = {  # all-MiniLM-L6-v2, percent
    "STS12": 72.37,
    "STS13": 80.60,
    "STS14": 75.59,
    "STS15": 85.39,
    "STS-B": 82.03,
    "SICK-R": 77.58,
}
FILES = {
    **{f"STS{year}": [f"sts{year}_test"] for year in (12, 13, 14, 15)},
    "STS-B": ["stsb_en_test"],
    "SICK-R": ["sick_train", "sick_dev", "sick_test"],
}
TRANSFER = {  # what is trained and tested on, the columns of texts, that of labels
    "MR": (["mr"], [], ["text"], "label"),
    "SST2": (["sst2_train", "sst2_dev"], ["sst2_test"], ["text"], "label"),
    "TREC": (["trec_train"], ["trec_test"], ["text"], "label"),
    "MRPC": (
        ["mrpc_train", "mrpc_dev"],
        ["mrpc_test"],
        ["sentence1", "sentence2"],
        "paraphrase",
    ),
}
NUM_TIMED, STEPS, MAX_LENGTH = 1000, 6, 32


def tables():
    """Rows of each task: two sentences, a score, and the data set within the task."""
    table = loader().table
    return {task: [row for name in names for row in table(name)] for task, names in FILES.items()}


def columns(rows):
    scores = [float(row.get("score") or row["relatedness"]) for row in rows]
    groups = [row.get("source", "") for row in rows]
    return [row["sentence1"] for row in rows], [row["sentence2"] for row in rows], scores, groups


def distinct(tasks):
    rows = [row for table in tasks.values() for row in table]
    return list(dict.fromkeys(row[key] for row in rows for key in ("sentence1", "sentence2")))


def similarity_table(encoder, tasks):
    from keras_contrastive.evaluation import sts

    sentences = distinct(tasks)
    vectors = dict(zip(sentences, encoder.encode(sentences), strict=True))
    rows = []
    for task, table in tasks.items():
        first, second, scores, groups = columns(table)
        named = groups if len(set(groups)) > 1 else None
        results = sts(lambda texts: [vectors[text] for text in texts], first, second, scores, named)
        percent = {name: round(100 * value, 2) for name, value in results.items()}
        rows.append({"task": task, "pairs": len(table), **percent, "published": PUBLISHED[task]})
    return rows


def transfer_table(encode):
    """Accuracy, percent, of each task."""
    from keras_contrastive.evaluation import transfer

    percent = {}
    for task, (train, test, texts, label) in TRANSFER.items():
        parts = []
        for names in (train, test):
            rows = [row for name in names for row in loader().table(name)]
            columns_of = [[row[column] for row in rows] for column in texts]
            given = columns_of[0] if len(texts) == 1 else tuple(columns_of)
            parts += [given, np.array([int(row[label]) for row in rows])] if rows else []
        percent[task] = round(100 * transfer(encode, *parts)["accuracy"], 2)
        print(task, percent[task], file=sys.stderr, flush=True)
    return percent


def timed_here(args):
    """What a process of its own measures of this library on its backend."""
    import keras_contrastive as kc
    from keras_contrastive.cli import machine

    sentences = json.loads(args.sentences.read_text())
    encoder = kc.encoders.SentenceEncoder.from_hugging_face(args.model)
    encoder.encode(sentences, args.batch_size, verbose=0)  # JAX compiles for every length
    clock, processor = [], []
    for _ in range(args.rounds):
        started, busy = time.perf_counter(), time.process_time()
        vectors = encoder.encode(sentences, args.batch_size, verbose=0)
        clock.append(time.perf_counter() - started)
        processor.append(time.process_time() - busy)
    np.save(args.vectors, vectors)
    return {
        "seconds": clock,
        "processor_seconds": processor,
        "training_seconds": timed_training(encoder, sentences, args),
        "versions": machine.versions(),
    }


def timed_training(encoder, sentences, args):
    """Seconds of epochs of a few steps, after one in which the step is compiled."""
    import keras

    import keras_contrastive as kc

    method = kc.SimCSE(encoder, max_length=args.max_length)
    method.compile(keras.optimizers.Adam(3e-5))
    ids = method.prepare(sentences[: args.steps * args.batch_size])
    seconds = []
    for _ in range(args.rounds + 1):
        started = time.perf_counter()
        method.fit((ids, ids), batch_size=args.batch_size, verbose=0)
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def run(command, **environment):
    settings = {"PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    done = subprocess.run(
        list(map(str, command)), env={**os.environ, **settings}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def speed_table(args, tasks):
    """Rows of this library on each backend and of the peer, their processes in turns."""
    sentences = distinct(tasks)
    chosen = np.random.default_rng(0).choice(len(sentences), NUM_TIMED, replace=False)
    settings = ["--batch-size", args.batch_size, "--rounds", args.rounds]
    settings += ["--steps", args.steps, "--max-length", args.max_length]
    found, vectors = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "sentences.json").write_text(json.dumps([sentences[row] for row in chosen]))
        out = folder / "vectors.npy"
        common = [args.model, folder / "sentences.json", out, *settings]
        for _ in range(args.turns):
            for way in [*args.backends, "sentence-transformers"]:
                if way in args.backends:
                    script = [sys.executable, __file__, "--worker", *common]
                    report = run(script, KERAS_BACKEND=way)
                else:
                    report = run([args.peer, HERE / "peers" / "sentences.py", *common])
                found.setdefault(way, []).append(report)
                vectors[way] = np.load(out)
    rows = []
    for way, reports in found.items():
        keys = ("seconds", "processor_seconds", "training_seconds")
        seconds, processor, training = (min(min(each[key]) for each in reports) for key in keys)
        rows.append(
            {
                "way": way,
                "sentences": NUM_TIMED,
                "batch_size": args.batch_size,
                "sentences_per_second": round(NUM_TIMED / seconds, 1),
                "processor_seconds": round(processor, 3),
                "seconds_per_step": round(training / args.steps, 3),
                "max_length_in_training": args.max_length,
                "largest_difference": float(
                    np.abs(vectors[way] - vectors["sentence-transformers"]).max()
                ),
                "versions": reports[0]["versions"],
            }
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("sentences", nargs="?", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("vectors", nargs="?", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--sts", action="store_true", help="measure similarity")
    parser.add_argument("--transfer", action="store_true", help="measure logistic regressions")
    parser.add_argument("--peer", help="a Python with sentence-transformers, to measure speed")
    parser.add_argument("--backends", nargs="*", default=["tensorflow", "jax", "torch"])
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--max-length", type=int, default=MAX_LENGTH)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(timed_here(args)))
        return

    import keras_contrastive as kc
    from keras_contrastive.cli import machine

    report = json.loads(args.json.read_text()) if args.json and args.json.exists() else {}
    tasks = tables()
    report |= {"model": args.model.name, "hardware": machine.hardware()}
    encoder = kc.encoders.SentenceEncoder.from_hugging_face(args.model)
    if args.sts:
        report |= {"similarity": similarity_table(encoder, tasks), "versions": machine.versions()}
    if args.transfer:
        from benchmarks.word_vectors import WordVectors

        words = WordVectors(text for text in loader().sentences() if text.strip())
        ways = {
            args.model.name: lambda texts: encoder.encode(texts, verbose=0),
            "averaged word vectors": words.encode,
            "averaged, frequent words less": partial(words.encode, weighted=True),
        }
        report["transfer"] = {name: transfer_table(encode) for name, encode in ways.items()}
    if args.peer:
        report["speed"] = speed_table(args, tasks)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
