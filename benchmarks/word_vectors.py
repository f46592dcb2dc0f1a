"""Averaged word vectors, which a sentence encoder has to beat."""

import re
from collections import Counter

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

_WORD = re.compile(r"[a-z0-9']+")


class WordVectors:
    """Singular vectors of the positive pointwise mutual information of words that stand near.

    As Levy et al., "Improving Distributional Similarity with Lessons Learned from Word
    Embeddings", 2015, build what word2vec learns by gradients.

    Args:
        sentences: What the words are counted in.
        dim: Length of a vector, default 128.
        window: Most words between two that stand near each other, default 5.
        min_count: Rarer words have no vector, default 2.
        negatives: Number of negative samples, whose logarithm is taken off, default 5.
    """

    def __init__(self, sentences, dim=128, window=5, min_count=2, negatives=5):
        texts = [_WORD.findall(sentence.lower()) for sentence in sentences]
        counts = Counter(word for words in texts for word in words)
        kept = sorted(word for word, count in counts.items() if count >= min_count)
        self.rows = {word: row for row, word in enumerate(kept)}
        ids = [[self.rows[word] for word in words if word in self.rows] for words in texts]
        near = [
            (words[:-distance], words[distance:])
            for words in ids
            for distance in range(1, window + 1)
            if len(words) > distance
        ]
        first, second = (np.concatenate([pair[side] for pair in near]) for side in (0, 1))
        shape = (len(kept), len(kept))
        together = sparse.coo_matrix((np.ones(len(first)), (first, second)), shape).tocsr()
        together = (together + together.T).tocoo()
        total = np.asarray(together.sum(axis=1)).ravel()
        information = np.log(together.data * total.sum())
        information -= np.log(total[together.row] * total[together.col]) + np.log(negatives)
        information = np.maximum(information, 0)
        positive = sparse.coo_matrix((information, (together.row, together.col)), shape)
        u, s, _ = svds(positive.tocsr(), k=dim, random_state=0)
        self.vectors = (u * np.sqrt(s)).astype("float32")
        share = np.array([counts[word] for word in kept]) / sum(counts.values())
        self.weights = (1e-3 / (1e-3 + share)).astype("float32")

    def encode(self, sentences, weighted=False):
        """Means of word vectors `(N, dim)`; `weighted`, frequent words count less."""
        vectors = np.zeros((len(sentences), self.vectors.shape[1]), "float32")
        for row, sentence in enumerate(sentences):
            ids = [self.rows[w] for w in _WORD.findall(sentence.lower()) if w in self.rows]
            if ids:
                weights = self.weights[ids] if weighted else np.ones(len(ids), "float32")
                vectors[row] = weights @ self.vectors[ids] / len(ids)
        return vectors
