"""ColorJitter: brightness, contrast, saturation and hue in random order."""

from typing import Any

import keras
from keras import ops

from keras_contrastive.augmentation.base import Augmentation, Tensor, check_rate
from keras_contrastive.augmentation.image.color import blend, shift_hue

BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)


@keras.saving.register_keras_serializable(package="keras_contrastive")
class ColorJitter(Augmentation):
    """Changes brightness, contrast, saturation and hue, in an order drawn for each sample.

    The factors of the first three are uniform in [max(0, 1 - x), 1 + x], the shift of the hue in
    [-x, x], a fraction of the circle. Values are clipped to [0, 1] after each operation.

    Args:
        brightness: x of the brightness, at least 0.
        contrast: x of the contrast.
        saturation: x of the saturation.
        hue: x of the hue, within [0, 0.5].
        rate: probability that a sample is changed at all.

    Example:

    >>> import numpy as np
    >>> jitter = ColorJitter(0.8, 0.8, 0.8, 0.2, rate=0.8, seed=0)
    >>> tuple(jitter(np.zeros((4, 32, 32, 3), "uint8")).shape)
    (4, 32, 32, 3)

    Reference: Chen et al., A simple framework for contrastive learning (2020), appendix A; the
    order and the definitions are torchvision's.
    """

    channels = (1, 3)

    def __init__(
        self,
        brightness: float = 0.8,
        contrast: float = 0.8,
        saturation: float = 0.8,
        hue: float = 0.2,
        rate: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value in (
            ("brightness", brightness),
            ("contrast", contrast),
            ("saturation", saturation),
        ):
            if value < 0:
                raise ValueError(f"Expected {name} of at least 0. Received: {value}.")
        if not 0 <= hue <= 0.5:
            raise ValueError(f"Expected hue in [0, 0.5], of the circle. Received: {hue}.")
        check_rate("rate", rate)
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation
        self.hue, self.rate = hue, rate

    def augment(self, images: Tensor) -> Tensor:
        return jitter(images, self.factors(images), self.order(images))

    def factors(self, images: Tensor) -> Tensor:
        """(N, 4): the factors of brightness, contrast and saturation, and the shift of the hue."""
        changed = ops.cast(self.chance(images, self.rate), "float32")[:, None]
        draws = self.uniform(images, shape=(4,))
        spread = [self.brightness, self.contrast, self.saturation]
        low = ops.convert_to_tensor([*(max(0.0, 1 - x) for x in spread), -self.hue], "float32")
        high = ops.convert_to_tensor([*(1 + x for x in spread), self.hue], "float32")
        same = ops.convert_to_tensor([1.0, 1.0, 1.0, 0.0], "float32")
        return same + changed * (low + (high - low) * draws - same)

    def order(self, images: Tensor) -> Tensor:
        """(N, 4): a permutation of the four operations for each sample."""
        return ops.argsort(self.uniform(images, shape=(4,)), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "brightness": self.brightness,
            "contrast": self.contrast,
            "saturation": self.saturation,
            "hue": self.hue,
            "rate": self.rate,
        }


def jitter(images: Tensor, factors: Tensor, order: Tensor) -> Tensor:
    """Applies the four operations to images (N, C, H, W) with `factors` (N, 4) in `order` (N, 4).

    All but the hue are blends of one form. Three blends run before the hue and three after it; a
    blend that belongs on the other side, which differs from sample to sample, is the identity.
    """
    operation = ops.one_hot(order, 4)  # (N, place, operation)
    hue_place = ops.argmax(operation[:, :, HUE], axis=1)
    before = [ops.cast(hue_place > k, "float32") for k in range(3)]  # the k-th blend, (N,)
    after = [1 - on for on in before]
    blends = []
    for k in range(3):  # stands in place k or, behind the hue, in place k + 1
        chosen = before[k][:, None] * operation[:, k] + after[k][:, None] * operation[:, k + 1]
        change = ops.sum(chosen[:, :HUE] * factors[:, :HUE], axis=1) - 1
        blends.append((change, -change * chosen[:, SATURATION], -change * chosen[:, CONTRAST]))

    # Between the first blend and the last, colours run to 6: `relu6` clips quickly everywhere.
    units = (6.0, 1.0, 1.0, 1.0, 1.0, 1 / 6)
    for k, (on, unit) in enumerate(zip([*before, *after], units)):
        if k == 3 and images.shape[1] == 3:
            images = shift_hue(images, factors[:, HUE])
        own, gray, mean = blends[k % 3]
        images = blend(images, unit * (1 + on * own), unit * on * gray, unit * on * mean)
        images = ops.relu6(images) if k < 5 else ops.clip(images, 0, 1)
    return images
