"""Occlusion without repeating what a patch does not change.

A patch changes a window of the image, and so a window of each layer's map. The clean image goes
through the network once. For each position of the patch only the changed window of each map is
computed. A convolution is linear: it is given the differences from the clean map alone, which are
zero around the window, and what it makes of them is added to its clean map. Once a window has grown
too large to save anything it is pasted into the full map, and the rest of the network follows in
batches. The result is that of the whole network, up to rounding.

The idea is that of Krypton (Nakandala, Kumar and Papakonstantinou, SIGMOD 2019).
"""

import operator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

POINTWISE = {nn.ReLU, nn.BatchNorm2d, nn.Identity, nn.Dropout, functional.relu, torch.relu, "relu"}
ADDITIONS = {operator.add, operator.iadd, torch.add, "add"}
# a window that covers more of its map costs more in pieces than the whole map in one go
LARGEST_SHARE = 0.7
# windows of a size that less than this share of them have are widened
RARE = 0.25


class Side(NamedTuple):
    """How a layer slides over one side of a map, rows or columns."""

    size: int
    stride: int
    padding: int
    dilation: int

    @property
    def span(self) -> int:
        """How far apart the first and the last input are that an output sees."""
        return self.dilation * (self.size - 1)

    def aligned(self, begin: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last outputs that see nothing after `begin`, and the last inputs they see."""
        outputs = (begin + self.padding - self.span) // self.stride
        return outputs, outputs * self.stride - self.padding + self.span

    def reach(self, begin: Tensor, end: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Return the outputs, of `length`, that see any of the inputs from `begin` to `end`."""
        first = (-((self.span - self.padding - begin) // self.stride)).clamp(0, length)
        beyond = ((end - 1 + self.padding) // self.stride + 1).clamp(0, length)
        # a stride may pass over the last pixels of a map: nothing sees them
        beyond = torch.where(end > begin, torch.maximum(beyond, first), first)
        return first, beyond

    def seen(self, outputs: Tensor) -> Tensor:
        """Return the inputs that each output sees, also beyond the border: int64 (m, size)."""
        taps = torch.arange(self.size, device=outputs.device)
        return outputs[:, None] * self.stride - self.padding + taps * self.dilation


@dataclass(frozen=True, eq=False)
class Box:
    """Where n maps differ from the clean one: int64 (n,) each, `bottom` and `right` exclusive."""

    top: Tensor
    bottom: Tensor
    left: Tensor
    right: Tensor

    @property
    def sides(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.top, self.bottom, self.left, self.right

    def __getitem__(self, members) -> "Box":
        return Box(*(side[members] for side in self.sides))

    def around(self, other: "Box") -> "Box":
        """Return the smallest boxes that hold both."""
        return Box(
            torch.minimum(self.top, other.top),
            torch.maximum(self.bottom, other.bottom),
            torch.minimum(self.left, other.left),
            torch.maximum(self.right, other.right),
        )

    def area(self) -> Tensor:
        return (self.bottom - self.top) * (self.right - self.left)


class Pixels:
    """The pixels of n windows, one window after the other.

    Attributes
    ----------
    box : Box
        The windows.
    owner, y, x : int64 (m,)
        For each pixel its window, and its place on the map.
    """

    def __init__(self, box: Box):
        area = box.area()
        self.box = box
        self._start = area.cumsum(0) - area
        self.owner = torch.repeat_interleave(area)
        width = self._of_owner(box.right - box.left)
        place = torch.arange(len(self.owner), device=area.device) - self._of_owner(self._start)
        row = place // width
        self.y = self._of_owner(box.top) + row
        self.x = self._of_owner(box.left) + (place - row * width)

    def _of_owner(self, values: Tensor) -> Tensor:
        """Return each pixel what its window has: (m,) of (n,)."""
        return values.index_select(0, self.owner)

    def places(self, start: Tensor, width: Tensor) -> Tensor:
        """Number the pixels in other windows, `width` wide, whose corner (0, 0) lies at `start`.

        `start` and `width` are int64 (n,), the result int64 (m,).
        """
        return self._of_owner(start) + self.y * self._of_owner(width) + self.x

    def find(self, owner: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Look places of the maps up.

        Parameters
        ----------
        owner : int64 (k,)
        y : int64 (k, rows)
        x : int64 (k, columns)

        Returns
        -------
        number : int64 (k, rows, columns)
            The pixel of the window that lies there.
        found : bool (k, rows, columns)
            Whether there is one.
        """
        top, bottom, left, right = (side[owner, None] for side in self.box.sides)
        line = self._start[owner, None] + (y - top) * (right - left)
        number = line[:, :, None] + (x - left)[:, None, :]
        in_rows, in_columns = (y >= top) & (y < bottom), (x >= left) & (x < right)
        return number, in_rows[:, :, None] & in_columns[:, None, :]


@dataclass(frozen=True)
class Changed:
    """A layer's maps for n positions of the patch: a clean map, and windows that differ from it.

    Attributes
    ----------
    clean : float32 (height, width, channels)
    pixels : Pixels
        Of the windows.
    rows : float32 (m, channels)
        What the pixels hold.
    """

    clean: Tensor
    pixels: Pixels
    rows: Tensor

    def values(self, owner: Tensor, y: Tensor, x: Tensor, outside: float = 0.0) -> Tensor:
        """Return what some places of the maps hold: float32 (k, rows, columns, channels)."""
        height, width, channels = self.clean.shape
        border = self.clean.new_full((1, channels), outside)
        table = torch.cat([self.clean.reshape(-1, channels), border, self.rows])
        number, found = self.pixels.find(owner, y, x)
        y, x = y[:, :, None], x[:, None, :]
        on_map = ((y >= 0) & (y < height)) & ((x >= 0) & (x < width))
        number = torch.where(found, number + (height * width + 1), y * width + x)
        number = torch.where(on_map, number, height * width)
        return table.index_select(0, number.flatten()).view(*number.shape, channels)

    def full(self) -> Tensor:
        """Paste the windows into full maps: float32 (n, channels, height, width)."""
        height, width, _ = self.clean.shape
        count, device = len(self.pixels.box.top), self.clean.device
        y, x = (torch.arange(side, device=device).expand(count, -1) for side in (height, width))
        return self.values(torch.arange(count, device=device), y, x).permute(0, 3, 1, 2)


def _at(clean: Tensor, pixels: Pixels) -> Tensor:
    """Return what a clean map holds at some pixels: float32 (m, channels)."""
    _, width, channels = clean.shape
    return clean.reshape(-1, channels).index_select(0, pixels.y * width + pixels.x)


class Pooling:
    """A max-pooling."""

    pointwise = False
    work = 0.0  # multiply-accumulates for one pixel of the input

    def __init__(self, rows: Side, columns: Side):
        self.rows, self.columns = rows, columns

    def __call__(self, given: Changed, clean: Tensor, pixels: Pixels) -> Tensor:
        y, x = self.rows.seen(pixels.y), self.columns.seen(pixels.x)
        return given.values(pixels.owner, y, x, outside=-torch.inf).amax(dim=(1, 2))


class Convolution:
    """A convolution of differences: beyond a window they are zero, and so is its padding."""

    def __init__(self, layer: nn.Conv2d, rows: Side, columns: Side):
        self.layer, self.rows, self.columns = layer, rows, columns
        self.pointwise = rows == columns == (1, 1, 0, 1) and layer.groups == 1
        self.work = layer.weight.numel() / (rows.stride * columns.stride)

    def __call__(self, given: Changed, clean: Tensor, pixels: Pixels) -> Tensor:
        if self.pointwise:
            weight = self.layer.weight.flatten(1)
            return functional.linear(given.rows, weight, self.layer.bias)
        box, channels = given.pixels.box, given.rows.shape[1]
        # widened so that all windows lie alike to the strides
        first_row, top = self.rows.aligned(box.top)
        first_column, left = self.columns.aligned(box.left)
        height, width = _levelled(box.bottom - top), _levelled(box.right - left)
        # windows of a size lie one after the other, and are convolved at once
        sizes, group = torch.unique(torch.stack([height, width]), dim=1, return_inverse=True)
        counts = torch.bincount(group, minlength=sizes.shape[1]).tolist()
        order = group.argsort(stable=True)
        windows = given.rows.new_zeros(int((height * width).sum()), channels)
        start = _starts(height * width, order)
        place = given.pixels.places(start - top * width - left, width)
        windows.index_copy_(0, place, given.rows - _at(given.clean, given.pixels))
        made, begin, area, pitch = [], 0, torch.zeros_like(width), torch.zeros_like(width)
        for size, count, members in zip(sizes.T.tolist(), counts, order.split(counts), strict=True):
            end = begin + count * size[0] * size[1]
            if end == begin:
                continue
            sums = self._convolve(windows[begin:end].view(count, *size, channels))
            area[members], pitch[members] = sums.shape[1] * sums.shape[2], sums.shape[2]
            made.append(sums.flatten(0, 2))
            begin = end
        if not made:
            return clean.new_empty((0, clean.shape[-1]))
        start = _starts(area, order)
        place = pixels.places(start - first_row * pitch - first_column, pitch)
        sums = made[0] if len(made) == 1 else torch.cat(made)
        return sums.index_select(0, place).add_(_at(clean, pixels))

    def _convolve(self, windows: Tensor) -> Tensor:
        """Return every output that sees a pixel of n windows (n, height, width, channels)."""
        layer, padding = self.layer, (self.rows.span, self.columns.span)
        windows = windows.permute(0, 3, 1, 2)
        sums = functional.conv2d(
            windows, layer.weight, None, layer.stride, padding, layer.dilation, layer.groups
        )
        return sums.permute(0, 2, 3, 1)


def _starts(areas: Tensor, order: Tensor) -> Tensor:
    """Return where each window begins if they lie one after the other in this order."""
    starts, sorted_areas = torch.empty_like(areas), areas[order]
    starts[order] = sorted_areas.cumsum(0) - sorted_areas
    return starts


def _levelled(sizes: Tensor) -> Tensor:
    """Raise rare sizes to the next larger ones: few large batches are faster."""
    found, counts = torch.unique(sizes, return_counts=True)
    kept, waiting = [], 0
    for size, count in zip(found.tolist(), counts.tolist(), strict=True):
        waiting += count
        if waiting >= RARE * len(sizes) or size == found[-1]:
            kept.append(size)
            waiting = 0
    kept = torch.tensor(kept, device=sizes.device)
    return kept[torch.searchsorted(kept, sizes)]


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _kernel(layer: nn.Module) -> Convolution | Pooling | None:
    """Describe a layer that slides over a map; None for one of which only full maps will do."""
    if isinstance(layer, nn.Conv2d):
        known = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    else:
        known = isinstance(layer, nn.MaxPool2d) and not (layer.ceil_mode or layer.return_indices)
    if not known:
        return None
    geometry = (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    sides = [Side(*side) for side in zip(*map(_pair, geometry), strict=True)]
    return Convolution(layer, *sides) if isinstance(layer, nn.Conv2d) else Pooling(*sides)


class CleanImage:
    """The maps that a network makes of one image, and what it answers where a patch lies on it.

    Parameters
    ----------
    network : nn.Module
        In eval mode; its convolutions, max-poolings, batch normalisations, ReLUs and additions are
        computed window by window, anything else on full maps.
    graph : fx.Graph
        Of the network.
    image : float32 (1, 3, height, width)
    """

    def __init__(self, network: nn.Module, graph: fx.Graph, image: Tensor):
        self._graph = graph
        self._modules = dict(network.named_modules())
        self._device = image.device
        self._clean: dict[fx.Node, object] = {}
        for node in self._graph.nodes:
            self._clean[node] = self._run(node, self._clean, image)
        self._kernels = {node: self._kernel_of(node) for node in self._graph.nodes}

    def _run(self, node: fx.Node, values: dict[fx.Node, object], image: Tensor) -> object:
        """Compute a node of the graph as the network itself would."""
        args, kwargs = fx.map_arg((node.args, node.kwargs), values.__getitem__)
        match node.op:
            case "placeholder":
                return image
            case "get_attr":
                return operator.attrgetter(node.target)(self._modules[""])
            case "call_function":
                return node.target(*args, **kwargs)
            case "call_method":
                return getattr(args[0], node.target)(*args[1:], **kwargs)
            case "call_module":
                return self._modules[node.target](*args, **kwargs)
            case "output":
                return args[0]

    def _kind(self, node: fx.Node) -> object:
        return type(self._modules[node.target]) if node.op == "call_module" else node.target

    def _kernel_of(self, node: fx.Node) -> Convolution | Pooling | None:
        if node.op == "call_module":
            return _kernel(self._modules[node.target])
        if node.target is functional.max_pool2d and len(node.args) < 6:
            return _kernel(nn.MaxPool2d(*node.args[1:], **node.kwargs))
        return None

    def _map(self, node: fx.Node) -> Tensor:
        """Return a node's clean map: float32 (height, width, channels)."""
        return self._clean[node][0].permute(1, 2, 0)

    def boxes(self, top: Tensor, left: Tensor, patch: int) -> dict[fx.Node, Box]:
        """Find which window of each map a patch changes.

        `top` and `left`, int64 (n,), are the corners of the patch.

        Returns
        -------
        dict
            Nodes that are not in it are computed on full maps.
        """
        top, left = top.to(self._device), left.to(self._device)
        boxes: dict[fx.Node, Box] = {}
        for node in self._graph.nodes:
            given = [boxes[other] for other in node.all_input_nodes if other in boxes]
            if node.op == "placeholder":
                boxes[node] = Box(top, top + patch, left, left + patch)
            elif not given or len(given) < len(node.all_input_nodes):
                continue
            elif kernel := self._kernels[node]:
                if self._share(node.all_input_nodes[0], given[0]) <= LARGEST_SHARE:
                    height, width, _ = self._map(node).shape
                    rows = kernel.rows.reach(given[0].top, given[0].bottom, height)
                    columns = kernel.columns.reach(given[0].left, given[0].right, width)
                    boxes[node] = given[0] if kernel.pointwise else Box(*rows, *columns)
            elif self._kind(node) in POINTWISE:
                boxes[node] = given[0]
            elif self._kind(node) in ADDITIONS and len(given) == 2 and not node.kwargs:
                boxes[node] = given[0].around(given[1])
        return boxes

    def work(self, boxes: dict[fx.Node, Box]) -> float:
        """Return the share of the network's multiply-accumulates in convolutions that is left."""
        left = full = 0.0
        for node, kernel in self._kernels.items():
            if kernel:
                given = node.all_input_nodes[0]
                work = kernel.work * self._clean[given][0, 0].numel()
                full += work
                left += work * (self._share(given, boxes[given]) if node in boxes else 1.0)
        return left / full if full else 1.0

    def _share(self, node: fx.Node, box: Box) -> float:
        """Return the mean share of a node's map that windows cover."""
        height, width, _ = self._map(node).shape
        return float(box.area().double().mean()) / (height * width)

    def logits(self, boxes: dict[fx.Node, Box], members: slice, fill: Tensor) -> Tensor:
        """Answer to the image under the patch, at some of the positions of `boxes`.

        `fill`, float32 (height, width, 3), is what stands where the patch lies.

        Returns
        -------
        float32 (n, classes)
        """
        values: dict[fx.Node, object] = {}
        pixels: dict[Box, Pixels] = {}
        for node in self._graph.nodes:
            if node in boxes:
                box = boxes[node]
                if box not in pixels:
                    pixels[box] = Pixels(box[members])
                values[node] = self._windows(node, values, pixels[box], fill)
            else:
                for other in node.all_input_nodes:
                    if isinstance(values[other], Changed):
                        values[other] = values[other].full()
                values[node] = self._run(node, values, None)
        return values[node]

    def _windows(self, node: fx.Node, values: dict, pixels: Pixels, fill: Tensor) -> Changed:
        given = [values[other] for other in node.all_input_nodes]
        clean, kernel = self._map(node), self._kernels[node]
        if not given:
            rows = fill[pixels.y, pixels.x]
        elif kernel:
            rows = kernel(given[0], clean, pixels)
        elif self._kind(node) in ADDITIONS:
            place = pixels.owner, pixels.y[:, None], pixels.x[:, None]
            rows = (given[0].values(*place) + given[1].values(*place)).flatten(0, 2)
        else:
            one = given[0].rows[:, :, None, None]  # each pixel for itself
            rows = self._run(node, {node.all_input_nodes[0]: one}, None).flatten(1)
        return Changed(clean, pixels, rows)
