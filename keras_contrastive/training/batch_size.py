"""A batch of one is refused, also where its size shows only as it comes."""

import keras

from keras_contrastive.ops.similarity import Tensor


def more_than_one(views: tuple[Tensor, ...], message: str) -> tuple[Tensor, ...]:
    """The views of a batch, of at least two samples.

    TensorFlow traces a stream once, for batches of any size: there the graph looks at each, which
    XLA leaves out.

    Raises:
        ValueError: On a batch of one; TensorFlow's `InvalidArgumentError` where it is a stream's.
    """
    size = views[0].shape[0]
    if size == 1:
        raise ValueError(message)
    if size is not None or keras.backend.backend() != "tensorflow":
        return views
    import tensorflow as tf

    seen = tf.debugging.assert_greater(tf.shape(views[0])[0], 1, message=message)
    with tf.control_dependencies([seen]):
        return tuple(tf.identity(view) for view in views)
