"""Sentences a second of sentence-transformers; a worker of `text.py`.

Runs in an environment of its own (pip install sentence-transformers). Reads a JSON list of
sentences and writes their vectors.
"""

import argparse
import json
import pathlib
import time

import numpy as np
import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("model", "sentences", "vectors"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    model = SentenceTransformer(str(args.model), device="cpu")
    sentences = json.loads(args.sentences.read_text())
    model.encode(sentences[: args.batch_size], show_progress_bar=False)
    clock, processor = [], []
    for _ in range(args.rounds):
        started, busy = time.perf_counter(), time.process_time()
        vectors = model.encode(sentences, batch_size=args.batch_size, show_progress_bar=False)
        clock.append(time.perf_counter() - started)
        processor.append(time.process_time() - busy)
    np.save(args.vectors, vectors)
    modules = (sentence_transformers, transformers, torch)
    versions = {module.__name__: module.__version__ for module in modules}
    print(json.dumps({"seconds": clock, "processor_seconds": processor, "versions": versions}))


if __name__ == "__main__":
    main()
