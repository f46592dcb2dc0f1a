"""An encoder as the start of a classifier or of a segmenter, in plain Keras."""

import keras


def classifier(encoder, num_classes, frozen=False):
    """A new last layer on the encoder, whose weights are kept (frozen) or trained on.

    Frozen, batch normalisation keeps the statistics of the pretraining too. Features come in any
    scale: those that enter the last layer are brought to one.
    """
    encoder.trainable = not frozen
    return keras.Sequential(
        [
            keras.Input(encoder.input_shape[1:]),
            encoder,
            keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False),
            keras.layers.Dense(num_classes),
        ]
    )


def segmenter(encoder, num_classes, image_shape, width=32, frozen=False):
    """A class for every pixel: the encoder's maps, from the coarsest up, each joined to the next.

    The encoder is rebuilt for images of another size; its weights do not depend on it.
    """
    backbone = keras.models.clone_model(encoder, keras.Input(image_shape))
    backbone.set_weights(encoder.get_weights())
    backbone.trainable = not frozen
    maps = {}
    for layer in backbone.layers:
        if len(layer.output.shape) == 4:
            maps[layer.output.shape[1:3]] = layer.output  # the last one of each size
    fine_to_coarse = list(maps.values())[1:]  # the first is the image
    x = block(fine_to_coarse[-1], width)
    for finer in reversed(fine_to_coarse[:-1]):
        x = keras.layers.Resizing(*finer.shape[1:3])(x)
        x = block(keras.layers.Concatenate()([x, finer]), width)
    x = keras.layers.Conv2D(num_classes, 1)(x)
    return keras.Model(backbone.inputs, keras.layers.Resizing(*image_shape[:2])(x))


def block(x, width):
    x = keras.layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def train(model, images, labels, epochs, batch_size=32, learning_rate=1e-3, ignore_class=None):
    """Adam with a rate that falls to zero; `ignore_class` is a label without a class."""
    steps = epochs * -(-len(images) // batch_size)
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate, steps)
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, ignore_class=ignore_class
        ),
    )
    model.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=0)
    return model
