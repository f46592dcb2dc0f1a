"""Figures that callbacks add to the logs of a real `fit`."""

import csv
import math

import keras
import numpy as np
import pytest
from keras import layers

from keras_contrastive import evaluation
from keras_contrastive.callbacks import KNNAccuracy, RepresentationMetrics


def data(seed=0, size=60):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, size)
    return (0.8 * np.eye(3, 6)[y] + 0.2 * rng.random((size, 6))).astype("float32"), y


def model():
    network = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.BatchNormalization()])
    network.compile("sgd", "mse")
    return network


def test_figures_are_those_of_the_model_after_the_epoch(tmp_path):
    x, y = data()
    queries, query_labels = data(seed=1, size=30)
    network = model()
    history = network.fit(
        x,
        np.zeros((60, 4)),
        epochs=3,
        verbose=0,
        callbacks=[
            KNNAccuracy(bank=(x, y), queries=(queries, query_labels), k=5),
            RepresentationMetrics(queries, batch_size=7),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        ],
    ).history
    features = evaluation.embed(network, queries)
    expected = {
        "knn_accuracy": evaluation.knn_accuracy(
            evaluation.embed(network, x), y, features, query_labels, k=5
        ),
        "rank_me": evaluation.rank_me(features),
        "centred_rank": evaluation.effective_rank(features),
        "uniformity": evaluation.uniformity(features),
        "feature_std": evaluation.representation_std(features),
    }
    with open(tmp_path / "log.csv") as file:
        last = list(csv.DictReader(file))[-1]
    for name, value in expected.items():
        assert len(history[name]) == 3
        assert history[name][-1] == pytest.approx(value, rel=1e-4)
        assert float(last[name]) == pytest.approx(value, rel=1e-4)


def test_training_is_the_same_with_and_without():
    x, y = data()
    losses = []
    for callbacks in ([], [KNNAccuracy((x, y), (x, y), k=3), RepresentationMetrics(x)]):
        keras.utils.set_random_seed(0)
        history = model().fit(x, np.zeros((60, 4)), epochs=3, verbose=0, callbacks=callbacks)
        losses.append(history.history["loss"])
    assert losses[0] == losses[1]


def test_every_second_epoch_from_the_first_on():
    x, y = data()
    watch = KNNAccuracy((x, y), (x, y), k=3, every=2)
    seen = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epochs.append("knn_accuracy" in logs)
    )
    epochs = []
    model().fit(x, np.zeros((60, 4)), epochs=4, verbose=0, callbacks=[watch, seen])
    assert epochs == [True, False, True, False]


def test_nothing_is_measured_of_broken_weights():
    x, y = data()
    history = model().fit(
        x,
        np.full((60, 4), np.nan),
        verbose=0,
        callbacks=[KNNAccuracy((x, y), (x, y), k=3), RepresentationMetrics(x)],
    )
    assert math.isnan(history.history["knn_accuracy"][0])
    assert math.isnan(history.history["rank_me"][0])


def test_the_encoder_is_measured_where_there_is_one():
    class Method(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = keras.Sequential([keras.Input((6,)), layers.Dense(4)])
            self.head = layers.Dense(2, kernel_initializer="zeros")

        def call(self, x):
            return self.head(self.encoder(x))

    x, y = data()
    method = Method()
    method.compile("sgd", "mse")
    history = method.fit(
        x, np.zeros((60, 2)), verbose=0, callbacks=[KNNAccuracy((x, y), (x, y), k=3)]
    )
    assert history.history["knn_accuracy"] == [1.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 61}, "Expected k from 1 to the size of the bank, 60. Received: k=61"),
        ({"every": 0}, "Expected `every` to be positive"),
        ({"queries": (np.ones((3, 6)), np.ones(2, int))}, r"query labels of shape \(3,\)"),
        ({"bank": (np.ones((3, 6)), np.ones(3))}, "bank labels to be integer"),
    ],
)
def test_bad_arguments(changes, message):
    with pytest.raises(ValueError, match=message):
        KNNAccuracy(**{"bank": data(), "queries": data(1), "k": 3} | changes)


def test_one_image_is_too_few():
    with pytest.raises(ValueError, match=r"at least two images\. Received: 1"):
        RepresentationMetrics(np.ones((1, 6)))
