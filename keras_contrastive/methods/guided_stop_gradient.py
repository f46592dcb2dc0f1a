"""Guided stop-gradient: the two closest views of two images are the ones that are moved."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.heads import Head
from keras_contrastive.losses import negative_cosine
from keras_contrastive.methods.byol import BYOL
from keras_contrastive.methods.simsiam import SimSiam
from keras_contrastive.ops.similarity import Tensor
from keras_contrastive.training.momentum import Momentum


def closest_pair(first: list[Tensor], second: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Which view of one image lies closest to which view of another, sample by sample.

    Args:
        first: Two tensors `(N, d)`, the views of the first images.
        second: Two tensors `(N, d)`, the views of the second images.

    Returns:
        Two float32 tensors `(N, 2)` of zeros and a one a row: the chosen views of the first and of
        the second images, of the four pairs the one at the smallest Euclidean distance.

    Example:

    >>> import numpy as np
    >>> first = [np.array([[0.0]], "float32"), np.array([[4.0]], "float32")]
    >>> second = [np.array([[9.0]], "float32"), np.array([[6.0]], "float32")]
    >>> [[int(x) for x in chosen[0]] for chosen in closest_pair(first, second)]  # 4 and 6
    [[0, 1], [0, 1]]
    """
    first, second = ([ops.cast(z, "float32") for z in views] for views in (first, second))
    squared = [ops.sum(ops.square(a - b), axis=1) for a in first for b in second]
    closest = ops.argmin(ops.stack(squared, axis=1), axis=1)  # (N,), of 11, 12, 21, 22
    pair = ops.reshape(ops.one_hot(closest, 4, dtype="float32"), (-1, 2, 2))
    return ops.sum(pair, axis=2), ops.sum(pair, axis=1)


def guided_negative_cosine(targets: list[Tensor], predictions: list[Tensor]) -> Tensor:
    """Negative cosine of one view of each of two images, chosen so as to part the images.

    Image i has views 1 and 2; the image after it in the batch is its partner and comes with its
    views 3 and 4. Where view `a` of the one and `b` of the other are the closest, `a` and `b` are
    predicted and their own partners, the other views, are held constant: moving towards those
    parts the two images.

    Formula: `-(cos(p_1a, z_1a') + cos(p_2b, z_2b')) / 2`, with a' and b' the other views.

    Args:
        targets: Projections `(N, d)` of the four views, as they are; constant.
        predictions: Predictions `(N, d)` of the four views.

    Returns:
        A float32 tensor `(N,)`.

    Example:

    >>> import numpy as np
    >>> z = [np.random.default_rng(i).normal(size=(4, 8)).astype("float32") for i in range(4)]
    >>> float(guided_negative_cosine(z, z)[0]) > -1
    True
    """
    z1, p1 = targets[:2], predictions[:2]
    z2, p2 = (
        [ops.roll(view, -1, axis=0) for view in views[2:]] for views in (targets, predictions)
    )
    chosen = closest_pair(z1, z2)
    total = 0.0
    for z, p, choice in zip((z1, z2), (p1, p2), chosen, strict=True):
        total = total + choice[:, 0] * negative_cosine(z[1], p[0])
        total = total + choice[:, 1] * negative_cosine(z[0], p[1])
    return total / 2


@keras.saving.register_keras_serializable(package="keras_contrastive")
class GuidedSimSiam(SimSiam):
    """SimSiam with guided stop-gradient (GSG).

    Each image is paired with another one. Of their four projections the two closest, one an
    image, are drawn to their other views, and so away from each other. It takes four views an
    image, two to be first in a pair and two to be second: an augmentation of two is drawn twice.

    Args:
        encoder: As in `SimSiam`.
        augmentation: A layer from images to two or four views; `None` if `fit` gets four.
        projector: As in `SimSiam`.
        predictor: As in `SimSiam`.
        probe_classes: As in `SimSiam`.

    Logs: as `SimSiam`.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.GuidedSimSiam(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, strength=0.5, blur=0.0),
    ...     projector=lambda dim: kc.layers.simsiam_projector(dim, 32, 32),
    ...     predictor=lambda dim: kc.layers.simsiam_predictor(dim, 8),
    ... )
    >>> len(method.make_views(np.zeros((8, 16, 16, 3), "uint8")))
    4

    Differs from the reference: the partner of an image is the next one of the batch, which
    shuffling makes a random one, rather than that of a random permutation, which may be itself.
    So shuffle the data.

    Reference:
        Lee and Lee, "Implicit Contrastive Representation Learning with Guided Stop-gradient", 2023.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        predictor: Head = None,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder, augmentation, projector, predictor, probe_classes, num_views=4, **kwargs
        )

    def compare(self, targets: list[Tensor], predictions: list[Tensor]) -> Tensor:
        return guided_negative_cosine(targets, predictions)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class GuidedBYOL(BYOL):
    """BYOL with guided stop-gradient (GSG).

    As `GuidedSimSiam`, with the projections of the target network: those decide which views are
    the closest, and those are what is predicted.

    Args:
        encoder: As in `BYOL`.
        augmentation: A layer from images to two or four views; `None` if `fit` gets four.
        projector: As in `BYOL`. The paper takes `keras_contrastive.layers.simsiam_projector`.
        predictor: As in `BYOL`. The paper takes `keras_contrastive.layers.simsiam_predictor`.
        momentum: As in `BYOL`; 0.99 in the paper.
        probe_classes: As in `BYOL`.

    Logs: as `BYOL`.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.GuidedBYOL(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, strength=0.5, blur=0.0),
    ...     momentum=0.99,
    ... )
    >>> method.num_views
    4

    Differs from the reference: as `GuidedSimSiam`; and the loss has the scale of BYOL's (0 to 8,
    where the official code has -1 to 1), so that learning rates carry over.

    Reference:
        Lee and Lee, "Implicit Contrastive Representation Learning with Guided Stop-gradient", 2023.
    """

    def __init__(
        self,
        encoder: keras.Model,
        augmentation: keras.Layer | None = None,
        projector: Head = None,
        predictor: Head = None,
        momentum: Momentum = 0.996,
        probe_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            encoder,
            augmentation,
            projector,
            predictor,
            momentum,
            probe_classes,
            num_views=4,
            **kwargs,
        )

    def compare(self, targets: list[Tensor], predictions: list[Tensor]) -> Tensor:
        return 4.0 + 4.0 * guided_negative_cosine(targets, predictions)
