"""Augmentations one after the other."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_contrastive.augmentation.base import Augmentation, Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Pipeline(Augmentation):
    """Applies layers in order; layers of this package skip the change of layout between them.

    Args:
        layers: augmentations, or other Keras layers that map images in [0, 1] to such images.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.augmentation import Pipeline, RandomGrayscale, Solarize
    >>> pipeline = Pipeline([RandomGrayscale(rate=1.0), Solarize(rate=1.0)])
    >>> float(pipeline(np.ones((4, 8, 8, 3), "float32"))[0, 0, 0, 0]) < 1e-3
    True
    """

    def __init__(self, layers: Sequence[keras.layers.Layer], **kwargs: Any):
        super().__init__(**kwargs)
        for layer in layers:
            if not isinstance(layer, keras.layers.Layer):
                raise ValueError(f"Expected a sequence of Keras layers. Received: {layer!r}.")
        self.layers = list(layers)

    def augment(self, images: Tensor) -> Tensor:
        for layer in self.layers:
            if isinstance(layer, Augmentation):
                layer.check_channels(images.shape[1])
                images = layer.augment(images)
            else:
                images = self._as_planes(layer(self._as_given(images, batched=True)))
        return images

    def augmented_shape(self, shape: tuple) -> tuple:
        for layer in self.layers:
            if isinstance(layer, Augmentation):
                shape = layer.augmented_shape(shape)
            else:
                given = self._shape_as_given(shape, shape)
                shape = self._planes_shape(layer.compute_output_shape(given))
        return shape

    def get_config(self) -> dict[str, Any]:
        layers = [keras.saving.serialize_keras_object(layer) for layer in self.layers]
        return {**super().get_config(), "layers": layers}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Pipeline":
        layers = [keras.saving.deserialize_keras_object(layer) for layer in config["layers"]]
        return cls(**{**config, "layers": layers})
