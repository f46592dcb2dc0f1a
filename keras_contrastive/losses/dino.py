"""DINO's loss: the student's distribution follows the teacher's, centred and sharpened."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_contrastive.losses.checks import check_temperature
from keras_contrastive.losses.swapped_prediction import swapped_prediction
from keras_contrastive.ops.similarity import Tensor


def dino_targets(outputs: Tensor, center: Tensor, temperature: float | Tensor = 0.04) -> Tensor:
    """The teacher's distribution: outputs centred, then sharpened by a low temperature.

    Formula: `softmax((t - c) / temperature)`. Centring keeps one dimension from dominating,
    sharpening keeps the distribution from the uniform one; either alone collapses.

    Args:
        outputs: The teacher's outputs, `(N, K)`; constant.
        center: Their moving mean, `(K,)`.
        temperature: Positive, below the student's; 0.04 in the paper.

    Returns:
        A float32 tensor `(N, K)`, rows that sum to 1.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import dino_targets
    >>> outputs = np.array([[0.3, 0.1]], "float32")
    >>> [round(float(p), 2) for p in dino_targets(outputs, outputs[0])[0]]  # all is in the centre
    [0.5, 0.5]

    Reference:
        Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021, section 3.
    """
    outputs, center = ops.cast(outputs, "float32"), ops.cast(center, "float32")
    return ops.softmax(ops.stop_gradient((outputs - center) / temperature), axis=-1)


def dino(
    teacher: Sequence[Tensor],
    student: Sequence[Tensor],
    center: Tensor,
    teacher_temperature: float | Tensor = 0.04,
    student_temperature: float = 0.1,
) -> Tensor:
    """Cross-entropy of the teacher on full views and the student on all other views, averaged.

    It is the swapped prediction with the teacher's distribution in the place of codes.

    Args:
        teacher: The teacher's outputs on A views, `(N, K)` each; constant.
        student: The student's outputs on V views, the same A first.
        center: Moving mean of the teacher's outputs, `(K,)`.
        teacher_temperature: Positive; 0.04 in the paper.
        student_temperature: Positive; 0.1 in the paper.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import dino
    >>> outputs = np.ones((2, 4), "float32")
    >>> round(float(dino([outputs], [outputs] * 2, np.zeros(4, "float32"))[0]), 4)  # log 4
    1.3863

    Reference:
        Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021,
        equation 3.
    """
    targets = [dino_targets(view, center, teacher_temperature) for view in teacher]
    return swapped_prediction(targets, student, student_temperature)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class DINOLoss(keras.losses.Loss):
    """Self-distillation of the student from a centred and sharpened teacher.

    Args:
        student_temperature: Positive. Default 0.1, the paper's.
        teacher_temperature: Positive, below the student's. Default 0.04, the paper's.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; the softmax is float32 whatever it is.

    Inputs:
        `loss((teacher, center), student)`: `teacher` and `student` are lists of outputs `(N, K)`,
        one a view, the teacher's views first among the student's; `center` is `(K,)`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import DINOLoss
    >>> outputs = np.eye(4, dtype="float32")
    >>> round(float(DINOLoss()(([outputs], np.zeros(4, "float32")), [outputs, outputs])), 4)
    0.0001

    Reference:
        Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021.
    """

    def __init__(
        self,
        student_temperature: float = 0.1,
        teacher_temperature: float = 0.04,
        reduction: str = "sum_over_batch_size",
        name: str = "dino",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.student_temperature = check_temperature(student_temperature)
        self.teacher_temperature = check_temperature(teacher_temperature)

    def call(self, targets: tuple[Sequence[Tensor], Tensor], student: Sequence[Tensor]) -> Tensor:
        teacher, center = targets
        return dino(teacher, student, center, self.teacher_temperature, self.student_temperature)

    def get_config(self) -> dict:
        config = {
            "student_temperature": self.student_temperature,
            "teacher_temperature": self.teacher_temperature,
            "dtype": self.dtype,
        }
        return {**super().get_config(), **config}
