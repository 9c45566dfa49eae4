"""Occlusion without repeating what a patch does not change.

A patch changes a window of the image, and so a window of each layer's map. The clean image goes
through the network once. For each position of the patch only the changed window of each map is
computed, from the changed window of the map before and the clean map around it; once it has grown
too large to save anything it is pasted into the full map, and the rest of the network follows in
batches. The result is that of the whole network, up to rounding.

The idea is that of Krypton (Nakandala, Kumar and Papakonstantinou, SIGMOD 2019).
"""

import operator
from collections.abc import Callable
from dataclasses import astuple, dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

POINTWISE = {nn.ReLU, nn.BatchNorm2d, nn.Identity, nn.Dropout, functional.relu, torch.relu, "relu"}
ADDITIONS = {operator.add, operator.iadd, torch.add, "add"}
# a window that covers more of its map costs more in pieces than the whole map in one go
LARGEST_SHARE = 0.7
# windows of a width that less than this share of them have are widened
RARE = 0.25


@dataclass(frozen=True)
class Box:
    """Where n maps differ from the clean one: int64 (n,) each, `bottom` and `right` exclusive."""

    top: Tensor
    bottom: Tensor
    left: Tensor
    right: Tensor

    def __getitem__(self, members) -> "Box":
        return Box(*(side[members] for side in astuple(self)))

    def around(self, other: "Box") -> "Box":
        """Give the smallest boxes that hold both."""
        return Box(
            torch.minimum(self.top, other.top),
            torch.maximum(self.bottom, other.bottom),
            torch.minimum(self.left, other.left),
            torch.maximum(self.right, other.right),
        )

    def seen_by(self, kernel: "Kernel", height: int, width: int) -> "Box":
        """Give the boxes of the outputs, of a map of that size, that see any of these inputs."""
        rows = _reach(self.top, self.bottom, kernel.rows, height)
        return Box(*rows, *_reach(self.left, self.right, kernel.columns, width))

    def area(self) -> Tensor:
        return (self.bottom - self.top) * (self.right - self.left)


@dataclass(frozen=True)
class Kernel:
    """A layer that slides over a map.

    Attributes
    ----------
    rows, columns : (size, stride, padding)
    compute : callable
        The layer without its padding, from (n, channels, height, width) to the same.
    outside : float
        What the padding holds.
    work : int
        Multiply-accumulates for one pixel of the output.
    """

    rows: tuple[int, int, int]
    columns: tuple[int, int, int]
    compute: Callable[[Tensor], Tensor]
    outside: float
    work: int


@dataclass(frozen=True)
class Changed:
    """A layer's maps for n positions of the patch: a clean map, and windows that differ from it.

    Attributes
    ----------
    clean : float32 (height, width, channels)
    box : Box
        The windows.
    rows : float32 (m, channels)
        The pixels of all windows.
    start : int64 (n,)
        Where the pixels of each window begin in `rows`.
    """

    clean: Tensor
    box: Box
    rows: Tensor
    start: Tensor

    def pixels(self, outside: float = 0.0) -> Tensor:
        """Line up the pixels to choose from: the clean map, one for beyond the border, windows."""
        channels = self.clean.shape[-1]
        border = self.clean.new_full((1, channels), outside)
        return torch.cat([self.clean.reshape(-1, channels), border, self.rows])

    def cut(
        self, pixels: Tensor, members: Tensor, top: Tensor, left: Tensor, height: int, width: int
    ) -> Tensor:
        """Cut windows out of the maps of some positions, also beyond the border.

        Returns
        -------
        float32 (len(members), height, width, channels)
        """
        map_height, map_width, channels = self.clean.shape
        area = map_height * map_width
        y = (top[:, None] + torch.arange(height, device=top.device))[:, :, None]
        x = (left[:, None] + torch.arange(width, device=left.device))[:, None, :]
        on_map = ((y >= 0) & (y < map_height)) & ((x >= 0) & (x < map_width))
        index = torch.where(on_map, y * map_width + x, area)
        box = Box(*(side[:, None, None] for side in astuple(self.box[members])))
        in_box = ((y >= box.top) & (y < box.bottom)) & ((x >= box.left) & (x < box.right))
        changed = (y - box.top) * (box.right - box.left) + (x - box.left)
        changed += self.start[members, None, None] + (area + 1)
        index = torch.where(in_box, changed, index)
        cut = pixels.index_select(0, index.flatten())
        return cut.view(len(members), height, width, channels)

    def full(self) -> Tensor:
        """Paste the windows into full maps: float32 (n, channels, height, width)."""
        height, width, _ = self.clean.shape
        members = torch.arange(len(self.start), device=self.start.device)
        zero = torch.zeros_like(members)
        return self.cut(self.pixels(), members, zero, zero, height, width).permute(0, 3, 1, 2)


def _reach(begin: Tensor, end: Tensor, kernel: tuple[int, int, int], size: int):
    """Give the outputs, along one side, that see any of the inputs from `begin` to `end`."""
    width, stride, padding = kernel
    first = (-((width - 1 - padding - begin) // stride)).clamp(0, size)
    beyond = ((end - 1 + padding) // stride + 1).clamp(0, size)
    # a stride may pass over the last pixels of a map: nothing sees them
    beyond = torch.where(end > begin, torch.maximum(beyond, first), first)
    return _level(first, beyond, size)


def _level(first: Tensor, beyond: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Widen the windows of rare widths to the next wider ones: few large batches are faster."""
    widths, counts = torch.unique(beyond - first, return_counts=True)
    kept, waiting = [], 0
    for width, count in zip(widths.tolist(), counts.tolist(), strict=True):
        waiting += count
        if waiting >= RARE * len(first) or width == widths[-1]:
            kept.append(width)
            waiting = 0
    kept = torch.tensor(kept, device=first.device)
    width = kept[torch.searchsorted(kept, beyond - first)]
    # away from the border, if there is no more room towards it
    beyond = (first + width).clamp(max=size)
    return beyond - width, beyond


def _changed(clean: Tensor, box: Box, compute: Callable[[Tensor, Box, int, int], Tensor]):
    """Compute the windows of a map, those of one size together."""
    start = torch.zeros_like(box.top)
    columns = clean.shape[1] + 1
    sizes = (box.bottom - box.top) * columns + (box.right - box.left)
    rows, count = [clean.new_empty((0, clean.shape[-1]))], 0
    for size in torch.unique(sizes).tolist():
        height, width = divmod(size, columns)
        if not (area := height * width):
            continue
        members = torch.nonzero(sizes == size).flatten()
        pixels = compute(members, box[members], height, width)
        rows.append(pixels.reshape(-1, clean.shape[-1]))
        start[members] = count + area * torch.arange(len(members), device=start.device)
        count += area * len(members)
    return Changed(clean, box, torch.cat(rows), start)


def _slide(given: Changed, kernel: Kernel, clean: Tensor, box: Box) -> Changed:
    pixels = given.pixels(kernel.outside)
    (size_y, stride_y, padding_y), (size_x, stride_x, padding_x) = kernel.rows, kernel.columns

    def compute(members: Tensor, box: Box, height: int, width: int) -> Tensor:
        window = given.cut(
            pixels,
            members,
            box.top * stride_y - padding_y,
            box.left * stride_x - padding_x,
            (height - 1) * stride_y + size_y,
            (width - 1) * stride_x + size_x,
        )
        return kernel.compute(window.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    return _changed(clean, box, compute)


def _add(one: Changed, other: Changed, clean: Tensor, box: Box) -> Changed:
    pixels, other_pixels = one.pixels(), other.pixels()

    def compute(members: Tensor, box: Box, height: int, width: int) -> Tensor:
        place = (members, box.top, box.left, height, width)
        return one.cut(pixels, *place) + other.cut(other_pixels, *place)

    return _changed(clean, box, compute)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _kernel(layer: nn.Module) -> Kernel | None:
    """Describe a layer that slides over a map; None for one of which only full maps will do."""
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros":
        if isinstance(layer.padding, str):
            return None
        sizes = [d * (k - 1) + 1 for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]

        def compute(x: Tensor) -> Tensor:
            return functional.conv2d(
                x, layer.weight, layer.bias, layer.stride, 0, layer.dilation, layer.groups
            )

        outside, work, stride, padding = 0.0, layer.weight.numel(), layer.stride, layer.padding
    elif isinstance(layer, nn.MaxPool2d) and not (layer.ceil_mode or layer.return_indices):
        if _pair(layer.dilation) != (1, 1):
            return None
        sizes, stride = _pair(layer.kernel_size), _pair(layer.stride)
        outside, work, padding = -torch.inf, 0, _pair(layer.padding)

        def compute(x: Tensor) -> Tensor:
            return functional.max_pool2d(x, layer.kernel_size, layer.stride)

    else:
        return None
    rows, columns = zip(sizes, stride, padding, strict=True)
    return Kernel(rows, columns, compute, outside, work)


class CleanImage:
    """The maps that a network makes of one image, and what it answers where a patch lies on it.

    Parameters
    ----------
    network : nn.Module
        In eval mode; its convolutions, max-poolings, batch normalisations, ReLUs and additions are
        computed window by window, anything else on full maps.
    image : float32 (1, 3, height, width)

    Raises
    ------
    torch.fx.proxy.TraceError
        The network's course depends on its input.
    """

    def __init__(self, network: nn.Module, image: Tensor):
        self._graph = fx.symbolic_trace(network).graph
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

    def _kernel_of(self, node: fx.Node) -> Kernel | None:
        if node.op == "call_module":
            return _kernel(self._modules[node.target])
        if node.target is functional.max_pool2d and len(node.args) < 6:
            return _kernel(nn.MaxPool2d(*node.args[1:], **node.kwargs))
        return None

    def _map(self, node: fx.Node) -> Tensor:
        """Give a node's clean map: float32 (height, width, channels)."""
        return self._clean[node][0].permute(1, 2, 0)

    def boxes(self, top: Tensor, left: Tensor, patch: int) -> dict[fx.Node, Box]:
        """Find which window of each map a patch changes.

        Parameters
        ----------
        top, left : int64 (n,)
            Corners of the patch.

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
                height, width, _ = self._map(node).shape
                box = given[0].seen_by(kernel, height, width)
                if box.area().double().mean() <= LARGEST_SHARE * height * width:
                    boxes[node] = box
            elif self._kind(node) in POINTWISE:
                boxes[node] = given[0]
            elif self._kind(node) in ADDITIONS and len(given) == 2 and not node.kwargs:
                boxes[node] = given[0].around(given[1])
        return boxes

    def work(self, boxes: dict[fx.Node, Box]) -> float:
        """Give the share of the network's multiply-accumulates in convolutions that is left."""
        left = full = 0.0
        for node, kernel in self._kernels.items():
            if kernel:
                height, width, _ = self._map(node).shape
                full += kernel.work * height * width
                area = boxes[node].area().double().mean() if node in boxes else height * width
                left += kernel.work * float(area)
        return left / full if full else 1.0

    def logits(self, boxes: dict[fx.Node, Box], members: slice, color: Tensor) -> Tensor:
        """Answer to the image under the patch, at some of the positions of `boxes`.

        Parameters
        ----------
        color : float32 (3,)
            Of the patch, as the network sees it.

        Returns
        -------
        float32 (n, classes)
        """
        values: dict[fx.Node, object] = {}
        for node in self._graph.nodes:
            if node.op == "placeholder":
                values[node] = _patched(self._map(node), boxes[node][members], color)
            elif node in boxes:
                values[node] = self._windows(node, values, boxes[node][members])
            else:
                for other in node.all_input_nodes:
                    if isinstance(values[other], Changed):
                        values[other] = values[other].full()
                values[node] = self._run(node, values, None)
        return values[node]

    def _windows(self, node: fx.Node, values: dict[fx.Node, object], box: Box) -> Changed:
        given = [values[other] for other in node.all_input_nodes]
        clean = self._map(node)
        if kernel := self._kernels[node]:
            if kernel.rows == kernel.columns == (1, 1, 0):
                # each pixel for itself: the windows need not be cut out
                pixels = kernel.compute(given[0].rows[:, :, None, None])
                return Changed(clean, box, pixels.flatten(1), given[0].start)
            return _slide(given[0], kernel, clean, box)
        if self._kind(node) in ADDITIONS:
            return _add(*given, clean, box)
        pixels = self._run(node, {node.all_input_nodes[0]: given[0].rows[:, :, None, None]}, None)
        return Changed(clean, box, pixels.flatten(1), given[0].start)


def _patched(clean: Tensor, box: Box, color: Tensor) -> Changed:
    """Lay a patch of one colour on an image, at each position: all share the same pixels."""
    pixels = color.expand(int(box.area().max()), 3)
    return Changed(clean, box, pixels, torch.zeros_like(box.top))
