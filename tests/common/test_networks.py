"""The networks: layer by layer as in the study's tables, their cost, their first weights."""

import pytest
import torch
from torch import nn

from stages.common.networks import (
    ARCHITECTURES,
    BetterBlock,
    DeepCNN,
    PlainBlock,
    ShallowCNN,
    initialise,
    multiply_accumulates,
    parameter_count,
)


def output_shapes(network) -> dict[str, tuple[int, ...]]:
    """Return the shape of what each named layer puts out for two images."""
    shapes = {}

    def record(name):
        return lambda layer, given, output: shapes.update({name: tuple(output.shape[1:])})

    for name, layer in network.named_modules():
        if name:
            layer.register_forward_hook(record(name))
    with torch.no_grad():
        output = network(torch.zeros(2, 3, 96, 96))
    assert output.shape == (2, 10) and output.dtype == torch.float32
    return shapes


@pytest.mark.parametrize("network, count", [(ShallowCNN, 390_602), (DeepCNN, 901_066)])
def test_the_given_networks_have_the_tables_number_of_parameters(network, count):
    assert parameter_count(network()) == count


def test_shallow_layers_have_the_tables_shapes():
    assert output_shapes(ShallowCNN()) == {
        "conv1": (96, 45, 45),
        "conv2": (64, 21, 21),
        "conv3": (128, 10, 10),
        "maxpool": (128, 3, 3),
        "fc1": (128,),
        "fc2": (10,),
    }


def test_deep_layers_have_the_tables_shapes():
    expected = {}
    sides = [(32, 48), (64, 24), (128, 12), (192, 6)]
    for number, (channels, side) in enumerate(sides, start=1):
        for layer in ("", ".conv1", ".conv2", ".conv3"):
            expected[f"block{number}{layer}"] = (channels, side, side)
    assert output_shapes(DeepCNN()) == expected | {"fc1": (10,)}


def test_a_residual_block_adds_its_branch_to_what_the_branch_is_given():
    torch.manual_seed(0)
    plain, residual = PlainBlock(3, 4).eval(), BetterBlock(3, 4).eval()
    residual.load_state_dict(plain.state_dict())
    x = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        given = nn.functional.relu(residual.norm1(nn.functional.max_pool2d(residual.conv1(x), 2)))
        torch.testing.assert_close(residual(x), plain(x) + given)
    assert given.abs().sum() > 0


def test_shallow_tensors_carry_the_tables_names():
    shapes = {name: tuple(tensor.shape) for name, tensor in ShallowCNN().state_dict().items()}
    assert shapes == {
        "conv1.weight": (96, 3, 7, 7),
        "conv1.bias": (96,),
        "conv2.weight": (64, 96, 5, 5),
        "conv2.bias": (64,),
        "conv3.weight": (128, 64, 3, 3),
        "conv3.bias": (128,),
        "fc1.weight": (128, 1152),
        "fc1.bias": (128,),
        "fc2.weight": (10, 128),
        "fc2.bias": (10,),
    }


def test_another_implementation_of_the_shallow_table_loads_by_name():
    class Other(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc2 = nn.Linear(128, 10)  # another order of definition
            self.fc1 = nn.Linear(1152, 128)
            self.conv1 = nn.Conv2d(3, 96, 7, 2)
            self.conv2 = nn.Conv2d(96, 64, 5, 2)
            self.conv3 = nn.Conv2d(64, 128, 3, 2)

        def forward(self, x):
            for layer in (self.conv1, self.conv2, self.conv3):
                x = layer(x).clamp(min=0)
            x = nn.functional.max_pool2d(x, 3).reshape(len(x), -1)
            return self.fc2(self.fc1(x).clamp(min=0))

    torch.manual_seed(0)
    other, ours = Other(), ShallowCNN()
    ours.load_state_dict(other.state_dict())
    images = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), other(images))


def test_deep_parameters_come_in_the_tables_order():
    layers = []
    channels_in = 3
    for channels in (32, 64, 128, 192):
        layers += [
            nn.Conv2d(channels_in, channels, 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1),
            nn.ReLU(),
        ]
        channels_in = channels
    torch.manual_seed(0)
    other = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(192, 10))
    ours = DeepCNN()
    with torch.no_grad():
        for mine, theirs in zip(ours.parameters(), other.parameters(), strict=True):
            mine.copy_(theirs)
        images = torch.rand(2, 3, 96, 96)
        torch.testing.assert_close(ours(images), other(images))


@pytest.mark.parametrize(
    "network, count",
    [
        # positions x outputs x weights an output: conv1, conv2, conv3, fc1, fc2
        (ShallowCNN, 28_576_800 + 67_737_600 + 7_372_800 + 147_456 + 1_280),
        # the four blocks, fc1
        (DeepCNN, 25_583_616 + 34_209_792 + 34_209_792 + 21_233_664 + 1_920),
    ],
)
def test_multiply_accumulates_are_as_counted_by_hand(network, count):
    assert multiply_accumulates(network()) == count


def initialised(network=ShallowCNN, seed=0):
    network = network()
    initialise(network, torch.Generator().manual_seed(seed))
    return network


def test_first_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = initialised()
    torch.manual_seed(2)
    again, other = initialised(), initialised(seed=1)
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.ndim == 1 or not torch.equal(a, c)


@pytest.mark.parametrize("network", ARCHITECTURES.values())
def test_first_weights_are_he_normal_and_biases_zero(network):
    for name, tensor in initialised(network).named_parameters():
        if tensor.ndim == 1:
            norm = "norm" in name and name.endswith("weight")
            assert torch.equal(tensor, torch.full_like(tensor, norm)), name
        elif tensor.numel() > 5000:
            std = (2 / tensor[0].numel()) ** 0.5
            assert tensor.std().item() == pytest.approx(std, rel=0.03), name
            assert abs(tensor.mean().item()) < 0.05 * std, name
            # of a normal distribution 4.55 % lies beyond two standard deviations, 0.27 % beyond 3
            assert (tensor.abs() > 2 * std).double().mean().item() == pytest.approx(
                0.0455, abs=0.01
            )
            assert (tensor.abs() > 3 * std).any()
