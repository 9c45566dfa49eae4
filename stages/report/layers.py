"""The layers of a network, in the order in which an image meets them."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from stages.common.networks import ARCHITECTURES, eval_mode, parameter_count
from stages.common.study import SIDE

CALLS = {
    "relu": "ReLU",
    "flatten": "flatten",
    "mean": "global average pooling",
    "amax": "global max pooling",
}


@dataclass(frozen=True)
class Layer:
    """One row of a network's table.

    Attributes
    ----------
    name : str
        As in the code; empty for a function.
    operation : str
        In words, with the ReLU that follows.
    kind : "input", "convolution", "norm", "pooling", "linear", "block" or "other"
        What the diagram colours it by.
    shape : tuple of int
        Of its output, without the batch: channels, height, width; or features.
    parameters : int
    """

    name: str
    operation: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def architecture(name: str, classes: int) -> dict[str, Any]:
    """Return a network as plain values: all its layers, its outline, and its first block, if any.

    Returns
    -------
    dict
        `name`; `layers` and `outline`, as `layers` lists them in full and one level deep; `block`,
        the layers of the first block of the outline with its `name`, or None.
    """
    network = ARCHITECTURES[name](classes)
    image = torch.zeros(1, 3, SIDE, SIDE)
    with eval_mode(network):
        outline = layers(network, image, depth=1)
        place = next((i for i, layer in enumerate(outline) if layer.kind == "block"), None)
        block = None
        if place is not None:
            given = torch.zeros(1, *outline[place - 1].shape)
            inside = layers(network.get_submodule(outline[place].name), given)
            block = {"name": outline[place].operation, "layers": list(map(asdict, inside))}
        return {
            "name": name,
            "layers": [asdict(layer) for layer in layers(network, image)],
            "outline": [asdict(layer) for layer in outline],
            "block": block,
        }


class _Tracer(fx.Tracer):
    """Follow an image through a network, down to `depth` levels of modules."""

    def __init__(self, depth: int | None):
        super().__init__()
        self._depth = depth

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        deep_enough = self._depth is not None and name.count(".") + 1 >= self._depth
        return deep_enough or super().is_leaf_module(module, name)


def layers(network: nn.Module, image: Tensor, depth: int | None = None) -> list[Layer]:
    """List the layers of a network with the shapes that an image really takes.

    Parameters
    ----------
    network : nn.Module
        In eval mode.
    image : float32 (1, channels, height, width)
    depth : int, optional
        Levels of modules to go down; a module below is one layer. All by default.

    Returns
    -------
    list of Layer
        The first is the input; a ReLU belongs to the layer before it.
    """
    traced = fx.GraphModule(network, _Tracer(depth).trace(network))
    with torch.no_grad():
        ShapeProp(traced).propagate(image)
    rows: list[Layer] = []
    for node in traced.graph.nodes:
        if node.op in ("output", "get_attr"):
            continue
        shape = tuple(node.meta["tensor_meta"].shape[1:])
        if node.op == "placeholder":
            rows.append(Layer("", "input", "input", shape, 0))
        elif node.op == "call_module":
            module = traced.get_submodule(node.target)
            operation, kind = _describe_module(module)
            rows.append(Layer(node.target, operation, kind, shape, parameter_count(module)))
        else:
            operation, kind = _describe_call(node)
            if operation == "ReLU" and len(rows) > 1:
                last = rows.pop()
                merged = f"{last.operation} + ReLU"
                rows.append(Layer(last.name, merged, last.kind, shape, last.parameters))
            else:
                rows.append(Layer("", operation, kind, shape, 0))
    return rows


def _describe_module(module: nn.Module) -> tuple[str, str]:
    match module:
        case nn.Conv2d():
            return f"convolution {_window(module)}", "convolution"
        case nn.MaxPool2d():
            return f"max pooling {_window(module)}", "pooling"
        case nn.BatchNorm2d():
            return "batch normalisation", "norm"
        case nn.Linear():
            return "linear", "linear"
        case nn.ReLU():
            return "ReLU", "other"
    return type(module).__name__, "block" if any(module.children()) else "other"


def _describe_call(node: fx.Node) -> tuple[str, str]:
    name = node.target if isinstance(node.target, str) else node.target.__name__
    if name == "max_pool2d":
        size = node.kwargs.get("kernel_size", node.args[1] if len(node.args) > 1 else None)
        return f"max pooling {size}×{size}", "pooling"
    operation = CALLS.get(name, name)
    return operation, "pooling" if "pooling" in operation else "other"


def _window(module: nn.Module) -> str:
    """Write kernel, stride and padding, of which the usual ones are left out."""
    kernel, stride, padding = (
        value if isinstance(value, tuple) else (value, value)
        for value in (module.kernel_size, module.stride, module.padding)
    )
    text = f"{kernel[0]}×{kernel[1]}"
    text += f", stride {stride[0]}" if stride != (1, 1) else ""
    return text + (f", padding {padding[0]}" if padding != (0, 0) else "")
