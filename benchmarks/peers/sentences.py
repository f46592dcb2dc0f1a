"""The speed of sentence-transformers, `encode` and training; a worker of `text.py`.

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
from sentence_transformers.losses import MultipleNegativesRankingLoss


def train(model, batches, max_length):
    """Seconds of steps in which each sentence attracts itself, tokenized before."""
    model.max_seq_length = max_length
    tokenized = [model.tokenize(batch) for batch in batches]
    loss = MultipleNegativesRankingLoss(model, scale=20.0)
    optimizer = torch.optim.Adam(model.parameters(), 3e-5)
    model.train()
    started = time.perf_counter()
    for features in tokenized:
        optimizer.zero_grad()
        loss([{**features}, {**features}], None).backward()
        optimizer.step()
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("model", "sentences", "vectors"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--max-length", type=int, default=32)
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
    batches = [
        sentences[start : start + args.batch_size]
        for start in range(0, args.steps * args.batch_size, args.batch_size)
    ]
    training = [train(model, batches, args.max_length) for _ in range(args.rounds)]
    modules = (sentence_transformers, transformers, torch)
    versions = {module.__name__: module.__version__ for module in modules}
    report = {"seconds": clock, "processor_seconds": processor, "versions": versions}
    print(json.dumps({**report, "training_seconds": training}))


if __name__ == "__main__":
    main()
