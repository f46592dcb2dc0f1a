"""A classifier of digits that starts from an encoder of photos, in plain Keras."""

import keras
import numpy as np

import keras_contrastive as kc

encoder = kc.from_preset("simclr_small_resnet_cifar10")  # a name, a folder or a .keras file
data = kc.data.load("digits", image_size=32)  # grey, and the encoder takes RGB
images, labels = np.repeat(data.images, 3, axis=-1), data.labels
train, test = slice(0, 1400), slice(1400, None)

# First the last layer alone, on frozen features. Quick, and often enough with few labels.
encoder.trainable = False  # batch normalisation keeps the statistics of the pretraining too
classifier = keras.Sequential(
    [
        keras.Input((32, 32, 3)),
        encoder,
        keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False),  # to one scale
        keras.layers.Dense(10),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
classifier.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
classifier.fit(images[train], labels[train], epochs=5, verbose=0)
linear = classifier.evaluate(images[test], labels[test], verbose=0)[1]

# Then all weights, with a lower rate.
encoder.trainable = True
classifier.compile(keras.optimizers.Adam(3e-4), loss, metrics=["accuracy"])
classifier.fit(images[train], labels[train], epochs=5, verbose=0)
fine_tuned = classifier.evaluate(images[test], labels[test], verbose=0)[1]
print(f"linear {linear:.1%}, fine-tuned {fine_tuned:.1%}")

classifier.save("digits.keras")  # opens without keras_contrastive
