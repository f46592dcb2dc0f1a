"""The smallest augmentation: views that differ by noise."""

import keras

from keras_contrastive.ops import as_unit_range


@keras.saving.register_keras_serializable(package="tests")
class NoiseViews(keras.layers.Layer):
    """`num_views` copies with Gaussian noise, seeded."""

    def __init__(self, stddev=0.1, num_views=2, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.stddev, self.num_views, self.seed = stddev, num_views, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images):
        images = as_unit_range(images)
        return tuple(
            images + self.stddev * keras.random.normal(keras.ops.shape(images), seed=self.generator)
            for _ in range(self.num_views)
        )

    def get_config(self):
        config = {"stddev": self.stddev, "num_views": self.num_views, "seed": self.seed}
        return {**super().get_config(), **config}
