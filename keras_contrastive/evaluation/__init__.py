"""How good is a representation: probes, fine-tuning and measures of its geometry."""

from keras_contrastive.evaluation.features import embed
from keras_contrastive.evaluation.knn import knn_accuracy, knn_predict
from keras_contrastive.evaluation.probe import ProbeResult
from keras_contrastive.evaluation.ridge import ridge_probe

__all__ = [
    "ProbeResult",
    "embed",
    "knn_accuracy",
    "knn_predict",
    "ridge_probe",
]
