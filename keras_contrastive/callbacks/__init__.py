"""Evaluation and alarms while `fit` runs."""

from keras_contrastive.callbacks.knn_accuracy import KNNAccuracy

__all__ = ["KNNAccuracy"]
