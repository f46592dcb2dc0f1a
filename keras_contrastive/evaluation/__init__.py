"""How good is a representation: probes, fine-tuning and measures of its geometry."""

from keras_contrastive.evaluation.features import embed
from keras_contrastive.evaluation.fine_tune import FineTuneResult, fine_tune
from keras_contrastive.evaluation.knn import knn_accuracy, knn_predict
from keras_contrastive.evaluation.label_subset import label_subset
from keras_contrastive.evaluation.linear import linear_probe
from keras_contrastive.evaluation.logistic import logistic_probe
from keras_contrastive.evaluation.probe import ProbeResult
from keras_contrastive.evaluation.representation import (
    alignment,
    effective_rank,
    explained_variance_auc,
    rank_me,
    representation_std,
    singular_spectrum,
    tolerance,
    uniformity,
)
from keras_contrastive.evaluation.retrieval import retrieval
from keras_contrastive.evaluation.ridge import ridge_probe
from keras_contrastive.evaluation.sts import sts, sts_correlations, sts_geometry
from keras_contrastive.evaluation.transfer import transfer

__all__ = [
    "FineTuneResult",
    "ProbeResult",
    "alignment",
    "effective_rank",
    "embed",
    "explained_variance_auc",
    "fine_tune",
    "knn_accuracy",
    "knn_predict",
    "label_subset",
    "linear_probe",
    "logistic_probe",
    "rank_me",
    "representation_std",
    "retrieval",
    "ridge_probe",
    "singular_spectrum",
    "sts",
    "sts_correlations",
    "sts_geometry",
    "tolerance",
    "transfer",
    "uniformity",
]
