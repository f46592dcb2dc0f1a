"""Several augmented views of one batch of token ids."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_contrastive.augmentation.base import RandomLayer, Tensor
from keras_contrastive.augmentation.text.base import check_token_batch
from keras_contrastive.augmentation.views import Layers, as_list, layers_once, with_layers


@keras.saving.register_keras_serializable(package="keras_contrastive")
class TokenViews(RandomLayer):
    """Makes a tuple of views of the token ids, one for each list of layers.

    Args:
        pipelines: a layer or a list of layers for each view, applied in order; `[]` for the
            sentence as it is. What is given twice is drawn from twice.

    Raises:
        ValueError: no pipeline, or something that is not a layer; inputs that are no token ids.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.augmentation import TokenDeletion, TokenViews
    >>> deletion = TokenDeletion(special_ids=(2, 3), rate=0.5)
    >>> first, second = TokenViews([[], deletion])(np.array([[2, 7, 8, 9, 3, 0]]))
    >>> np.asarray(first).tolist(), tuple(second.shape)
    ([[2, 7, 8, 9, 3, 0]], (1, 6))
    """

    output_dtype = "int32"

    def __init__(self, pipelines: Sequence[Layers], **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(pipelines, (list, tuple)) or not pipelines:
            raise ValueError(f"Expected a list of pipelines, one a view. Received: {pipelines!r}.")
        self.pipelines = [as_list(layers) for layers in pipelines]
        for layer in keras.tree.flatten(self.pipelines):
            if not isinstance(layer, keras.layers.Layer):
                raise ValueError(f"Expected a sequence of Keras layers. Received: {layer!r}.")

    def check(self, token_ids: Tensor) -> None:
        check_token_batch(token_ids, self.name)

    def call(self, token_ids: Tensor) -> tuple[Tensor, ...]:
        views = [keras.ops.cast(token_ids, "int32")] * len(self.pipelines)
        for number, layers in enumerate(self.pipelines):
            for layer in layers:
                views[number] = layer(views[number])
        return tuple(views)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape,) * len(self.pipelines)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **layers_once(self.pipelines)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TokenViews":
        return cls(**with_layers(config))
