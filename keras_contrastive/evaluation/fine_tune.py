"""Fine-tuning on few labels, beside the same network trained from scratch."""

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_contrastive.evaluation.checks import check_labels, check_positive
from keras_contrastive.evaluation.features import embed, encoder_of
from keras_contrastive.evaluation.label_subset import label_subset
from keras_contrastive.ops.images import as_unit_range
from keras_contrastive.training import prompt_epochs


@dataclass(frozen=True)
class FineTuneResult:
    """Test accuracies of two networks trained on the same few labels in the same way.

    Args:
        fine_tuned: Accuracy of the network that starts from the encoder's weights, 0 to 1.
        from_scratch: Accuracy of the same architecture from fresh weights, 0 to 1.
        num_labels: Number of labelled samples that both were trained on.

    Example:

    >>> FineTuneResult(fine_tuned=0.75, from_scratch=0.5, num_labels=18).num_labels
    18
    """

    fine_tuned: float
    from_scratch: float
    num_labels: int


def fine_tune(
    encoder: keras.Model,
    train_x: np.ndarray,
    train_y: ArrayLike,
    test_x: np.ndarray,
    test_y: ArrayLike,
    *,
    fraction: float,
    epochs: int = 60,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    augmentation: keras.Layer | None = None,
    seed: int = 0,
) -> FineTuneResult:
    """Accuracy of the whole network fine-tuned on a share of the labels, against from scratch.

    Both networks are the encoder's architecture with a new linear classifier, trained on the same
    labels with Adam and a cosine schedule to 0; they differ in their initial weights only. The
    encoder that is passed in keeps its weights. The last epoch is reported, not the best.

    Keras' global random state, NumPy's and the backend's are set to `seed`.

    Args:
        encoder: A built Keras model from float images in 0 to 1 to features `(N, D)`, that its
            `get_config` rebuilds; statistics of adapted layers are not in a config, so give
            `Normalization` its mean and variance. Also a method of this package.
        train_x: Images to draw the labelled ones from, uint8 or floats in 0 to 1.
        train_y: Class indices of shape `(N,)`.
        test_x: Images to test on.
        test_y: Class indices of shape `(M,)`; used for the final accuracy only.
        fraction: Share of the training labels, above 0 and at most 1; each class keeps at least
            one. 0.01 and 0.1 are usual.
        epochs: Passes over the labelled images. Default 60, SimCLR v2's for 1 %.
        batch_size: Images in one step, or all if there are fewer. Default 32.
        learning_rate: Of Adam at the start, positive. Default 1e-3.
        augmentation: A layer from a batch of images to one of the same size, such as random crops
            and flips; not used in testing. Default: none.
        seed: Draws the labelled images, the classifier, the fresh weights and the batches.

    Returns:
        A `FineTuneResult`.

    Raises:
        ValueError: On images, labels or arguments that do not fit.

    Example:

    >>> import keras, numpy as np
    >>> encoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, activation="relu")])
    >>> x, y = np.eye(2, dtype="float32").repeat(10, axis=0), np.repeat([0, 1], 10)
    >>> fine_tune(encoder, x, y, x, y, fraction=0.1, epochs=1).num_labels
    2

    Reference:
        Chen et al., "Big Self-Supervised Models are Strong Semi-Supervised Learners", 2020.
    """
    encoder = encoder_of(encoder)
    check_positive(epochs, "epochs")
    check_positive(batch_size, "batch_size")
    check_positive(learning_rate, "learning_rate")
    train_y = check_labels(train_y, len(train_x), "training labels")
    num_classes = int(train_y.max()) + 1
    test_y = check_labels(test_y, len(test_x), "test labels", num_classes)
    labelled = label_subset(train_y, fraction, seed)
    images, labels = np.asarray(train_x)[labelled], train_y[labelled]

    settings = (num_classes, epochs, batch_size, learning_rate, augmentation, seed)
    data = (images, labels, test_x, test_y)
    return FineTuneResult(
        fine_tuned=accuracy_after_training(encoder, encoder.get_weights(), data, *settings),
        from_scratch=accuracy_after_training(encoder, None, data, *settings),
        num_labels=len(labelled),
    )


def accuracy_after_training(
    encoder: keras.Model,
    weights: list[np.ndarray] | None,
    data: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    num_classes: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    augmentation: keras.Layer | None,
    seed: int,
) -> float:
    """Test accuracy of one of the networks of `fine_tune`.

    Args:
        encoder: Gives the architecture.
        weights: Where training starts; `None` for fresh ones.
        data: Images and labels to train on, images and labels to test on.
        num_classes: Number of classes.
        epochs: As in `fine_tune`, and so are all others.
        batch_size: Images in one step.
        learning_rate: Of Adam at the start.
        augmentation: A layer, or `None`.
        seed: Draws the classifier, fresh weights and batches.

    Returns:
        An accuracy, 0 to 1.
    """
    images, labels, test_x, test_y = data
    keras.utils.set_random_seed(seed)
    network = type(encoder).from_config(encoder.get_config())
    if weights is not None:
        network.set_weights(weights)
    classifier = _train(
        network, images, labels, num_classes, epochs, batch_size, learning_rate, augmentation
    )
    return float(np.mean(embed(classifier, test_x).argmax(axis=1) == test_y))


def _train(
    network: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    augmentation: keras.Layer | None,
) -> keras.Model:
    """Trains network and classifier together; returns them without the augmentation."""
    network.trainable = True
    head = keras.layers.Dense(
        num_classes, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01)
    )
    inputs = keras.Input(images.shape[1:])
    classifier = keras.Model(inputs, head(network(inputs)))
    trained = classifier
    if augmentation is not None:
        trained = keras.Model(inputs, classifier(augmentation(inputs)))
    steps = epochs * -(-len(images) // batch_size)
    trained.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate, steps)
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    with prompt_epochs():
        trained.fit(as_unit_range(images), labels, batch_size=batch_size, epochs=epochs, verbose=0)
    return classifier
