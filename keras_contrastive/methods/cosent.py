"""CoSENT: sentence embeddings from pairs that people have scored."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.losses import CoSENTLoss
from keras_contrastive.methods.sentences import SentenceMethod
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import by_view


@keras.saving.register_keras_serializable(package="keras_contrastive")
class CoSENT(SentenceMethod):
    """Sentence embeddings from graded pairs: cosines are ranked as the scores.

    `fit((first, second), scores)`: of any two pairs of a batch, the one with the higher score is to
    have the higher cosine. How far apart scores are does not count, so any scale will do.

    There is no head: the encoder's vectors are compared, in training as at test.

    Args:
        encoder: A `keras_contrastive.encoders.SentenceEncoder`, or another built Keras model from
            token ids `(N, T)` to `(N, D)`.
        loss: A loss of `(scores, embeddings (N, 2, D))`; `None` for
            `CoSENTLoss(temperature=0.05)`.
        max_length: Tokens of the longest sentence in training; longer ones lose their end, with a
            warning. Default 64.
        **kwargs: `micro_batches` and `name`.

    Raises:
        ValueError: In `fit`, on other than two lists of sentences of one length, empty sentences,
            missing scores, or scores that are not finite.

    Logs: loss, representation_std, effective_rank, projection_std and projection_rank.
    `keras_contrastive.callbacks.STSCorrelation` adds the rank correlation of held-out pairs.

    Example:

    >>> import keras_contrastive as kc
    >>> words = "[PAD] [UNK] [CLS] [SEP] cat dog sits runs".split()
    >>> encoder = kc.encoders.SentenceEncoder(
    ...     kc.encoders.bert(8, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16),
    ...     kc.encoders.SubwordTokenizer.wordpiece(words),
    ... )
    >>> method = kc.CoSENT(encoder)
    >>> method.compile("adam")
    >>> first, second = ["cat sits", "dog runs", "cat"], ["dog sits", "dog runs", "runs"]
    >>> history = method.fit((first, second), [2.0, 5.0, 0.5], batch_size=3, verbose=0)
    >>> method.encoder.encode(["dog sits"]).shape
    (1, 8)

    Reference:
        Su, "CoSENT (1): a more effective sentence vector scheme than Sentence-BERT", 2022.
    """

    def __init__(
        self,
        encoder: keras.Model,
        loss: keras.losses.Loss | None = None,
        max_length: int = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(encoder, loss=loss or CoSENTLoss(), max_length=max_length, **kwargs)

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        if labels is None:
            raise ValueError(
                "Expected a score for each pair, `fit((first, second), scores)`. Received: none."
            )
        pairs = ops.stack(by_view(self.encode(views, training), 2), axis=1)  # (N, 2, D)
        return {"loss": self.loss_of(labels, pairs), "features": pairs[:, 0]}

    def fit(
        self, x: object = None, y: object = None, *args: Any, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains as `Method.fit`; `y` are the scores `(N,)`."""
        return super().fit(x, y if y is None else _finite(y), *args, **kwargs)

    def make_views(self, inputs: Any) -> tuple[Tensor, ...]:
        """The two sides of each pair."""
        if not isinstance(inputs, (tuple, list)):
            raise ValueError(
                "Expected pairs of sentences, `fit((first, second), scores)`. "
                "Received: one batch of token ids."
            )
        return super().make_views(inputs)


def _finite(scores: Any) -> np.ndarray:
    scores = np.asarray(ops.convert_to_numpy(scores), "float32")
    broken = np.count_nonzero(~np.isfinite(scores))
    if broken:
        raise ValueError(
            f"Expected finite scores. Received: {broken} that are not. Leave these pairs out."
        )
    return scores
