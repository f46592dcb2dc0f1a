"""Label subsets, and fine-tuning beside the same network from scratch."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from sklearn.datasets import load_digits

from keras_contrastive.evaluation import fine_tune, label_subset


def test_subset_keeps_the_shares_of_the_classes():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 7], [1000, 200, 40, 3]))
    chosen = label_subset(labels, 0.1)
    assert np.bincount(labels[chosen]).tolist() == [100, 20, 4, 0, 0, 0, 0, 1]
    assert len(np.unique(chosen)) == len(chosen)
    np.testing.assert_array_equal(chosen, np.sort(chosen))


def test_subset_depends_on_the_seed_alone():
    labels = np.repeat([0, 1], 50)
    np.testing.assert_array_equal(label_subset(labels, 0.2, seed=1), label_subset(labels, 0.2, 1))
    assert set(label_subset(labels, 0.2, seed=1)) != set(label_subset(labels, 0.2, seed=2))
    np.testing.assert_array_equal(label_subset(labels, 1.0), np.arange(100))


@pytest.mark.parametrize("fraction", [0.0, 1.5])
def test_subset_fraction_out_of_range(fraction):
    with pytest.raises(ValueError, match="Expected `fraction` above 0 and at most 1"):
        label_subset([0, 1], fraction)


def digits():
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    images = np.round(data.images[order] * (255 / 16)).astype("uint8")[..., None]
    return images[:1200], data.target[order][:1200], images[1200:], data.target[order][1200:]


def tiny_encoder():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, strides=2, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
        ]
    )


def test_pretrained_weights_help_with_few_labels():
    images, labels, test_images, test_labels = digits()
    encoder = tiny_encoder()
    pretrained = keras.Sequential([encoder, layers.Dense(10)])
    pretrained.compile(
        keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    pretrained.fit(images / 255.0, labels, epochs=6, verbose=0)
    before = encoder.get_weights()
    result = fine_tune(
        encoder,
        images,
        labels,
        test_images,
        test_labels,
        fraction=0.02,
        epochs=20,
        learning_rate=3e-3,
    )
    assert result.num_labels == len(label_subset(labels, 0.02))
    assert result.fine_tuned > 0.6
    assert result.fine_tuned > result.from_scratch + 0.1
    for old, new in zip(before, encoder.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_both_networks_learn_and_a_seed_repeats():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 90)
    x = (0.2 + 0.3 * np.eye(3, 5)[y] + 0.05 * rng.random((90, 5))).astype("float32")
    encoder = keras.Sequential([keras.Input((5,)), layers.Dense(16, activation="relu")])
    settings = {"fraction": 0.5, "epochs": 15, "learning_rate": 0.03, "seed": 3}
    first = fine_tune(encoder, x, y, x, y, **settings)
    assert min(first.fine_tuned, first.from_scratch) > 0.9
    assert fine_tune(encoder, x, y, x, y, **settings) == first


def test_augmentation_is_for_training_only():
    """A layer that swaps the two classes in every mode, so that an image as it is looks wrong."""

    class Swap(keras.layers.Layer):
        def call(self, x):
            return ops.flip(x, axis=1)

    x = np.eye(2, dtype="float32").repeat(20, axis=0)
    y = np.repeat([0, 1], 20)
    encoder = keras.Sequential([keras.Input((2,)), layers.Dense(8, activation="relu")])
    result = fine_tune(
        encoder, x, y, x, y, fraction=1.0, epochs=30, learning_rate=0.05, augmentation=Swap()
    )
    assert result.fine_tuned == result.from_scratch == 0.0


def test_bad_input():
    x, y = np.zeros((4, 2), "float32"), np.array([0, 1, 0, 1])
    encoder = keras.Sequential([keras.Input((2,)), layers.Dense(8)])
    with pytest.raises(ValueError, match="Expected `fraction`"):
        fine_tune(encoder, x, y, x, y, fraction=2.0)
    with pytest.raises(ValueError, match="Expected test labels to be 0 to 1"):
        fine_tune(encoder, x, y, x, y + 1, fraction=1.0)
    with pytest.raises(ValueError, match=r"Expected training labels of shape \(4,\)"):
        fine_tune(encoder, x, y[:2], x, y, fraction=1.0)
    with pytest.raises(ValueError, match="Expected `epochs` to be positive"):
        fine_tune(encoder, x, y, x, y, fraction=1.0, epochs=0)
