"""Weights of samples from the quality of their two views."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_contrastive.ops import as_unit_range
from keras_contrastive.ops.collectives import gather
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.ops.view_quality import foreground_mask, quality_weights, view_quality


@keras.saving.register_keras_serializable(package="keras_contrastive")
class ViewQuality(keras.layers.Layer):
    """GenView's quality-driven weights: pairs whose foregrounds agree on other backgrounds count.

    A frozen network maps both views to feature maps; the position's projection on one direction
    tells foreground from background. Call `adapt` with some images to find that direction, the
    first principal component of the network's features. Pass the layer to a method as
    `weighting`, or multiply the weights to any loss that has one value per sample.

    Args:
        network: A built Keras model from images to feature maps `(N, H, W, C)` or tokens
            `(N, T, C)`, trained before; it stays frozen and in inference mode.
        gamma: How much quality counts; 0 weighs all alike. Default 1, the official code's.

    Raises:
        ValueError: If the network does not give maps or tokens.

    Inputs:
        A tuple of two views, `(N, ...)` each, float in [0, 1].

    Example:

    >>> import keras, numpy as np
    >>> from keras_contrastive.layers import ViewQuality
    >>> maps = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.AveragePooling2D(4)])
    >>> layer = ViewQuality(maps)
    >>> images = np.random.default_rng(0).random((6, 8, 8, 3), "float32")
    >>> layer.adapt(images)
    >>> weights = layer((images, images[:, ::-1].copy()))
    >>> round(float(keras.ops.mean(weights)), 3)
    1.0

    Differs from the reference: the sign of the direction follows from where features lie, the
    foreground in the middle of images more than at their border.

    Reference:
        Li et al., "GenView: Enhancing View Quality with Pretrained Generative Model for
        Self-Supervised Learning", 2024, section 3.3.
    """

    def __init__(self, network: keras.Model, gamma: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        shape = network.output_shape
        if not isinstance(shape, tuple) or len(shape) not in (3, 4):
            raise ValueError(
                "Expected a network that gives feature maps (N, H, W, C) or tokens (N, T, C). "
                f"Received: '{network.name}' with output shape {shape}."
            )
        self.network = network
        self.gamma = gamma
        self.direction = self.add_weight(
            shape=(shape[-1],),
            initializer="zeros",
            trainable=False,
            dtype="float32",
            name="direction",
        )
        self.trainable = False
        self.built = True

    @property
    def trainable(self) -> bool:
        """Always false: the network judges the views and does not learn from them."""
        return False

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.layers.Layer.trainable.fset(self, False)

    def adapt(self, images: np.ndarray, batch_size: int = 256) -> None:
        """Finds the direction along which the network's features differ most.

        Args:
            images: Array `(N, ...)`, uint8 or float in [0, 1]; some thousand are plenty.
            batch_size: Images in one forward pass.
        """
        batches = [images[i : i + batch_size] for i in range(0, len(images), batch_size)]
        maps = np.concatenate([ops.convert_to_numpy(self._maps(batch)) for batch in batches])
        features = maps.reshape(-1, maps.shape[-1])
        features = features - features.mean(axis=0)
        _, vectors = np.linalg.eigh(features.T @ features)  # in ascending order
        projection = (features @ vectors[:, -1]).reshape(maps.shape[:2])
        towards_middle = float((projection * self._middle(maps.shape[1])).mean())
        self.direction.assign(np.sign(towards_middle or 1.0) * vectors[:, -1])

    def call(self, views: tuple[Tensor, Tensor]) -> Tensor:
        """The weights `(N,)`, float32, of mean 1 and without a gradient."""
        maps = [self._maps(view) for view in views[:2]]
        masks = [foreground_mask(each, self.direction) for each in maps]
        # Weights compare the samples of a whole batch.
        return quality_weights(gather(view_quality(*maps, *masks)), self.gamma)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """One weight a sample."""
        return (input_shape[0][0],)

    def _maps(self, images: Tensor) -> Tensor:
        maps = ops.stop_gradient(self.network(as_unit_range(images), training=False))
        return ops.reshape(maps, (-1, self._num_positions(), self.direction.shape[0]))

    def _num_positions(self) -> int:
        return int(np.prod(self.network.output_shape[1:-1]))

    def _middle(self, num_positions: int) -> np.ndarray:
        """1 in the middle half of the maps, -1 around it; tokens lie in rows of a square."""
        height, width = (
            self.network.output_shape[1:3]
            if len(self.network.output_shape) == 4
            else (round(num_positions**0.5),) * 2
        )
        if height * width != num_positions:
            return np.ones(num_positions)
        rows, columns = (np.abs(np.arange(n) - (n - 1) / 2) <= n / 4 for n in (height, width))
        return np.where(np.logical_and.outer(rows, columns), 1.0, -1.0).reshape(-1)

    def get_config(self) -> dict:
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network, "gamma": self.gamma}

    @classmethod
    def from_config(cls, config: dict) -> "ViewQuality":
        """Rebuilds the layer from `get_config`."""
        return cls(
            **{**config, "network": keras.saving.deserialize_keras_object(config["network"])}
        )
