"""Train on the images of the current folder, by as many processes as torchrun has started.

The argument is the folder that the gradients, the running statistics and the history go to.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from stages.common import dataset
from stages.common.inference import Model
from stages.common.networks import ARCHITECTURES, initialise
from stages.train import distributed, loop
from tests.conftest import train_params

# 16 training images: of a batch of 5 the last is a single image, and one of two processes has none
CASES = [(name, size) for name in ARCHITECTURES for size in (16, 5)]


def train(architecture: str, batch_size: int, processes: distributed.Processes) -> dict:
    """Return the gradients of an epoch's last step, the buffers and the measures after it."""
    network = ARCHITECTURES[architecture](2)
    initialise(network, torch.Generator().manual_seed(0))
    # in float32, batch normalisation makes a difference of rounding ten times larger
    network.double().register_forward_pre_hook(lambda _, args: (args[0].double(),))
    # a rate so low that all steps are taken at the same weights, but for rounding
    changes = {"flip": 0.5, "crop": 8, "color": 0.3, "erase": 8, "zoom": 0.25, "cutmix": 0.5}
    params = train_params(epochs=1, batch_size=batch_size, lr=1e-12, **changes)
    optimizer = loop.build_optimizer(network, params)
    found = {}

    def keep(*_) -> None:
        for name, tensor in network.named_parameters():
            found[name] = tensor.grad.detach().clone().contiguous()

    optimizer.register_step_pre_hook(keep)
    model = Model(network, ["a", "b"], (0.5,) * 3, (0.5,) * 3)
    (row,) = loop.train(model, dataset.load(), params, optimizer, processes=processes)
    found |= {name: tensor.double() for name, tensor in network.named_buffers()}
    return found | {name: torch.tensor(value).double() for name, value in row.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    with distributed.join(torch.device("cpu")) as joined:
        for architecture, batch_size in CASES:
            result = train(architecture, batch_size, joined)
            if joined.rank == 0:
                save_file(result, Path(sys.argv[1]) / f"{architecture}_{batch_size}.safetensors")
