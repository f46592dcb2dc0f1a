"""Evaluation and alarms while `fit` runs."""

from keras_contrastive.callbacks.collapse_alarm import CollapseAlarm, CollapseWarning
from keras_contrastive.callbacks.knn_accuracy import KNNAccuracy
from keras_contrastive.callbacks.pseudo_labels import PseudoLabels
from keras_contrastive.callbacks.representation_metrics import RepresentationMetrics
from keras_contrastive.callbacks.sts_correlation import STSCorrelation
from keras_contrastive.callbacks.sts_geometry import STSGeometry
from keras_contrastive.callbacks.training_backup import TrainingBackup
from keras_contrastive.callbacks.transfer_accuracy import TransferAccuracy

__all__ = [
    "CollapseAlarm",
    "CollapseWarning",
    "KNNAccuracy",
    "PseudoLabels",
    "RepresentationMetrics",
    "STSCorrelation",
    "STSGeometry",
    "TrainingBackup",
    "TransferAccuracy",
]
