"""SogCLR and iSogCLR: the contrastive loss over the whole data set, from small batches."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.layers.sample_table import SampleTable
from keras_contrastive.layers.temperature import IndividualTemperature
from keras_contrastive.losses.contrast import (
    log_negatives,
    of_samples,
    other_samples,
    positive_logits,
    stacked,
    true_negatives,
)
from keras_contrastive.losses.two_views import TwoViewLoss
from keras_contrastive.ops import masked_count, masked_mean
from keras_contrastive.ops.detection import Detection
from keras_contrastive.ops.similarity import Tensor

NEVER = -1e9  # the log of a mean that has not been seen
_MAX_LOG_WEIGHT = 40.0


@keras.saving.register_keras_serializable(package="keras_contrastive")
class SogCLR(TwoViewLoss):
    """Global contrastive loss: each sample's negatives are averaged over its visits.

    Formula: `u_i <- (1 - g) u_i + g mean_j exp(s_ij / t)` over the 2N - 2 negatives j of each
    anchor, `l_i = -s_ip + mean_j w_ij s_ij` with `w_ij = exp(s_ij / t) / u_i`, a constant for the
    gradient. So small batches see the denominator of the whole data set. With an
    `IndividualTemperature` it is iSogCLR.

    Args:
        num_samples: Size of the data set; the state is one number a sample.
        temperature: Positive, default 0.1, or `keras_contrastive.layers.IndividualTemperature`.
        gamma: Weight g of the new mean, in 0 to 1 (without 0); 0.9 in the authors' code.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss.call(z1, z2, index)`: the projections of two views, each `(N, D)`, and the positions
        of the samples in the data set, `(N,)`, which methods pass from the data
        (`keras_contrastive.data.indexed`).

    Raises:
        ValueError: If there are no indices, `gamma` is out of range, or the temperature is not one
            to divide by.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import SogCLR
    >>> loss = SogCLR(num_samples=4)
    >>> z = np.eye(4, dtype="float32")
    >>> float(loss.call(z, z, index=np.arange(4))[0])  # positives at 1, negatives at 0
    -1.0

    Differs from the reference: the running means are kept as logarithms, and a first visit is
    told by its own value rather than by a mean of 0, so that nothing over- or underflows.

    Reference:
        Yuan et al., "Provable Stochastic Optimization for Global Contrastive Learning: Small
        Batch Does Not Harm Performance", 2022, algorithm 1; iSogCLR: Qiu et al., 2023.
    """

    def __init__(
        self,
        num_samples: int,
        temperature: Any = 0.1,
        gamma: float = 0.9,
        name: str = "sogclr",
        **kwargs: Any,
    ) -> None:
        super().__init__(temperature, name, **kwargs)
        if not 0 < gamma <= 1:
            raise ValueError(f"Expected `gamma` in 0 to 1 (without 0). Received: gamma={gamma}.")
        self.num_samples, self.gamma = num_samples, gamma
        self.log_means = SampleTable(num_samples, initial=NEVER)

    def call(
        self,
        z1: Tensor,
        z2: Tensor,
        index: Tensor | None = None,
        detection: Detection | None = None,
        training: bool = True,
    ) -> Tensor:
        temperature, (z1, z2) = self.settle(z1, z2, index, detection)
        old = self.log_means.read(index)  # (N,)
        if callable(temperature):
            raise ValueError(
                "Expected a temperature to divide similarities by. "
                f"Received: {type(self.temperature).__name__}."
            )
        z = stacked(z1, z2)  # (2N, D)
        negative = true_negatives(other_samples(ops.shape(z1)[0]), detection)
        constant = ops.stop_gradient(z)
        number = ops.maximum(masked_count(z, z, negative), 1.0)
        log_batch = log_negatives(constant, constant, temperature, negative) - ops.log(number)
        log_means = self._moved(ops.concatenate([old, old], axis=0), log_batch)  # (2N,)
        log_weights = self.log_inverse(log_means)[:, None]

        def weighted(logits: Tensor) -> Tensor:
            # No negative weighs as much; the masked pairs might be infinite, and 0 times that NaN.
            log_weight = ops.minimum(ops.stop_gradient(logits) + log_weights, _MAX_LOG_WEIGHT)
            return ops.exp(log_weight) * logits

        weighted_mean = masked_mean(z, z, negative, temperature, weighted)  # of s / t
        if training:
            half = ops.shape(z1)[0]
            both = ops.logaddexp(log_means[:half], log_means[half:]) - ops.log(2.0)
            self.log_means.write(index, both)
            self._learn_temperatures(index, both, weighted_mean)
        flat = ops.reshape(temperature, (-1,))  # (1,) or (2N,)
        return of_samples(flat * (weighted_mean - positive_logits(z, temperature)))

    def log_inverse(self, log_means: Tensor) -> Tensor:
        """The log of what each anchor's exponentials are multiplied by, `(2N,)`."""
        return -log_means

    def _moved(self, old: Tensor, new: Tensor) -> Tensor:
        if self.gamma == 1:
            return new
        moved = ops.logaddexp(old + ops.log(1.0 - self.gamma), new + ops.log(self.gamma))
        return ops.where(old > NEVER / 2, moved, new)

    def _learn_temperatures(self, index: Tensor, log_means: Tensor, weighted: Tensor) -> None:
        if isinstance(self.temperature, IndividualTemperature):
            gradients = log_means + self.temperature.rho - of_samples(weighted)
            self.temperature.learn(index, gradients)

    def get_config(self) -> dict:
        return {**super().get_config(), "num_samples": self.num_samples, "gamma": self.gamma}


@keras.saving.register_keras_serializable(package="keras_contrastive")
class BayesianContrastive(SogCLR):
    """Contrastive loss under Bayesian data augmentation: the denominator is drawn, not estimated.

    With a variable u_i for each sample, `1 / Z_i` is an integral over `exp(-u_i Z_i)`, in which
    negatives add up and batches are unbiased. Each step draws u_i from its conditional, an
    exponential distribution of rate Z_i (the running mean of `SogCLR`), then descends
    `-s_ip + u_i mean_j exp(s_ij / t)`.

    Args:
        num_samples: Size of the data set; the state is one number a sample.
        temperature: Positive, default 0.1, or `keras_contrastive.layers.IndividualTemperature`.
        gamma: Weight of the new mean, in 0 to 1 (without 0).
        seed: Seed of the draws.
        reduction: As in `keras.losses.Loss`; one value per sample before it.
        name: Name of the loss.
        dtype: Dtype of the result; similarities and sums are float32 whatever it is.

    Inputs:
        `loss.call(z1, z2, index)`, as `SogCLR`.

    Example:

    >>> import numpy as np
    >>> from keras_contrastive.losses import BayesianContrastive
    >>> loss = BayesianContrastive(num_samples=4)
    >>> z = np.eye(4, dtype="float32")
    >>> float(loss.call(z, z, index=np.arange(4))[0])  # positives at 1, negatives at 0
    -1.0

    Differs from the reference: priors and schedules of the paper's expectation-maximisation are
    not published; this is the stochastic version that follows from the identity. Its expectation
    over the draws is SogCLR.

    Reference:
        Liu et al., "Improving Self-supervised Contrastive Learning via Bayesian Data
        Augmentation", 2022 (an interpretation).
    """

    def __init__(
        self,
        num_samples: int,
        temperature: Any = 0.1,
        gamma: float = 0.9,
        seed: int = 0,
        name: str = "bayesian_contrastive",
        **kwargs: Any,
    ) -> None:
        super().__init__(num_samples, temperature, gamma, name, **kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def log_inverse(self, log_means: Tensor) -> Tensor:
        uniform = keras.random.uniform(
            ops.shape(log_means), minval=1e-7, maxval=1.0, seed=self.generator
        )
        return ops.log(-ops.log(uniform)) - log_means  # of an exponential variable of that rate

    def get_config(self) -> dict:
        return {**super().get_config(), "seed": self.seed}
