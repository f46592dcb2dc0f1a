"""A number for every sample of the data set."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SampleTable(keras.layers.Layer):
    """Keeps one value a sample between its visits; a variable, so it is saved and restored.

    Args:
        num_samples: Size of the data set, at least 1.
        initial: Value of a sample that has not been visited, default 0.
        table_dtype: Dtype of the values, default "float32".

    Raises:
        ValueError: If the data carries no indices, or `num_samples` is not positive.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.layers import SampleTable
    >>> table = SampleTable(num_samples=5)
    >>> table.write(np.array([3]), np.array([0.5], "float32"))
    >>> [float(v) for v in table.read(np.array([3, 4]))]
    [0.5, 0.0]
    """

    def __init__(
        self, num_samples: int, initial: float = 0.0, table_dtype: str = "float32", **kwargs: Any
    ) -> None:
        if num_samples < 1:
            raise ValueError(
                "Expected a positive `num_samples`, the size of the data set. "
                f"Received: num_samples={num_samples}."
            )
        super().__init__(trainable=False, **kwargs)
        self.num_samples, self.initial, self.table_dtype = num_samples, initial, table_dtype
        self.values = self.add_weight(
            shape=(num_samples,),
            initializer=keras.initializers.Constant(initial),
            dtype=table_dtype,
            trainable=False,
            name="values",
        )
        self.built = True

    def read(self, index: Tensor | None) -> Tensor:
        """The values of samples, `(N,)`, as constants.

        Args:
            index: Positions in the data set, `(N,)`, in 0 to `num_samples` - 1.
        """
        values = ops.take(ops.convert_to_tensor(self.values), self._checked(index), axis=0)
        return ops.stop_gradient(values)

    def write(self, index: Tensor | None, values: Tensor) -> None:
        """Replaces the values of samples; of a sample that occurs twice, one value remains.

        Args:
            index: Positions in the data set, `(N,)`.
            values: New values, `(N,)`.
        """
        values = ops.stop_gradient(ops.convert_to_tensor(values))
        rows, values = self._checked(index)[:, None], ops.cast(values, self.table_dtype)
        self.values.assign(ops.scatter_update(ops.convert_to_tensor(self.values), rows, values))

    def _checked(self, index: Tensor | None) -> Tensor:
        if index is None:
            raise ValueError(
                "Expected the position of each sample in the data set, since something is kept for "
                'each. Received: no indices. Fit a dict `{"inputs": images, "index": '
                "numpy.arange(len(images))}`, or `keras_contrastive.data.indexed(images)`."
            )
        return ops.cast(ops.reshape(index, (-1,)), "int32")

    def get_config(self) -> dict:
        names = ("num_samples", "initial", "table_dtype")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
