"""kNN accuracy after an epoch."""

import numpy as np

from keras_contrastive import evaluation
from keras_contrastive.callbacks.epoch_measurement import EpochMeasurement
from keras_contrastive.evaluation.checks import check_labels


class KNNAccuracy(EpochMeasurement):
    """Adds `knn_accuracy` to the logs: how well nearest neighbours in feature space share a class.

    Args:
        bank: Tuple `(images, labels)` that votes: training images, un-augmented, and their class
            indices. A few thousand are enough to follow a run.
        queries: Tuple `(images, labels)` to classify, held out from training.
        k: Number of neighbours, 1 to the size of the bank. Default 200.
        temperature: Of the vote's weights, positive. Default 0.1.
        every: Epochs between measurements, at least 1; the first epoch is always measured.
        batch_size: Images in one forward pass. Default 256.

    Raises:
        ValueError: On labels that do not fit the images, or a k larger than the bank.

    Example:

    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    >>> watch = KNNAccuracy(bank=(x, y), queries=(x, y), k=1)
    >>> model.fit(x, x, verbose=0, callbacks=[watch]).history["knn_accuracy"]
    [1.0]
    """

    names = ("knn_accuracy",)

    def __init__(
        self,
        bank: tuple[np.ndarray, np.ndarray],
        queries: tuple[np.ndarray, np.ndarray],
        k: int = 200,
        temperature: float = 0.1,
        every: int = 1,
        batch_size: int = 256,
    ) -> None:
        super().__init__(every, batch_size)
        check_labels(bank[1], len(bank[0]), "bank labels")
        check_labels(queries[1], len(queries[0]), "query labels")
        if not 1 <= k <= len(bank[0]):
            raise ValueError(
                f"Expected k from 1 to the size of the bank, {len(bank[0])}. Received: k={k}."
            )
        self.bank = bank
        self.queries = queries
        self.k = k
        self.temperature = temperature

    def measure(self) -> dict[str, float]:
        accuracy = evaluation.knn_accuracy(
            evaluation.embed(self.model, self.bank[0], self.batch_size),
            self.bank[1],
            evaluation.embed(self.model, self.queries[0], self.batch_size),
            self.queries[1],
            k=self.k,
            temperature=self.temperature,
        )
        return {"knn_accuracy": accuracy}
