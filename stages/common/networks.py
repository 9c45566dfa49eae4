"""The networks of the study. Each maps float32 (n, 3, 96, 96) to logits float32 (n, classes)."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

from stages.common import study


class ShallowCNN(nn.Module):
    """The given shallow network: three convolutions without padding, two linear layers.

    96 -> 45 -> 21 -> 10 -> 3 pixels a side; 390,602 parameters for ten classes. Layer names are
    those of the study's table.
    """

    def __init__(self, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, kernel_size=7, stride=2)
        self.conv2 = nn.Conv2d(96, 64, kernel_size=5, stride=2)
        self.conv3 = nn.Conv2d(64, 128, kernel_size=3, stride=2)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=3)
        self.fc1 = nn.Linear(1152, 128)
        self.fc2 = nn.Linear(128, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = relu(self.conv1(images))
        x = relu(self.conv2(x))
        x = relu(self.conv3(x))
        x = self.maxpool(x).flatten(start_dim=1)
        return self.fc2(relu(self.fc1(x)))


class ConvBlock(nn.Module):
    """The study's conv-block: 3x3 with stride 2, 1x1, 3x3, a ReLU after each; halves the side."""

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, kernel_size=3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(channels_out, channels_out, kernel_size=1)
        self.conv3 = nn.Conv2d(channels_out, channels_out, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.conv3(relu(self.conv2(relu(self.conv1(x))))))


class DeepCNN(nn.Module):
    """The given deep network: four conv-blocks, global average pooling, one linear layer.

    96 -> 48 -> 24 -> 12 -> 6 pixels a side; 901,066 parameters for ten classes.
    """

    def __init__(self, classes: int = 10):
        super().__init__()
        self.block1 = ConvBlock(3, 32)
        self.block2 = ConvBlock(32, 64)
        self.block3 = ConvBlock(64, 128)
        self.block4 = ConvBlock(128, 192)
        self.fc1 = nn.Linear(192, classes)

    def forward(self, images: Tensor) -> Tensor:
        x = self.block4(self.block3(self.block2(self.block1(images))))
        return self.fc1(x.mean(dim=(2, 3)))


class BetterBlock(nn.Module):
    """Two batch-normalised 3x3 convolutions; max-pooling after the first halves the side.

    The second is a residual branch: what it computes is added to what it was given.
    """

    residual = True

    def __init__(self, channels_in: int, channels_out: int):
        super().__init__()
        # batch normalisation cancels a bias that comes before it
        self.conv1 = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, kernel_size=3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.norm1(max_pool2d(self.conv1(x), kernel_size=2)))
        branch = relu(self.norm2(self.conv2(x)))
        return x + branch if self.residual else branch


class BetterCNN(nn.Module):
    """Our own network: a strided stem, three residual blocks, global max pooling.

    96 -> 47 -> 23 -> 11 -> 5 pixels a side; 417,122 parameters for ten classes, less than half of
    the deep network's, and three quarters of its multiply-accumulates. What was chosen, and why;
    what each step bought in accuracy on validation is in the ablation of `experiments/results.md`:

    - Batch normalisation after each convolution but the stem (Ioffe and Szegedy 2015) bears a
      learning rate ten times that of the plain network: that is where it learns faster.
    - 3x3 convolutions and max-pooling in place of strides and 1x1 layers: each position is looked
      at before the strongest is kept, and the last maximum, over the whole map, feeds a linear
      layer of 1,290 parameters, where the shallow network spends 147,584 on its first one. It is
      the plan of the fast CIFAR-10 networks.
    - A stem of 24 channels, 4x4 with stride 2, halves the side at once: at full size even a thin
      layer would cost more than all that follow. Few channels where maps are large, many where
      they are small.
    - The second convolution of a block is a residual branch (He et al. 2016): no more parameters,
      and a shorter way for the gradients.
    - No depthwise or grouped convolutions: they save parameters and multiply-accumulates, but not
      the time of a CPU. No squeeze-and-excitation: it looks at the whole image, so that one patch
      would change every map, and occlusion would cost several times as much.
    """

    channels = (24, 48, 96, 128)
    block = BetterBlock

    def __init__(self, classes: int = 10):
        super().__init__()
        stem, *blocks = self.channels
        self.stem = nn.Conv2d(3, stem, kernel_size=4, stride=2)
        self.block1 = self.block(stem, blocks[0])
        self.block2 = self.block(blocks[0], blocks[1])
        self.block3 = self.block(blocks[1], blocks[2])
        self.fc1 = nn.Linear(blocks[2], classes)

    def forward(self, images: Tensor) -> Tensor:
        x = self.block3(self.block2(self.block1(relu(self.stem(images)))))
        return self.fc1(x.amax(dim=(2, 3)))


class WideCNN(BetterCNN):
    """Ours with nearly as many parameters as the deep network: 834,474 of 901,066.

    Its channels are multiples of 32, as the matrix units of processors take them at a time.
    """

    channels = (32, 64, 128, 192)


class DeepNormCNN(DeepCNN):
    """A step from the deep network to ours: the deep one, each convolution batch-normalised."""

    def __init__(self, classes: int = 10):
        super().__init__(classes)
        for block in (self.block1, self.block2, self.block3, self.block4):
            for name, conv in list(block.named_children()):
                conv.bias = None
                layers = OrderedDict(conv=conv, norm=nn.BatchNorm2d(conv.out_channels))
                setattr(block, name, nn.Sequential(layers))


class PlainBlock(BetterBlock):
    """Our block without its residual connection."""

    residual = False


class PlainCNN(BetterCNN):
    """A step from the deep network to ours: ours without residual connections."""

    block = PlainBlock


ARCHITECTURES = {name: globals()[name] for name in study.ARCHITECTURES}


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw He-normal weights and zero biases in place (He et al. 2015, section 2.2).

    PyTorch's own default shrinks the signal from layer to layer: the deep network, twelve
    convolutions without normalisation, would stay at chance for its first epochs.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def move(network: nn.Module, device: torch.device | str) -> None:
    """Bring a network to a device, its weights in the memory order that is fastest there."""
    # convolutions are fastest with channels last; on MPS that order has met with errors
    on_mps = torch.device(device).type == "mps"
    order = torch.contiguous_format if on_mps else torch.channels_last
    network.to(device, memory_format=order)


@contextmanager
def eval_mode(network: nn.Module) -> Iterator[None]:
    """Put a network into eval mode, and afterwards every part of it back into the mode it had."""
    modes = {part: part.training for part in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def parameter_count(network: nn.Module) -> int:
    """Count the trainable numbers of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_accumulates(network: nn.Module) -> int:
    """Count the multiply-accumulates that an image (3, 96, 96) costs in convolutions and linear.

    PyTorch's FlopCounterMode counts the same, but imports the compiler, which takes two seconds.
    """
    layers = [part for part in network.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    counts = []

    def count(layer: nn.Module, inputs: tuple[Tensor], outputs: Tensor) -> None:
        # each number of the output is a sum over what one filter weighs
        counts.append(outputs.numel() * layer.weight[0].numel())

    hooks = [layer.register_forward_hook(count) for layer in layers]
    image = torch.zeros(1, 3, 96, 96, device=next(network.parameters()).device)
    with eval_mode(network), torch.no_grad():
        network(image)
    for hook in hooks:
        hook.remove()
    return sum(counts)
