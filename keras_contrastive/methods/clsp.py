"""CLSP: synthetic images as further positives, an addition to a contrastive method."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_contrastive.methods.addition import Addition
from keras_contrastive.ops import l2_normalize
from keras_contrastive.ops.similarity import Tensor


@keras.saving.register_keras_serializable(package="keras_contrastive")
class CLSP(Addition):
    """Contrastive learning with synthetic positives: the first view is drawn to one of them.

    Formula: `L = L_contrastive + weight * mean_i |z_i - z'_i|^2` at unit length, `z'` the online
    projections of a view of the synthetic positive. It has no negatives of its own, and gradients
    reach both sides.

    The synthetic images are made beforehand, by a diffusion model for instance.
    `keras_contrastive.data.with_positives(images, bank)` reads them while the model trains, from
    an array, a file, a folder or a function.

    Args:
        weight: Weight of the term, default 1.

    Raises:
        ValueError: When `fit` gets inputs without positives.

    Logs: clsp_loss (0 to 4) beside what the method logs.

    Example:

    >>> import keras_contrastive as kc, numpy as np
    >>> method = kc.SimCLR(
    ...     kc.encoders.small_resnet(input_shape=(16, 16, 3), widths=(8, 16)),
    ...     kc.augmentation.simclr_views(size=16, blur=0.0),
    ...     additions=[kc.CLSP()],
    ... )
    >>> method.compile(optimizer="adam")
    >>> rng = np.random.default_rng(0)
    >>> images = rng.integers(0, 256, (16, 16, 16, 3), "uint8")
    >>> bank = rng.integers(0, 256, (16, 4, 16, 16, 3), "uint8")  # four for each image
    >>> history = method.fit(kc.data.with_positives(images, bank, batch_size=8), verbose=0)
    >>> 0 < history.history["clsp_loss"][0] < 4
    True

    Reference:
        Zeng et al., "Contrastive Learning with Synthetic Positives", 2024.
    """

    log_name = "clsp_loss"
    takes_positives = True

    def term(
        self, projections: Sequence[Tensor], positive: Tensor, labels: Tensor | None
    ) -> Tensor:
        return 2.0 - 2.0 * ops.sum(l2_normalize(projections[0]) * l2_normalize(positive), axis=1)
