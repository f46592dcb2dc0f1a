"""Colour arithmetic on planes: images are (N, C, H, W), C = 3 (RGB) or 1 (gray)."""

from keras import ops

from keras_contrastive.augmentation.base import Tensor, per_sample

GRAY = (0.2989, 0.587, 0.114)  # ITU-R 601, as in Pillow and torchvision


def grayscale(images: Tensor) -> Tensor:
    """The luma of each pixel, (N, 1, H, W)."""
    if images.shape[1] == 1:
        return images
    r, g, b = (images[:, i : i + 1] for i in range(3))
    return GRAY[0] * r + GRAY[1] * g + GRAY[2] * b


def blend(images: Tensor, own: Tensor, gray: Tensor, mean: Tensor) -> Tensor:
    """clip(own * x + gray * grayscale(x) + mean * average(grayscale(x))), one factor (N,) a sample.

    Brightness b is (b, 0, 0), saturation s is (s, 1 - s, 0) and contrast c is (c, 0, 1 - c).
    """
    luma = grayscale(images)
    average = ops.mean(luma, axis=(1, 2, 3), keepdims=True)
    added = per_sample(gray) * luma + per_sample(mean) * average
    return ops.clip(per_sample(own) * images + added, 0, 1)


def shift_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turns the hue of each sample by `shift` (N,), a fraction of the circle, in HSV."""
    r, g, b = images[:, 0], images[:, 1], images[:, 2]
    value = ops.maximum(ops.maximum(r, g), b)
    low = ops.minimum(ops.minimum(r, g), b)
    chroma = value - low
    unit = 1 / ops.maximum(chroma, 1e-8)  # of a gray pixel any hue will do
    hue = ops.where(
        value == r,
        (g - b) * unit,
        ops.where(value == g, (b - r) * unit + 2, (r - g) * unit + 4),
    )
    turn = hue / 6 + ops.reshape(shift, (-1, 1, 1))
    hue = 6 * (turn - ops.floor(turn))  # in [0, 6): red at 0, green at 2, blue at 4

    def near(centre: int) -> Tensor:
        """The chroma within 1 of the centre, none beyond 2, falling in between."""
        return chroma * ops.clip(2 - ops.abs(hue - centre), 0, 1)

    return ops.stack([value - near(3), low + near(2), low + near(4)], axis=1)
