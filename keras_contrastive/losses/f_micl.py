"""f-MICL: contrastive learning as the maximisation of an f-mutual information."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_contrastive.losses.checks import check_pair
from keras_contrastive.losses.contrast import of_samples, other_samples, positive_logits, stacked
from keras_contrastive.ops import masked_mean
from keras_contrastive.ops.similarity import Tensor

SMALLEST = 1e-7  # f' of the KL and Hellinger divergences is infinite at 0


class Divergence(NamedTuple):
    """An f-divergence by what its variational form needs.

    Attributes:
        derivative: f'(u) of u > 0.
        conjugate: f*(f'(u)), which equals u f'(u) - f(u).
    """

    derivative: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]


TSALLIS = 3.0  # the order alpha of Tsallis' divergence

DIVERGENCES = {
    "kl": Divergence(lambda u: ops.log(u) + 1.0, lambda u: u),
    "js": Divergence(
        lambda u: ops.log(2.0 * u / (1.0 + u)), lambda u: ops.log1p(u) - 0.6931471805599453
    ),
    "pearson": Divergence(lambda u: 2.0 * (u - 1.0), lambda u: ops.square(u) - 1.0),
    "squared_hellinger": Divergence(lambda u: 1.0 - ops.rsqrt(u), lambda u: ops.sqrt(u) - 1.0),
    "tsallis": Divergence(
        lambda u: TSALLIS * u ** (TSALLIS - 1.0) / (TSALLIS - 1.0), lambda u: u**TSALLIS
    ),
    "vincze_le_cam": Divergence(
        lambda u: 1.0 - 4.0 / ops.square(u + 1.0),
        lambda u: 3.0 - 8.0 / (u + 1.0) + 4.0 / ops.square(u + 1.0),
    ),
}


def f_micl(
    z1: Tensor,
    z2: Tensor,
    divergence: Divergence,
    alpha: float = 40.0,
    mu: float = 1.0,
    sigma: float = 1.0,
) -> Tensor:
    """Minus a lower bound of the f-mutual information of two views, under a Gaussian kernel.

    Formula: with `G = mu exp(-(1 - s) / sigma^2)` of cosines s,
    `l_i = -f'(G_ip) + alpha mean_{k not in {i, p}} f*(f'(G_ik))`.

    Args:
        z1: Projections of the first view, `(N, D)`, of any length.
        z2: Projections of the second view, `(N, D)`.
        divergence: One of `DIVERGENCES`, or your own.
        alpha: Weight of the negatives, positive.
        mu: Height of the kernel, positive.
        sigma: Width of the kernel, positive.

    Returns:
        A float32 tensor `(N,)`: the mean of the sample's two anchors.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import DIVERGENCES, f_micl
    >>> z = np.ones((4, 8), "float32")
    >>> abs(round(float(f_micl(z, z, DIVERGENCES["kl"], alpha=1.0)[0]), 4))  # G = 1: -1 + 1
    0.0

    Reference:
        Lu et al., 2023, equations 9 and 10.
    """
    z = stacked(z1, z2)  # (2N, D)

    def kernel(similarity: Tensor) -> Tensor:
        return ops.maximum(mu * ops.exp((similarity - 1.0) / sigma**2), SMALLEST)

    positive = divergence.derivative(positive_logits(z, kernel))  # (2N,)
    negative = masked_mean(z, z, other_samples(ops.shape(z1)[0]), kernel, divergence.conjugate)
    return of_samples(alpha * negative - positive)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class FMICL(keras.losses.Loss):
    """f-MICL: InfoNCE with another f-divergence in place of Kullback and Leibler's.

    Args:
        divergence: "kl", "js", "pearson", "squared_hellinger", "tsallis" (of order 3) or
            "vincze_le_cam"; which is best depends on the data.
        alpha: Weight of the negatives, positive; default 40.
        mu: Height of the Gaussian kernel, positive; default 1.
        sigma: Width of the Gaussian kernel, positive; default 1.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss(z1, z2)`: the projections of two views, each `(N, D)`, of any length.

    Raises:
        ValueError: If the divergence is unknown or a number is not positive.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import FMICL
    >>> z = np.ones((4, 8), "float32")
    >>> abs(round(float(FMICL("pearson")(z, z)), 4))  # all equal: f'(1) = f*(f'(1)) = 0
    0.0

    Differs from the reference: the negatives of both views are used, as in NT-Xent. The paper
    tunes alpha, mu and sigma for each divergence; the defaults are only where to start.

    Reference:
        Lu et al., "f-MICL: Understanding and Generalizing InfoNCE-based Contrastive Learning",
        2023.
    """

    def __init__(
        self,
        divergence: str = "kl",
        alpha: float = 40.0,
        mu: float = 1.0,
        sigma: float = 1.0,
        name: str = "f_micl",
        **kwargs: Any,
    ) -> None:
        if divergence not in DIVERGENCES:
            raise ValueError(
                f"Expected `divergence` to be one of {[*DIVERGENCES]}. Received: {divergence!r}."
            )
        if not (alpha > 0 and mu > 0 and sigma > 0):
            raise ValueError(
                "Expected positive `alpha`, `mu` and `sigma`. "
                f"Received: alpha={alpha}, mu={mu}, sigma={sigma}."
            )
        super().__init__(name=name, **kwargs)
        self.divergence, self.alpha, self.mu, self.sigma = divergence, alpha, mu, sigma

    def call(self, z1: Tensor, z2: Tensor) -> Tensor:
        check_pair(z1, z2)
        divergence = DIVERGENCES[self.divergence]
        return f_micl(z1, z2, divergence, self.alpha, self.mu, self.sigma)

    def get_config(self) -> dict:
        names = ("divergence", "alpha", "mu", "sigma", "dtype")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
