"""Several augmented views of one batch."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import keras

from keras_contrastive.augmentation.base import Augmentation, Tensor
from keras_contrastive.augmentation.pipeline import Pipeline

Layers: TypeAlias = keras.layers.Layer | Sequence[keras.layers.Layer]


@keras.saving.register_keras_serializable(package="keras_contrastive")
class Views(Augmentation):
    """Makes a tuple of views of the images, one for each pipeline.

    Args:
        pipelines: a layer or a list of layers for each view. What is given twice is drawn from
            twice: `Views([pipeline] * 2)` makes two different views.

    Raises:
        ValueError: no pipeline, or something that is not a layer.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.augmentation import RandomResizedCrop, Views
    >>> first, second = Views([RandomResizedCrop(32)] * 2)(np.zeros((8, 64, 64, 3), "uint8"))
    >>> tuple(second.shape)
    (8, 32, 32, 3)
    """

    def __init__(self, pipelines: Sequence[Layers], **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(pipelines, (list, tuple)) or not pipelines:
            raise ValueError(f"Expected a list of pipelines, one a view. Received: {pipelines!r}.")
        self.pipelines = [
            Pipeline(as_list(layers), data_format=self.data_format) for layers in pipelines
        ]

    def augment(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(pipeline.augment(images) for pipeline in self.pipelines)

    def augmented_shape(self, shape: tuple) -> tuple:
        return tuple(pipeline.augmented_shape(shape) for pipeline in self.pipelines)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        shapes = self.augmented_shape(self._planes_shape(input_shape))
        return tuple(self._shape_as_given(shape, input_shape) for shape in shapes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **layers_once([p.layers for p in self.pipelines])}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Views":
        return cls(**with_layers(config))


@keras.saving.register_keras_serializable(package="keras_contrastive")
class MultiCrop(Views):
    """Views at full resolution, followed by smaller views of smaller regions.

    Args:
        pipelines: a layer or a list of layers for each full view.
        local: a layer or a list of layers for each local view.

    Attributes:
        num_full: how many of the views, the first ones, are full.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.augmentation import MultiCrop, RandomResizedCrop
    >>> full, small = RandomResizedCrop(48), RandomResizedCrop(24, scale=(0.05, 0.14))
    >>> views = MultiCrop([full] * 2, local=[small] * 6)
    >>> [view.shape[1] for view in views(np.zeros((2, 64, 64, 3), "uint8"))]
    [48, 48, 24, 24, 24, 24, 24, 24]

    Reference: Caron et al., Unsupervised learning of visual features by contrasting cluster
    assignments (2020), section 3.2.
    """

    def __init__(self, pipelines: Sequence[Layers], local: Sequence[Layers], **kwargs: Any):
        super().__init__([*pipelines, *local], **kwargs)
        self.num_full = len(pipelines)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_full": self.num_full}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "MultiCrop":
        config = with_layers(config)
        num_full, views = config.pop("num_full"), config.pop("pipelines")
        return cls(views[:num_full], views[num_full:], **config)


def as_list(layers: Layers) -> list[keras.layers.Layer]:
    if type(layers) is Pipeline:  # a subclass does more than its layers one after the other
        return layers.layers
    return [layers] if isinstance(layers, keras.layers.Layer) else list(layers)


def layers_once(pipelines: Sequence[Sequence[keras.layers.Layer]]) -> dict[str, Any]:
    """A configuration of pipelines with their layers, and the numbers of these in each.

    Pipelines may share layers: each layer is stored once, or the copies that loading makes would
    draw the same and the views be equal.
    """
    layers = list({id(layer): layer for pipeline in pipelines for layer in pipeline}.values())
    return {
        "layers": [keras.saving.serialize_keras_object(layer) for layer in layers],
        "pipelines": [[layers.index(layer) for layer in pipeline] for pipeline in pipelines],
    }


def with_layers(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with layers in the pipelines, where `layers_once` has put numbers."""
    config = dict(config)
    layers = [keras.saving.deserialize_keras_object(layer) for layer in config.pop("layers")]
    return {**config, "pipelines": [[layers[i] for i in p] for p in config["pipelines"]]}
