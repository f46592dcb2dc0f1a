"""The augmentations of published methods, by name. Each function returns new `Views`.

All take `size` (height and width of the views, pixels), `seed` and `data_format`. `blur` is the
probability of the blur, 0 turns it off. Every view is mirrored with probability 1/2.
"""

import random
from collections.abc import Iterator
from typing import Any

from keras_contrastive.augmentation.base import Augmentation
from keras_contrastive.augmentation.image.color_jitter import ColorJitter
from keras_contrastive.augmentation.image.gaussian_blur import GaussianBlur
from keras_contrastive.augmentation.image.random_flip import RandomFlip
from keras_contrastive.augmentation.image.random_grayscale import RandomGrayscale
from keras_contrastive.augmentation.image.random_resized_crop import RandomResizedCrop
from keras_contrastive.augmentation.image.solarize import Solarize
from keras_contrastive.augmentation.views import MultiCrop, Views

Jitter = tuple[float, float, float, float]  # brightness, contrast, saturation, hue
Range = tuple[float, float]

STRONG: Jitter = (0.8, 0.8, 0.8, 0.2)
WEAK: Jitter = (0.4, 0.4, 0.4, 0.1)
BYOL: Jitter = (0.4, 0.4, 0.2, 0.1)


class _Recipe:
    """Builds pipelines whose layers all have different seeds, which follow from one."""

    def __init__(self, size: int, seed: int | None, data_format: str | None, interpolation: str):
        self.size, self.interpolation, self.data_format = size, interpolation, data_format
        self.seeds = _seeds(seed)

    def common(self) -> dict[str, Any]:
        return {"data_format": self.data_format, "seed": next(self.seeds)}

    def crop(self, scale: Range, size: int | None = None) -> list[Augmentation]:
        """crop, flip."""
        return [
            RandomResizedCrop(
                size or self.size, scale, interpolation=self.interpolation, **self.common()
            ),
            RandomFlip(**self.common()),
        ]

    def view(
        self,
        scale: Range,
        jitter: Jitter,
        blur: float = 0.0,
        solarize: float = 0.0,
        size: int | None = None,
    ) -> list[Augmentation]:
        """crop, flip, colour jitter (80 %), grayscale (20 %), blur, solarize."""
        layers = [
            *self.crop(scale, size),
            ColorJitter(*jitter, rate=0.8, **self.common()),
            RandomGrayscale(0.2, **self.common()),
        ]
        if blur:
            layers.append(GaussianBlur(rate=blur, **self.common()))
        if solarize:
            layers.append(Solarize(rate=solarize, **self.common()))
        return layers

    def views(self, pipelines: list) -> Views:
        return Views(pipelines, **self.common())


def simclr_views(
    size: int,
    strength: float = 1.0,
    blur: float = 0.5,
    scale: Range = (0.08, 1.0),
    interpolation: str = "bicubic",
    seed: int | None = None,
    data_format: str | None = None,
) -> Views:
    """SimCLR (Chen et al., 2020): strong jitter times `strength`; 0.5 and no blur for CIFAR.

    Example:

    >>> import numpy as np
    >>> first, second = simclr_views(32, strength=0.5, blur=0.0)(np.zeros((8, 32, 32, 3), "uint8"))
    >>> tuple(first.shape)
    (8, 32, 32, 3)
    """
    recipe = _Recipe(size, seed, data_format, interpolation)
    return recipe.views([recipe.view(scale, _times(STRONG, strength), blur)] * 2)


def moco_v1_views(size: int, seed: int | None = None, data_format: str | None = None) -> Views:
    """MoCo v1 (He et al., 2020): grayscale before the jitter, which is always applied; no blur."""
    recipe = _Recipe(size, seed, data_format, "bilinear")
    view = [
        RandomResizedCrop(size, (0.2, 1.0), interpolation="bilinear", **recipe.common()),
        RandomGrayscale(0.2, **recipe.common()),
        ColorJitter(0.4, 0.4, 0.4, 0.4, **recipe.common()),
        RandomFlip(**recipe.common()),
    ]
    return recipe.views([view] * 2)


def moco_v2_views(
    size: int, blur: float = 0.5, seed: int | None = None, data_format: str | None = None
) -> Views:
    """MoCo v2 (Chen et al., 2020); the same for SimSiam, DenseCL and GSG."""
    recipe = _Recipe(size, seed, data_format, "bilinear")
    return recipe.views([recipe.view((0.2, 1.0), WEAK, blur)] * 2)


def byol_views(
    size: int,
    blur: Range = (1.0, 0.1),
    solarize: Range = (0.0, 0.2),
    scale: Range = (0.08, 1.0),
    interpolation: str = "bicubic",
    seed: int | None = None,
    data_format: str | None = None,
) -> Views:
    """BYOL (Grill et al., 2020); the same for Barlow Twins, VICReg and PixPro.

    `blur` and `solarize` hold the probability in the first and in the second view.
    """
    recipe = _Recipe(size, seed, data_format, interpolation)
    return recipe.views([recipe.view(scale, BYOL, *pair) for pair in zip(blur, solarize)])


def moco_v3_views(size: int, seed: int | None = None, data_format: str | None = None) -> Views:
    """MoCo v3 (Chen et al., 2021) for ResNet-50: BYOL's with crops of at least a fifth."""
    return byol_views(size, scale=(0.2, 1.0), seed=seed, data_format=data_format)


def ressl_views(
    size: int, blur: float = 0.5, seed: int | None = None, data_format: str | None = None
) -> Views:
    """ReSSL (Zheng et al., 2021): MoCo v2's for the student, then crop and flip for the teacher."""
    recipe = _Recipe(size, seed, data_format, "bilinear")
    return recipe.views([recipe.view((0.2, 1.0), WEAK, blur), recipe.crop((0.2, 1.0))])


def swav_views(
    size: int = 224,
    local_size: int = 96,
    num_local: int = 6,
    strength: float = 1.0,
    blur: float = 0.5,
    seed: int | None = None,
    data_format: str | None = None,
) -> MultiCrop:
    """SwAV (Caron et al., 2020): two full views of 14 % and more, local views of 5 to 14 %."""
    recipe = _Recipe(size, seed, data_format, "bilinear")
    jitter = _times(STRONG, strength)
    return MultiCrop(
        [recipe.view((0.14, 1.0), jitter, blur)] * 2,
        [recipe.view((0.05, 0.14), jitter, blur, size=local_size)] * num_local,
        **recipe.common(),
    )


def dino_views(
    size: int = 224,
    local_size: int = 96,
    num_local: int = 8,
    seed: int | None = None,
    data_format: str | None = None,
) -> MultiCrop:
    """DINO (Caron et al., 2021): BYOL's two views of 40 % and more, local views of 5 to 40 %."""
    recipe = _Recipe(size, seed, data_format, "bicubic")
    return MultiCrop(
        [
            recipe.view((0.4, 1.0), BYOL, blur=1.0),
            recipe.view((0.4, 1.0), BYOL, blur=0.1, solarize=0.2),
        ],
        [recipe.view((0.05, 0.4), BYOL, blur=0.5, size=local_size)] * num_local,
        **recipe.common(),
    )


def supcon_cifar_views(
    size: int = 32, seed: int | None = None, data_format: str | None = None
) -> Views:
    """SupCon (Khosla et al., 2020) on CIFAR."""
    recipe = _Recipe(size, seed, data_format, "bilinear")
    return recipe.views([recipe.view((0.2, 1.0), WEAK)] * 2)


def hcl_views(
    size: int = 32, blur: float = 0.5, seed: int | None = None, data_format: str | None = None
) -> Views:
    """Debiased (Chuang et al., 2020) and HCL (Robinson et al., 2021) on 32-pixel images."""
    recipe = _Recipe(size, seed, data_format, "bilinear")
    return recipe.views([recipe.view((0.08, 1.0), WEAK, blur)] * 2)


def solo_cifar_symmetric_views(
    size: int = 32, blur: float = 0.5, seed: int | None = None, data_format: str | None = None
) -> Views:
    """solo-learn's `symmetric` for CIFAR: SimCLR's."""
    return simclr_views(size, blur=blur, seed=seed, data_format=data_format)


def solo_cifar_symmetric_weak_views(
    size: int = 32, blur: float = 0.5, seed: int | None = None, data_format: str | None = None
) -> Views:
    """solo-learn's `symmetric_weak` for CIFAR: half the jitter."""
    return simclr_views(size, strength=0.5, blur=blur, seed=seed, data_format=data_format)


def solo_cifar_asymmetric_views(
    size: int = 32, seed: int | None = None, data_format: str | None = None
) -> Views:
    """solo-learn's `asymmetric` for CIFAR: BYOL's without blur."""
    return byol_views(size, blur=(0.0, 0.0), seed=seed, data_format=data_format)


def lightly_cifar_simclr_views(
    size: int = 32, seed: int | None = None, data_format: str | None = None
) -> Views:
    """lightly's SimCLR transform for CIFAR: half the jitter, no blur, bilinear."""
    return simclr_views(
        size, 0.5, blur=0.0, interpolation="bilinear", seed=seed, data_format=data_format
    )


def lightly_cifar_byol_views(
    size: int = 32, seed: int | None = None, data_format: str | None = None
) -> Views:
    """lightly's BYOL transform for CIFAR: no blur, bilinear."""
    return byol_views(
        size, blur=(0.0, 0.0), interpolation="bilinear", seed=seed, data_format=data_format
    )


def lightly_cifar_swav_views(
    size: int = 32, seed: int | None = None, data_format: str | None = None
) -> MultiCrop:
    """lightly's SwAV transform for CIFAR: two full views, half the jitter, no blur."""
    return swav_views(size, num_local=0, strength=0.5, blur=0.0, seed=seed, data_format=data_format)


def _times(jitter: Jitter, strength: float) -> Jitter:
    brightness, contrast, saturation, hue = (strength * x for x in jitter)
    return brightness, contrast, saturation, hue


def _seeds(seed: int | None) -> Iterator[int]:
    generator = random.Random(random.random() if seed is None else seed)
    while True:
        yield generator.randrange(2**31)
