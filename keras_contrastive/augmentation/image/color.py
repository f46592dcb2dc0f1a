"""Colour arithmetic on planes: images are (N, C, H, W), C = 3 (RGB) or 1 (gray)."""

from keras import ops

from keras_contrastive.augmentation.base import Tensor

GRAY = (0.2989, 0.587, 0.114)  # ITU-R 601, as in Pillow and torchvision


def mix_channels(images: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies the colour of each pixel by one matrix (N, C, C) a sample."""
    shape = ops.shape(images)
    flat = ops.reshape(images, (-1, shape[1], shape[2] * shape[3]))
    return ops.reshape(ops.matmul(matrix, flat), shape)


def gray_matrix(channels: int) -> Tensor:
    """(C, C): the matrix that replaces each channel by the luma."""
    return ops.convert_to_tensor([GRAY] * 3 if channels == 3 else [[1.0]], "float32")


def blend(images: Tensor, own: Tensor, gray: Tensor, mean: Tensor) -> Tensor:
    """own * x + gray * luma(x) + mean * average(luma(x)), with one factor (N,) a sample.

    Brightness b is (b, 0, 0), saturation s is (s, 1 - s, 0) and contrast c is (c, 0, 1 - c), but
    for the clip.
    """
    to_luma = gray_matrix(images.shape[1])
    own, gray, mean = (ops.reshape(factor, (-1, 1, 1)) for factor in (own, gray, mean))
    mixed = mix_channels(images, own * ops.eye(images.shape[1]) + gray * to_luma)
    average = ops.mean(images, axis=(2, 3)) @ ops.transpose(to_luma)  # (N, C), all channels equal
    return mixed + (mean * average[:, :, None])[..., None]


def shift_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turns the hue of each sample by `shift` (N,), a fraction of the circle, in HSV.

    Everything is arithmetic: choosing by pixel, as the usual formulas do, takes several times as
    long. The hue counts twelve to the circle: red is at 0, green at 4, blue at 8. With R, G, B
    scaled to low = 0 and value = 1, its distance from red is 2 (1 - R + G + B), towards green where
    G > B. A channel is at its highest within 2 of its place, at its lowest beyond 4.
    """
    r, g, b = images[:, 0], images[:, 1], images[:, 2]
    value = ops.maximum(ops.maximum(r, g), b)
    low = ops.minimum(ops.minimum(r, g), b)
    chroma = value - low
    from_red = (g + b - r - low) / ops.maximum(chroma, 1e-8) + 1  # gray has any hue
    side = ops.sign(ops.sign(g - b) + 0.5)  # 1 or -1, never 0: at cyan, where g = b, both meet
    turn = side * from_red / 6 + ops.reshape(shift, (-1, 1, 1))
    hue = 12 * (turn - ops.floor(turn))
    middle, half = (value + low) / 2, chroma / 2
    red = middle - half * ops.hard_tanh(3 - ops.abs(hue - 6))  # 6 is opposite to red
    green = middle + half * ops.hard_tanh(3 - ops.abs(hue - 4))
    blue = middle + half * ops.hard_tanh(3 - ops.abs(hue - 8))
    return ops.stack([red, green, blue], axis=1)
