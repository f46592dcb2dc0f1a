"""Checks on two devices that their random draws differ, and that nothing else does."""

import numpy as np

from tests.distributed.train import prepare


def main():
    scope = prepare(2)
    import keras
    from keras import ops

    from keras_contrastive.ops import collectives
    from keras_contrastive.training import own_draws
    from tests.methods.noise import NoiseViews

    class Draws(keras.Model):
        """Two draws of its own for each device, gathered; then one that all share."""

        def __init__(self):
            super().__init__()
            self.views = NoiseViews()

        def call(self, x):
            with own_draws(self.views):
                own = collectives.gather(self.views(ops.zeros_like(x))[0])
            return own, self.views(ops.zeros((3, 2)))[0]

    with scope():
        model = Draws()
    x = np.zeros((2, 2), "float32")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        strategy = scope.__self__
        both = tf.function(lambda: strategy.run(model, args=(tf.constant(x),)))()
        results = [[part.values[i].numpy() for part in both] for i in range(2)]
    else:
        results = [[ops.convert_to_numpy(part) for part in model(x)]]
    first = results[0]
    assert first[0].shape == (4, 2)
    assert not np.isclose(first[0][:2], first[0][2:]).any()
    for other in results[1:]:
        np.testing.assert_array_equal(other[0], first[0])
        np.testing.assert_array_equal(other[1], first[1])
    if keras.backend.backend() == "torch":
        shared = ops.convert_to_numpy(collectives.gather(ops.convert_to_tensor(first[1])))
        np.testing.assert_array_equal(shared[:3], shared[3:])


if __name__ == "__main__":
    main()
