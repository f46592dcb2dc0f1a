"""SimCSE: a sentence attracts itself under another dropout, or what follows from it."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers import build_head, simcse_projector
from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import SimCSELoss
from keras_contrastive.methods.base import serialize
from keras_contrastive.methods.sentences import SentenceMethod
from keras_contrastive.ops import l2_normalize, positive_is_nearest
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training import by_view
from keras_contrastive.training.devices import random_states


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SimCSE(SentenceMethod):
    """Simple contrastive learning of sentence embeddings, without labels or from triplets.

    Unsupervised, `fit(sentences)`: each sentence passes the encoder twice, and what tells the two
    apart is dropout alone. Supervised, `fit((premises, entailments, contradictions))`: a premise
    attracts what follows from it and repels what contradicts it; without contradictions, pairs,
    such as a sentence and its back-translation. `keras_contrastive.data.sentence_pairs` draws
    another of several positives in each epoch.

    At test the paper drops the head of the unsupervised model, which is `method.encoder`, and
    keeps that of the supervised one, `method.encoder.with_head(method.projector)`.

    Args:
        encoder: A `keras_contrastive.encoders.SentenceEncoder`, with pooling "cls_before_head" in
            the paper, or another built Keras model from token ids `(N, T)` to `(N, D)`.
        augmentation: A layer from token ids to two views, to train with more than dropout, such as
            `keras_contrastive.augmentation.TokenViews`; `None` for the sentence twice.
        projector: A Keras model on the sentence vectors, a function from their dimension to one,
            or `None` for the paper's, a dense layer with tanh.
        loss: A loss of `(keys, queries)`, with contradictions of `((keys, hard negatives),
            queries)`; `None` for `SimCSELoss(temperature=0.05)`.
        max_length: Tokens of the longest sentence in training; longer ones lose their end, with a
            warning. 32 in the paper.
        probe_classes: Number of classes of the online linear probe; `None` for none.

    Raises:
        ValueError: In `fit`, on sentences that are empty or no strings, lists of different
            lengths, strings for an encoder without tokenizer, arrays of token ids beyond its
            vocabulary (a data set is not looked at), or an encoder without dropout where nothing
            else makes views.

    Logs: loss, contrastive_accuracy (share of sentences whose positive is the nearest of all
    candidates), representation_std, effective_rank, projection_std, projection_rank and
    probe_accuracy. `evaluate` runs without dropout: there the two passes of a sentence are equal.

    Example:

    >>> import keras_contrastive as kc
    >>> words = "[PAD] [UNK] [CLS] [SEP] cat dog sits runs".split()
    >>> encoder = kc.encoders.SentenceEncoder(
    ...     kc.encoders.bert(8, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16),
    ...     kc.encoders.SubwordTokenizer.wordpiece(words),
    ...     pooling="cls_before_head",
    ... )
    >>> method = kc.SimCSE(encoder)
    >>> method.compile("adam")
    >>> history = method.fit(["cat sits", "dog runs", "cat runs", "dog"], batch_size=2, verbose=0)
    >>> method.encoder.encode(["dog sits"]).shape
    (1, 8)

    Differs from the reference: both passes of a batch have the gradient of the whole batch on
    several devices, where the official code keeps that of a device's own part.

    Reference:
        Gao et al., "SimCSE: Simple Contrastive Learning of Sentence Embeddings", 2021.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        loss: keras.losses.Loss | None = None,
        max_length: int = 32,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            loss=loss or SimCSELoss(),
            max_length=max_length,
            more_views=True,
            logs=["contrastive_accuracy"],
            probe_classes=probe_classes,
            **kwargs,
        )
        self.projector = build_head(projector, simcse_projector, self.feature_dim)

    def objective(
        self,
        views: tuple[Tensor, ...],
        labels: Tensor | None = None,
        index: Tensor | None = None,
        training: bool = True,
    ) -> dict[str, Tensor]:
        features, projections = self.project(views, training)  # (2N, ...), or (3N, ...)
        z1, *others = by_view(projections, len(views))
        keys = others[0] if len(others) == 1 else tuple(others)
        candidates = l2_normalize(ops.concatenate(others, axis=0))
        positive = ops.arange(ops.shape(z1)[0])
        nearest = positive_is_nearest(l2_normalize(z1), candidates, positive)
        return {
            "loss": self.loss_of(keys, z1, index, training=training),
            "features": by_view(features, len(views))[0],
            "contrastive_accuracy": ops.mean(nearest),
            "projections": [z1, others[0]],
        }

    def make_views(self, inputs: Any) -> tuple[Tensor, ...]:
        """Each sentence twice, or what `augmentation` makes of it; lists of sentences as they are.

        Args:
            inputs: A batch of token ids `(N, T)`, or a tuple of two or three such.

        Returns:
            A tuple of two or three batches.

        Raises:
            ValueError: If there are other than these, or a batch of one, or two equal views for an
                encoder without dropout.
        """
        if self.augmentation is not None or isinstance(inputs, (tuple, list)):
            views = super().make_views(inputs)
        elif not random_states(self.encoder):
            raise ValueError(
                "Expected an encoder with dropout, which is all that tells the two views of a "
                f"sentence apart. Received: {self.encoder.name!r}, without. Build it with "
                "`dropout=0.1`, or pass an `augmentation` or pairs."
            )
        else:
            views = super().make_views((inputs, inputs))
        if len(views) > 3:
            raise ValueError(
                "Expected two batches of token ids, or three with hard negatives. "
                f"Received: {len(views)}."
            )
        return views

    def get_config(self) -> dict:
        return {**super().get_config(), **serialize(projector=self.projector)}
