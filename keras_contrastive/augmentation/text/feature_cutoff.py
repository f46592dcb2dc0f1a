"""FeatureCutoff: the same features of all tokens are erased."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import RandomLayer, Tensor, check_rate


@keras.saving.register_keras_serializable(package="keras_contrastive")
class FeatureCutoff(RandomLayer):
    """Sets a share of the features to zero in all token embeddings of a sentence, while training.

    It works on embeddings, not on ids, and so inside the encoder: `with_feature_cutoff` puts it
    there. Twice the same sentence in a batch loses other features.

    Args:
        rate: share of the features that are erased, 0 to below 1; of D the whole part of
            `rate * D`. Default 0.2, the paper's. What stays is not scaled up.

    Example:

    >>> import numpy as np
    >>> cutoff = FeatureCutoff(rate=0.25)
    >>> embeddings = np.asarray(cutoff(np.ones((1, 3, 8), "float32"), training=True))
    >>> embeddings.sum(axis=2).tolist(), int((embeddings.sum(axis=1) == 0).sum())
    ([[6.0, 6.0, 6.0]], 2)

    Reference: Yan et al., ConSERT: A contrastive framework for self-supervised sentence
    representation transfer (2021), section 3.2.
    """

    def __init__(self, rate: float = 0.2, **kwargs: Any):
        super().__init__(**{"dtype": None, **kwargs})  # that of the encoder around it
        check_rate("rate", rate)
        self.rate, self.supports_masking = rate, True

    def call(self, embeddings: Tensor, training: bool = False) -> Tensor:
        num_erased = int(self.rate * embeddings.shape[-1])
        if not training or not num_erased:
            return embeddings
        draws = self.uniform(embeddings, shape=(1, embeddings.shape[-1]))  # one a feature
        limit = ops.sort(draws, axis=2)[:, :, num_erased - 1, None]
        return ops.where(draws > limit, embeddings, ops.zeros_like(embeddings))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


def with_feature_cutoff(
    backbone: keras.Model, after: str = "embedding_norm", rate: float = 0.2, **kwargs: Any
) -> keras.Model:
    """A model that shares the layers of `backbone` and has a `FeatureCutoff` behind one of them.

    Train a `SentenceEncoder` of it, and save the backbone itself, whose weights it trains.

    Args:
        backbone: A Functional model, such as `keras_contrastive.encoders.bert`.
        after: Name of the layer that gives the embeddings `(N, T, D)`; the default is that of
            `bert`, the normalised sum of the embeddings of tokens and positions.
        rate: As `FeatureCutoff`.
        **kwargs: `seed` and whatever else a layer takes.

    Returns:
        A `keras.Model` with the inputs and outputs of the backbone.

    Raises:
        ValueError: If the backbone has no such layer.

    Example:

    >>> import keras_contrastive as kc
    >>> backbone = kc.encoders.bert(9, num_layers=1, num_heads=1, hidden_dim=4, intermediate_dim=4)
    >>> model = kc.augmentation.with_feature_cutoff(backbone, rate=0.5)
    >>> len(model.layers) - len(backbone.layers), len(model.weights) - len(backbone.weights)
    (1, 0)
    """
    names = [layer.name for layer in backbone.layers]
    if after not in names:
        raise ValueError(f"Expected `after` to name one of {names}. Received: {after!r}.")
    cutoff = FeatureCutoff(rate, **kwargs)

    def call(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        outputs = layer(*args, **kwargs)
        return cutoff(outputs) if layer.name == after else outputs

    return keras.models.clone_model(
        backbone, clone_function=lambda layer: layer, call_function=call
    )
