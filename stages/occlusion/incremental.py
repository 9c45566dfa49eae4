"""Occlusion without repeating what a patch does not change.

A patch changes a window of the image, and so a window of each layer's map. The clean image goes
through the network once; then of each map only the windows are computed, as differences from the
clean one. A convolution is linear: of differences it makes differences, and beyond a window they
are zero. Once a window has grown too large to save anything it is pasted into the full map, and
the rest of the network follows.

The patch moves in even steps, and so do the windows, as long as a step is a whole number of pixels
of the map. Positions are therefore taken apart into grids, of every second or fourth of them, say,
whose windows lie alike to the strides of all layers. Each grid is one batch, and what it is
compared with is the clean map itself, seen through overlapping windows.

The idea is that of Krypton (Nakandala, Kumar and Papakonstantinou, SIGMOD 2019).
"""

import math
import operator
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from stages.occlusion.windows import Kernel, Line, Window, alike, kernel

RELUS = {nn.ReLU, functional.relu, torch.relu, "relu"}
UNCHANGED = {nn.Identity, nn.Dropout}
ADDITIONS = {operator.add, operator.iadd, torch.add, "add"}
# a window that covers more of its map costs more in pieces than the whole map in one go
LARGEST_SHARE = 0.5
# positions at a time: what they take stays close to the processor
MOST = 64
# far beyond all that a map holds; finite, so that it can be taken off again
FAR = 1e30


class Treated(NamedTuple):
    """What is done to a clean map before it is looked at, and what then lies beyond its border."""

    change: Callable[[Tensor], Tensor]
    beyond: float


AS_IT_IS = Treated(lambda clean: clean, 0.0)
FOR_MAXIMA = Treated(lambda clean: clean, -FAR)
NEGATED = Treated(torch.neg, FAR)
BELOW_ZERO = Treated(lambda clean: clean.clamp(max=0), -FAR)


class Part(NamedTuple):
    """Positions that are computed together, and where each map differs from the clean one."""

    rows: slice
    columns: slice
    windows: dict[fx.Node, Window]

    @property
    def grid(self) -> tuple[int, int]:
        image = next(iter(self.windows.values()))
        return image.rows.count, image.columns.count


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
        self._clean: dict[fx.Node, object] = {}
        for node in graph.nodes:
            # copies, since a layer may work in place
            given = {other: _copy(self._clean[other]) for other in node.all_input_nodes}
            self._clean[node] = self._run(node, given, image)
        self._kernels = {node: self._kernel(node) for node in graph.nodes}
        self._padded: dict[tuple[fx.Node, Treated], tuple[int, Tensor]] = {}

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

    def _kernel(self, node: fx.Node) -> Kernel | None:
        if node.op == "call_module":
            return kernel(self._modules[node.target])
        if node.target is functional.max_pool2d and len(node.args) < 6:
            return kernel(nn.MaxPool2d(*node.args[1:], **node.kwargs))
        return None

    def _map(self, node: fx.Node) -> Tensor:
        """Return a node's clean map: float32 (height, width, channels)."""
        return self._clean[node][0].permute(1, 2, 0)

    # -- where maps change

    def parts(self, rows: range, columns: range, patch: int) -> list[Part]:
        """Find which window of each map a patch changes.

        `rows` and `columns` are the places of its top left corner. Nodes that are not in `windows`
        are computed on full maps.
        """
        # a single position lies alike to every stride
        middle = [Line(side[len(side) // 2], 0, patch, 1) for side in (rows, columns)]
        phases = self._phases(self._windows(*middle), rows.step, columns.step)
        parts = []
        for of_columns in alike(columns, phases[1], MOST):
            for of_rows in alike(rows, phases[0], max(1, MOST // len(columns[of_columns]))):
                sides = rows[of_rows], columns[of_columns]
                lines = [Line(side.start, side.step, patch, len(side)) for side in sides]
                parts.append(Part(of_rows, of_columns, self._windows(*lines)))
        return parts

    def _windows(self, rows: Line, columns: Line) -> dict[fx.Node, Window]:
        """Find the window of each map that windows of the image change."""
        windows: dict[fx.Node, Window] = {}
        for node in self._graph.nodes:
            given = [windows.get(other) for other in node.all_input_nodes]
            if node.op == "placeholder":
                windows[node] = Window(rows, columns, zero=True)
            elif given and None not in given and (window := self._window(node, given)):
                windows[node] = window
        return windows

    def _window(self, node: fx.Node, given: list[Window]) -> Window | None:
        """Find the window of a node's map that those of its inputs change."""
        kind, first = self._kind(node), given[0]
        if layer := self._kernels[node]:
            reached = layer.reach(first)
            small = self._share(node.all_input_nodes[0], first) <= LARGEST_SHARE
            return reached[0] if reached and small else None
        if kind in RELUS:
            return first._replace(zero=True)
        if kind is nn.BatchNorm2d:
            # without statistics of its own it takes those of the batch
            return None if self._modules[node.target].running_var is None else first
        if kind in ADDITIONS and len(given) == 2 and not node.kwargs:
            same = len({self._map(other).shape for other in node.all_input_nodes}) == 1
            return first.around(given[1]) if same else None
        return first if kind in UNCHANGED else None

    def _share(self, node: fx.Node, window: Window) -> float:
        """Return the share of a node's map that a window covers."""
        height, width, _ = self._map(node).shape
        lengths = min(window.rows.length, height), min(window.columns.length, width)
        return math.prod(lengths) / (height * width)

    def _phases(self, windows: dict[fx.Node, Window], *steps: int) -> list[int]:
        """Return every how many rows and columns of positions lie alike to all convolutions."""
        scales: dict[fx.Node, list[int]] = {}
        phases = [1, 1]
        for node in windows:
            given = [scales[other] for other in node.all_input_nodes]
            scale = [math.lcm(*sides) for sides in zip((1, 1), *given, strict=True)]
            if layer := self._kernels[node]:
                scale = [scale[0] * layer.rows.stride, scale[1] * layer.columns.stride]
                if layer.convolves:
                    needed = [n // math.gcd(n, step) for n, step in zip(scale, steps, strict=True)]
                    phases = list(map(math.lcm, phases, needed))
            scales[node] = scale
        return phases

    def work(self, parts: list[Part]) -> float:
        """Return the share of the network's multiply-accumulates in convolutions that is left."""
        left = full = 0
        for node, layer in self._kernels.items():
            if not (layer and layer.convolves):
                continue
            height, width, _ = self._map(node).shape
            for part in parts:
                positions = math.prod(part.grid) * layer.layer.weight.numel()
                area = height * width
                full += positions * area
                if window := part.windows.get(node):
                    area = window.rows.length * window.columns.length
                left += positions * area
        return left / full if full else 1.0

    # -- what the network answers

    def logits(self, part: Part, fill: Tensor) -> Tensor:
        """Answer to the image under the patch, at the positions of a part.

        `fill`, float32 (height, width, 3), is what stands where the patch lies.

        Returns
        -------
        float32 (rows, columns, classes)
        """
        changed: dict[fx.Node, Tensor] = {}
        values: dict[fx.Node, object] = {}
        for node in self._graph.nodes:
            if node in part.windows:
                changed[node] = self._differences(node, part.windows, changed, fill)
                continue
            for other in node.all_input_nodes:
                if other in changed and other not in values:
                    values[other] = self._full(other, part.windows[other], changed[other])
            values[node] = self._run(node, values, None)
        return values[node].unflatten(0, part.grid)

    def _differences(self, node: fx.Node, windows: dict, changed: dict, fill: Tensor) -> Tensor:
        """Compute what a node makes of the differences in its inputs."""
        window, kind, others = windows[node], self._kind(node), node.all_input_nodes
        if node.op == "placeholder":
            return window.see(fill) - self._see(node, window)
        if kind in ADDITIONS:
            return self._sum(node, windows, changed)
        given = changed[others[0]]
        if layer := self._kernels[node]:
            compute = self._convolved if layer.convolves else self._pooled
            return compute(node, layer, windows[others[0]], given)
        if kind in RELUS:
            # relu(c + d) - relu(c), and zero beyond the border, whatever d is there
            made = torch.maximum(given, self._see(others[0], window, NEGATED))
            return made.add_(self._see(others[0], window, BELOW_ZERO))
        if kind is nn.BatchNorm2d:
            norm = self._modules[node.target]
            scale = (norm.running_var + norm.eps).rsqrt()
            return given * (scale * norm.weight if norm.affine else scale)
        return given

    def _convolved(self, node: fx.Node, of: Kernel, window: Window, given: Tensor) -> Tensor:
        layer, (_, seen) = of.layer, of.reach(window)
        given = self._cleared(node.all_input_nodes[0], window, given)
        (above, below), (left, right) = seen.margins(window)
        # a layer pads both ends alike
        lacking = max(0, right - left), max(0, below - above)
        if any(lacking):
            given = functional.pad(given, (0, 0, 0, lacking[0], 0, lacking[1]))
        padding = above, left
        made = functional.conv2d(
            _batch(given), layer.weight, None, layer.stride, padding, layer.dilation, layer.groups
        )
        return made.permute(0, 2, 3, 1).unflatten(0, given.shape[:2])

    def _pooled(self, node: fx.Node, of: Kernel, window: Window, given: Tensor) -> Tensor:
        layer, (outputs, seen) = of.layer, of.reach(window)
        pixels = self._see(node.all_input_nodes[0], seen, FOR_MAXIMA)
        pixels = pixels.clone(memory_format=torch.contiguous_format)
        seen.cut(pixels, window).add_(given)
        made = functional.max_pool2d(
            _batch(pixels), layer.kernel_size, layer.stride, 0, layer.dilation
        )
        made = made.permute(0, 2, 3, 1).unflatten(0, given.shape[:2])
        return self._cleared(node, outputs._replace(zero=False), made - self._see(node, outputs))

    def _sum(self, node: fx.Node, windows: dict, changed: dict) -> Tensor:
        window, others = windows[node], node.all_input_nodes
        each = [self._cleared(other, windows[other], changed[other]) for other in others]
        shape = (*each[0].shape[:2], window.rows.length, window.columns.length, each[0].shape[-1])
        total = each[0].new_zeros(shape)
        for other, given in zip(others, each, strict=True):
            window.cut(total, windows[other]).add_(given)
        return total

    def _cleared(self, node: fx.Node, window: Window, differences: Tensor) -> Tensor:
        """Return differences that are zero beyond the border of a node's map."""
        height, width, _ = self._map(node).shape
        if window.zero or not any(window.rows.beyond(height) + window.columns.beyond(width)):
            return differences
        rows, columns = window.rows.inside(height), window.columns.inside(width)
        inside = rows[:, None, :, None, None] & columns[None, :, None, :, None]
        return differences * inside.to(differences)

    def _see(self, node: fx.Node, window: Window, treated: Treated = AS_IT_IS) -> Tensor:
        """See a node's clean map through a window at each position, see `Window.see`."""
        height, width, _ = self._map(node).shape
        needed = max(*window.rows.beyond(height), *window.columns.beyond(width))
        margin, padded = self._padded.get((node, treated), (-1, None))
        if needed > margin:
            margin, clean = needed, treated.change(self._map(node))
            padded = functional.pad(clean, (0, 0, *4 * (margin,)), value=treated.beyond)
            self._padded[node, treated] = margin, padded
        return window.see(padded, margin)

    def _full(self, node: fx.Node, window: Window, differences: Tensor) -> Tensor:
        """Return the maps that differ in a window: float32 (n, channels, height, width)."""
        clean = self._map(node)
        return (window.paste(differences, *clean.shape[:2]) + clean).permute(0, 3, 1, 2)


def _batch(differences: Tensor) -> Tensor:
    """Return differences as a layer takes them: float32 (n, channels, height, width)."""
    return differences.flatten(0, 1).permute(0, 3, 1, 2)


def _copy(value: object) -> object:
    return value.clone() if isinstance(value, Tensor) else value
