"""Affine maps of images with bilinear sampling."""

import math

from keras import ops

from keras_contrastive.augmentation.base import Tensor


def warp(
    images: Tensor, angle: Tensor, x: Tensor, y: Tensor, scale: Tensor, shear: Tensor
) -> Tensor:
    """Rotates, shears, scales and then shifts images (N, C, H, W) about their centres.

    All arguments are (N,): degrees clockwise, pixels right and down, a factor, degrees. The values
    are those of torchvision's `affine` with bilinear interpolation on float images: black outside.
    """
    height, width = ops.shape(images)[2:]
    rows, columns = (_centred(n) for n in (height, width))
    angle, shear = (math.pi / 180 * ops.reshape(a, (-1, 1, 1)) for a in (angle, shear))
    x, y, scale = (ops.reshape(v, (-1, 1, 1)) for v in (x, y, scale))

    # A new pixel comes from where the inverse takes it: shift, rotation and scale, shear undone.
    right, down = columns[None, None, :] - x, rows[None, :, None] - y
    cos, sin = ops.cos(angle) / scale, ops.sin(angle) / scale
    from_x, from_y = cos * right + sin * down, cos * down - sin * right
    from_x = from_x + ops.tan(shear) * from_y
    return _sample(images, from_x - columns[0], from_y - rows[0])


def _centred(size: int) -> Tensor:
    """The places of the pixels of a line, 0 in the middle."""
    return ops.arange(size, dtype="float32") - (ops.cast(size, "float32") - 1) / 2


def _sample(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Reads images (N, C, H, W) at the places x, y (N, H, W), pixels from the top left corner."""
    shape = ops.shape(images)
    _, channels, height, width = shape
    flat = ops.reshape(images, (-1, channels, height * width))
    left, top = ops.floor(x), ops.floor(y)

    def corner(right: int, below: int) -> Tensor:
        column, row = left + right, top + below
        weight = (1 - ops.abs(x - column)) * (1 - ops.abs(y - row))
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        index = ops.clip(row, 0, height - 1) * width + ops.clip(column, 0, width - 1)
        index = ops.reshape(ops.cast(index, "int32"), (-1, 1, height * width))
        values = ops.take_along_axis(flat, ops.repeat(index, channels, axis=1), axis=2)
        weight = weight * ops.cast(inside, "float32")
        return values * ops.reshape(weight, (-1, 1, height * width))

    return ops.reshape(corner(0, 0) + corner(1, 0) + corner(0, 1) + corner(1, 1), shape)
