"""Where the maps of a network change if a part of its input does: windows that move in even steps.

A window is described for a whole grid of positions at once, the rows and the columns of it apart.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

# rows or columns of positions that are worth a batch of their own
FEWEST = 4


class Line(NamedTuple):
    """Windows along one side of a map: `count` of `length` pixels, the first at `begin`.

    They may lie partly beyond the border, where the map does not go on.
    """

    begin: int
    step: int
    length: int
    count: int

    def beyond(self, size: int) -> tuple[int, int]:
        """Return how many pixels they reach before and after a side of so many pixels."""
        end = self.begin + self.step * (self.count - 1) + self.length
        return max(0, -self.begin), max(0, end - size)

    def inside(self, size: int) -> Tensor:
        """Tell which of their pixels lie on a side of so many: bool (count, length)."""
        windows = self.begin + self.step * torch.arange(self.count)
        pixels = windows[:, None] + torch.arange(self.length)
        return (pixels >= 0) & (pixels < size)


class Window(NamedTuple):
    """The part of a map that differs from the clean one, for each position of a grid.

    The differences are float32 (rows.count, columns.count, rows.length, columns.length, channels).
    `zero` tells whether they are zero beyond the border of the map; else they mean nothing there.
    """

    rows: Line
    columns: Line
    zero: bool

    def margins(self, inner: "Window") -> list[tuple[int, int]]:
        """Return how far it reaches before and after another one, in rows and in columns."""
        found = []
        for large, small in zip(self[:2], inner[:2], strict=True):
            before = small.begin - large.begin
            found.append((before, large.length - small.length - before))
        return found

    def around(self, other: "Window") -> "Window | None":
        """Return the smallest window that holds both; None where they do not move alike."""
        lines = []
        for one, two in zip(self[:2], other[:2], strict=True):
            if one.step != two.step:
                return None
            begin = min(one.begin, two.begin)
            end = max(one.begin + one.length, two.begin + two.length)
            lines.append(one._replace(begin=begin, length=end - begin))
        return Window(*lines, zero=True)

    def cut(self, differences: Tensor, inner: "Window") -> Tensor:
        """See the part of its differences that another window covers."""
        (top, _), (left, _) = self.margins(inner)
        bottom, right = top + inner.rows.length, left + inner.columns.length
        return differences[:, :, top:bottom, left:right]

    def see(self, pixels: Tensor, margin: int = 0) -> Tensor:
        """See a map through the windows, which may overlap, without copying it.

        Parameters
        ----------
        pixels : float32 (height, width, channels)
        margin : int
            What has been added to each side of the map, so that no window reaches beyond.

        Returns
        -------
        float32 (rows.count, columns.count, rows.length, columns.length, channels)
        """
        rows, columns = self.rows, self.columns
        row, pixel, channel = pixels.stride()
        shape = (rows.count, columns.count, rows.length, columns.length, pixels.shape[2])
        strides = (rows.step * row, columns.step * pixel, row, pixel, channel)
        start = (rows.begin + margin) * row + (columns.begin + margin) * pixel
        return pixels.as_strided(shape, strides, pixels.storage_offset() + start)

    def paste(self, differences: Tensor, height: int, width: int) -> Tensor:
        """Lay windows into full maps, one for each: float32 (n, height, width, channels)."""
        rows, columns, channels = self.rows, self.columns, differences.shape[-1]
        (above, below), (before, after) = rows.beyond(height), columns.beyond(width)
        shape = (above + height + below, before + width + after, channels)
        maps = differences.new_zeros((rows.count, columns.count, *shape))
        down, right, row, pixel, channel = maps.stride()
        strides = (down + rows.step * row, right + columns.step * pixel, row, pixel, channel)
        start = (rows.begin + above) * row + (columns.begin + before) * pixel
        maps.as_strided(differences.shape, strides, start).copy_(differences)
        maps = maps[:, :, above : above + height, before : before + width]
        return maps.flatten(0, 1)


class Side(NamedTuple):
    """How a layer slides over one side of a map, rows or columns."""

    size: int
    stride: int
    padding: int
    dilation: int

    def reach(self, line: Line) -> tuple[Line, Line] | None:
        """Find the outputs that see any pixel of some windows, and all pixels that they see.

        None where the windows do not lie alike to the stride, or where it passes over pixels.
        """
        span = self.dilation * (self.size - 1)
        if line.step % self.stride or span < self.stride - 1:
            return None
        first = -((span - self.padding - line.begin) // self.stride)
        last = (line.begin + line.length - 1 + self.padding) // self.stride
        step, count = line.step // self.stride, last - first + 1
        seen = line._replace(
            begin=first * self.stride - self.padding, length=(count - 1) * self.stride + span + 1
        )
        return Line(first, step, count, line.count), seen


class Kernel(NamedTuple):
    """A layer that slides over a map: a convolution or a max-pooling."""

    rows: Side
    columns: Side
    layer: nn.Conv2d | nn.MaxPool2d

    @property
    def convolves(self) -> bool:
        return isinstance(self.layer, nn.Conv2d)

    def reach(self, window: Window) -> tuple[Window, Window] | None:
        """Find the window of outputs that a window of inputs changes, and that of all they see."""
        found = self.rows.reach(window.rows), self.columns.reach(window.columns)
        if None in found:
            return None
        (rows, seen_rows), (columns, seen_columns) = found
        outputs = Window(rows, columns, zero=not self.convolves)
        return outputs, Window(seen_rows, seen_columns, window.zero)


def kernel(layer: nn.Module) -> Kernel | None:
    """Describe a layer that slides over a map; None for one of which only full maps will do."""
    if isinstance(layer, nn.Conv2d):
        known = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    else:
        known = isinstance(layer, nn.MaxPool2d) and not (layer.ceil_mode or layer.return_indices)
    if not known:
        return None
    geometry = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    rows, columns = zip(*map(_pair, geometry), strict=True)
    return Kernel(Side(*rows), Side(*columns), layer)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def alike(places: range, phases: int, most: int) -> Iterator[slice]:
    """Take places apart into those that lie alike: every `phases`-th, at most so many at a time.

    Fewer phases are taken if there would be hardly any places in each.

    >>> list(alike(range(0, 36, 4), 2, most=3))
    [slice(0, 6, 2), slice(6, 9, 2), slice(1, 7, 2), slice(7, 9, 2)]
    >>> list(alike(range(0, 36, 4), 4, most=9))
    [slice(0, 9, 2), slice(1, 9, 2)]
    """
    phases = next(
        number
        for number in range(phases, 0, -1)
        if number == 1 or not phases % number and number * FEWEST <= len(places)
    )
    for phase in range(phases):
        for start in range(phase, len(places), phases * most):
            yield slice(start, min(start + phases * most, len(places)), phases)
