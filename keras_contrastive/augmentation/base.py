"""What augmentations share: randomness per sample, use in data maps, formats in and out."""

import random
import sys
from typing import Any

import keras
from keras import ops

from keras_contrastive.ops.images import as_unit_range, check_unit_range

Tensor = Any


class RandomLayer(keras.layers.Layer):
    """Base of layers that draw for each sample of a batch, also in a `tf.data` map of any backend.

    Args:
        seed: integer; layers with the same seed and inputs draw the same. Give the layers of one
            pipeline different seeds, or their draws are correlated. Default: drawn from `random`,
            which `keras.utils.set_random_seed` sets.
    """

    output_dtype = "float32"

    def __init__(self, *, seed: int | None = None, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.seed = random.randrange(2**31) if seed is None else seed
        self.generator = keras.random.SeedGenerator(self.seed)
        self.built = True  # no state depends on the inputs

    def check(self, inputs: Tensor) -> None:
        """Raises a ValueError for inputs that the layer cannot work on."""

    def uniform(
        self,
        inputs: Tensor,
        interval: tuple[float, ...] = (0.0, 1.0),
        shape: tuple[Any, ...] = (),
    ) -> Tensor:
        """Uniform draws (N, *shape), one entry of the batch independent of the next."""
        low, high = interval
        draws = keras.random.uniform((ops.shape(inputs)[0], *shape), seed=self.generator)
        return low + (high - low) * draws

    def chance(self, inputs: Tensor, rate: float) -> Tensor:
        """Booleans (N,), each true with probability `rate`."""
        return self.uniform(inputs) < rate

    def __call__(self, inputs: Tensor, **kwargs: Any) -> Tensor:
        if keras.backend.backend() != "tensorflow" and _in_tensorflow_graph(inputs):
            return self._map_in_tensorflow_graph(inputs)
        self.check(inputs)
        return super().__call__(inputs, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}

    def _map_in_tensorflow_graph(self, inputs: Tensor) -> Tensor:
        """A `tf.data` map under another backend: this layer, eagerly, behind `numpy_function`."""
        tf = sys.modules["tensorflow"]
        output_shape = self.compute_output_shape(tuple(inputs.shape))
        single = not isinstance(output_shape[0], tuple)
        shapes = [output_shape] if single else output_shape

        def eager(inputs: Tensor) -> list:
            return [ops.convert_to_numpy(view) for view in keras.tree.flatten(self(inputs))]

        views = tf.numpy_function(eager, [inputs], [self.output_dtype] * len(shapes))
        for view, shape in zip(views, shapes):
            view.set_shape(shape)
        return views[0] if single else tuple(views)


class Augmentation(RandomLayer):
    """Base of the augmentation layers of images: each of a batch gets its own random draw.

    Takes uint8 images in 0..255 or float images in [0, 1], one image (H, W, C) or a batch
    (N, H, W, C), and returns float32 images in [0, 1] of the same layout. It randomises whenever it
    is called, in training or not. The same layer runs eagerly, inside a compiled step (XLA too) and
    in a `tf.data` or grain map, on every backend.

    A subclass writes `augment`, which sees float32 (N, C, H, W) images: channels are planes, so
    that colour arithmetic is on contiguous memory and resampling is a matrix product.

    Args:
        data_format: "channels_last" or "channels_first"; by default what
            `keras.config.image_data_format()` says.
        seed: as `RandomLayer`.

    Raises:
        ValueError: images of another rank, number of channels, data type or range.
    """

    channels: tuple[int, ...] | None = None  # the numbers of channels an augmentation can work on

    def __init__(self, *, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format or keras.config.image_data_format()
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                'Expected data_format "channels_last" or "channels_first". '
                f"Received: {data_format!r}."
            )

    def augment(self, images: Tensor) -> Tensor:
        """Float32 images (N, C, H, W) in [0, 1] to images of the same kind."""
        raise NotImplementedError

    def augmented_shape(self, shape: tuple) -> tuple:
        """The shape of what `augment` returns for images (N, C, H, W)."""
        return shape

    def check_channels(self, channels: int | None) -> None:
        """Raises a ValueError for a number of channels that `augment` cannot work on."""
        if self.channels and channels not in self.channels:
            wanted = " or ".join(map(str, self.channels))
            raise ValueError(
                f"Expected images with {wanted} channels in {self.name!r}. Received: {channels} "
                f"channels. Check data_format, here {self.data_format!r}."
            )

    # Formats.

    def check(self, images: Tensor) -> None:
        check_unit_range(images)

    def call(self, images: Tensor) -> Tensor:
        batched = len(images.shape) == 4
        planes = self._as_planes(images)
        self.check_channels(planes.shape[1])
        return keras.tree.map_structure(
            lambda view: self._as_given(view, batched), self.augment(planes)
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self._shape_as_given(
            self.augmented_shape(self._planes_shape(input_shape)), input_shape
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}

    def _as_planes(self, images: Tensor) -> Tensor:
        self._check_rank(images.shape)
        images = images if len(images.shape) == 4 else images[None]
        if self.data_format == "channels_last":
            images = ops.transpose(images, (0, 3, 1, 2))
        return as_unit_range(images)

    def _as_given(self, planes: Tensor, batched: bool) -> Tensor:
        if self.data_format == "channels_last":
            planes = ops.transpose(planes, (0, 2, 3, 1))
        return planes if batched else planes[0]

    def _planes_shape(self, shape: tuple) -> tuple:
        self._check_rank(shape)
        batch, a, b, c = shape if len(shape) == 4 else (1, *shape)
        return (batch, c, a, b) if self.data_format == "channels_last" else (batch, a, b, c)

    def _shape_as_given(self, planes: tuple, shape: tuple) -> tuple:
        batch, channels, *size = planes
        last = self.data_format == "channels_last"
        image = (*size, channels) if last else (channels, *size)
        return (batch, *image) if len(shape) == 4 else image

    def _check_rank(self, shape: tuple) -> None:
        if len(shape) not in (3, 4):
            raise ValueError(
                f"Expected one image (rank 3) or a batch (rank 4) in {self.name!r}. "
                f"Received: shape {tuple(shape)}."
            )


def per_sample(values: Tensor) -> Tensor:
    """Shapes one value a sample, (N,), to broadcast over images: (N, 1, 1, 1)."""
    return ops.reshape(values, (-1, 1, 1, 1))


def separable(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Applies one matrix a sample to the columns and one to the rows of its planes.

    Args:
        images: (N, C, H, W).
        rows: (N, H', H), applied along the height.
        columns: (N, W', W), applied along the width.

    Returns:
        (N, C, H', W').
    """
    _, channels, height, width = ops.shape(images)
    flat = ops.reshape(images, (-1, channels * height, width))
    flat = ops.matmul(flat, ops.transpose(columns, (0, 2, 1)))  # (N, C * H, W')
    flat = ops.reshape(flat, (-1, height, ops.shape(columns)[1]))
    flat = ops.matmul(ops.repeat(rows, channels, axis=0), flat)  # (N * C, H', W')
    return ops.reshape(flat, (-1, channels, *ops.shape(flat)[1:]))


def check_rate(name: str, rate: float) -> None:
    """Raises a ValueError unless `rate` is a probability."""
    if not 0 <= rate <= 1:
        raise ValueError(f"Expected {name}, a probability, in [0, 1]. Received: {rate}.")


def check_range(name: str, values: tuple[float, float], low: float, high: float) -> None:
    """Raises a ValueError unless `values` is an ordered pair within [low, high]."""
    is_pair = isinstance(values, (tuple, list)) and len(values) == 2
    if not is_pair or not low <= values[0] <= values[1] <= high:
        raise ValueError(
            f"Expected {name} as (low, high) with {low:g} <= low <= high <= {high:g}. "
            f"Received: {values}."
        )


def _in_tensorflow_graph(inputs: Tensor) -> bool:
    tf = sys.modules.get("tensorflow")  # a tensor of its graph exists only where it is imported
    return tf is not None and tf.is_tensor(inputs) and tf.is_symbolic_tensor(inputs)
