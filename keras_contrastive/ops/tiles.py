"""Walks over all pairs of two sets of rows, a tile of rows and columns at a time."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from keras import ops

from keras_contrastive.ops.similarity import Tensor

_tile_size = 1024
_HELD = 4  # tiles: as much as a walk over tiles has in hand


class Tile(NamedTuple):
    """Some consecutive rows of a few tensors.

    Attributes:
        rows: These rows of each tensor.
        index: Their positions, `(size,)`; the last tile is filled with the first rows.
        valid: Which of them are no such filling, `(size,)`; `None` for all.
    """

    rows: list[Tensor]
    index: Tensor
    valid: Tensor | None


def set_tile_size(size: int) -> None:
    """Sets how large a part of a matrix of similarities the losses hold at a time.

    A tile has at most `size * size` pairs, so memory grows with the batch, not with its square.
    A matrix of up to four tiles is held whole, which is faster. Results do not depend on the size
    beyond rounding. It counts where a step is built: set it before `fit`.

    Args:
        size: At least 1; 1024 to begin with, tiles of 4 MB.

    Raises:
        ValueError: If it is less than 1.

    Example:

    >>> from keras_contrastive import ops
    >>> ops.set_tile_size(1024)
    """
    global _tile_size
    if size < 1:
        raise ValueError(f"Expected a tile `size` of at least 1. Received: size={size}.")
    _tile_size = int(size)


def held_whole(outer: Tensor, inner: Tensor) -> bool:
    """Whether it is known that all pairs of rows are no more than a few tiles."""
    sizes = ops.shape(outer)[0], ops.shape(inner)[0]
    known = all(isinstance(size, int) for size in sizes)
    return known and sizes[0] * sizes[1] <= _HELD * _tile_size**2


def fold(
    outer: Sequence[Tensor],
    inner: Sequence[Tensor],
    start: Callable[[Tile], tuple[Tensor, ...]],
    step: Callable[[tuple[Tensor, ...], Tile, Tile], tuple[Tensor, ...]],
) -> tuple[Tensor, ...]:
    """For each tile of `outer`, accumulates over the tiles of `inner`.

    Args:
        outer: Tensors of A rows each.
        inner: Tensors of B rows each.
        start: Function of a tile of `outer` that gives what to start from: tensors with a row for
            each of the tile's.
        step: Function of these, a tile of `outer` and one of `inner` that gives the next.

    Returns:
        What was accumulated, tensors of A rows.

    Example:

    >>> from keras import ops
    >>> x, y = ops.ones((3,)), ops.ones((5,))
    >>> sums, = fold(
    ...     [x], [y], lambda x: (0 * x.rows[0],), lambda sums, x, y: (sums[0] + ops.sum(y.rows[0]),)
    ... )
    >>> [float(number) for number in sums]
    [5.0, 5.0, 5.0]
    """
    num_outer, num_inner = (ops.shape(tensors[0])[0] for tensors in (outer, inner))
    # A thin matrix gets longer tiles, of as many pairs.
    outer_tiles = _Tiles(outer, _ceil(num_outer, _largest(_tile_size, _tile_size**2 // num_inner)))
    inner_tiles = _Tiles(inner, _ceil(num_inner, _largest(_tile_size, _tile_size**2 // num_outer)))

    def accumulate(number: Any) -> tuple[Tensor, ...]:
        tile = outer_tiles.at(number)

        def body(other: Any, carry: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return step(carry, tile, inner_tiles.at(other))

        if inner_tiles.single:
            return body(0, start(tile))
        return ops.fori_loop(0, inner_tiles.count, body, start(tile))

    if outer_tiles.single:
        return accumulate(0)

    def one_more(_: Any, number: Any) -> tuple[Any, Any]:
        made = accumulate(number)
        return made, made  # TensorFlow asks for results like what is carried

    # A scan, since TensorFlow's `ops.map` works on ten tiles at a time and holds them all.
    numbers = ops.arange(outer_tiles.count)
    _, stacked = ops.scan(one_more, start(outer_tiles.at(0)), numbers)  # (count, size, ...) each
    return tuple(ops.reshape(part, (-1, *part.shape[2:]))[: outer_tiles.length] for part in stacked)


def fold_both_ways(
    outer: Sequence[Tensor],
    inner: Sequence[Tensor],
    start: Callable[[Tile], Tensor],
    step: Callable[[Tile, Tile, Any], tuple[Tensor, Tensor]],
    add: Callable[[Tensor, Tensor], Tensor],
    symmetric: bool,
) -> tuple[Tensor, Tensor]:
    """Accumulates over all pairs of tiles for both of the pair at once.

    Args:
        outer: Tensors of A rows each.
        inner: Tensors of B rows each.
        start: Function of a tile of either that gives what to start from, a tensor with a row for
            each of the tile's.
        step: Function of a tile of `outer`, one of `inner` and whether the second counts, that
            gives what there is to add for the first and for the second.
        add: Function of what has been accumulated and of that, which gives the next.
        symmetric: Whether `outer` and `inner` are the same. Then a pair of two tiles is met in one
            order only, and a tile with itself counts as the first only.

    Returns:
        What was accumulated, of A and of B rows.

    Example:

    >>> from keras import ops
    >>> x, y = ops.ones((3,)), ops.ones((5,))
    >>> zeros = lambda tile: 0 * tile.rows[0]
    >>> sums = lambda x, y, _: (zeros(x) + ops.sum(y.rows[0]), zeros(y) + ops.sum(x.rows[0]))
    >>> of_x, of_y = fold_both_ways([x], [y], zeros, sums, ops.add, symmetric=False)
    >>> [float(number) for number in of_y]
    [3.0, 3.0, 3.0, 3.0, 3.0]
    """
    count = _largest(*(_ceil(ops.shape(part[0])[0], _tile_size) for part in (outer, inner)))
    if symmetric:
        count = count + 1 - count % 2  # odd, so no offset leads there and back
    first_tiles, second_tiles = _Tiles(outer, count), _Tiles(inner, count)
    starts = start(first_tiles.at(0)), start(second_tiles.at(0))
    numbers = ops.arange(count)

    def at_offset(offset: Any, carry: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Adds the pairs of the tiles i and i + offset."""

        def one_more(_: Any, number: Any) -> tuple[Any, Any]:
            second = second_tiles.at((number + offset) % count)
            made = step(first_tiles.at(number), second, offset > 0 if symmetric else True)
            return made, made  # as in `fold`

        # The next offset waits for the sums so far: TensorFlow would make several at a time.
        some = ops.reshape(carry[0], (-1,))[0]
        offset = offset + 0 * ops.cast(ops.isnan(some), "int32")
        _, (firsts, seconds) = ops.scan(one_more, starts, numbers)
        seconds = ops.take(seconds, (numbers - offset) % count, axis=0)
        return add(carry[0], firsts), add(carry[1], seconds)

    num_offsets = count // 2 + 1 if symmetric else count
    carry = tuple(ops.broadcast_to(part, (count, *ops.shape(part))) for part in starts)
    sums = ops.fori_loop(0, num_offsets, at_offset, carry)  # (count, size, ...) each
    return tuple(
        ops.reshape(part, (-1, *part.shape[2:]))[: tiles.length]
        for part, tiles in zip(sums, (first_tiles, second_tiles), strict=True)
    )


class _Tiles:
    """Tensors cut into so many tiles of one size.

    Sizes are integers where shapes are known, which they are not in a graph of TensorFlow.
    """

    def __init__(self, tensors: Sequence[Tensor], count: Any) -> None:
        self.length, self.count = ops.shape(tensors[0])[0], count
        self.size = _ceil(self.length, self.count)
        known = isinstance(self.length, int) and isinstance(self.count, int)
        self.single = known and self.count == 1
        self.full = known and self.count * self.size == self.length
        self.tensors = [tensor if self.single else self._cut(tensor) for tensor in tensors]

    def _cut(self, tensor: Tensor) -> Tensor:
        if not self.full:
            tensor = ops.take(tensor, ops.arange(self.count * self.size) % self.length, axis=0)
        return ops.reshape(tensor, (self.count, self.size, *tensor.shape[1:]))

    def at(self, number: Any) -> Tile:
        """The tile of that number, an integer or a tensor."""
        index = ops.arange(self.size)
        if self.single:
            return Tile(self.tensors, index, None)
        index = number * self.size + index
        rows = [tensor[number] for tensor in self.tensors]
        if self.full:
            return Tile(rows, index, None)
        return Tile(rows, index % self.length, index < self.length)


def _ceil(length: Any, size: Any) -> Any:
    return (length + size - 1) // size


def _largest(first: Any, second: Any) -> Any:
    known = isinstance(first, int) and isinstance(second, int)
    return max(first, second) if known else ops.maximum(first, second)
