"""One training by several processes: each takes a share of every batch and of every evaluation.

`torchrun --nproc-per-node 2 -m stages.train q2` starts them, or `compute.processes` in the params.
The result is that of a single process but for rounding: the gradients are those of the whole batch,
also through batch normalisation, an image is augmented the same way whoever takes it, and each is
evaluated once.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from torch.nn.parallel import DistributedDataParallel

from stages.common.base.errors import InputError
from stages.common.base.process import Terminated

# set by torchrun, and what they are without it
ENVIRONMENT = (("WORLD_SIZE", 1), ("RANK", 0))

# exit codes of a process that has lost another one, or was asked to end
LOST, TERMINATED = 75, (-signal.SIGTERM, 128 + signal.SIGTERM)


@dataclass(frozen=True)
class Processes:
    """The processes of a training, and which of them this one is.

    Attributes
    ----------
    count : int
    rank : int
        From 0; the process of rank 0 alone writes and speaks.
    """

    count: int = 1
    rank: int = 0

    def share(self, items):
        """Return what of some items is this process's; of few items some processes have none."""
        return items[self.rank :: self.count]

    def joined(self, rows: Tensor, count: int) -> Tensor:
        """Put the rows that each process made for its share of `count` items back into order."""
        if self.count == 1:
            return rows
        whole = rows.new_zeros(count, *rows.shape[1:])
        self.share(whole).copy_(rows)
        distributed.all_reduce(whole)  # to each row all others add zeros
        return whole

    def parallel(self, network: nn.Module) -> nn.Module:
        """Wrap a network so that the gradients of all processes are averaged."""
        if self.count == 1:
            return network
        for layer in network.modules():
            if type(layer) is nn.BatchNorm2d:
                layer.__class__ = SyncBatchNorm2d
        # the running statistics are the same in all processes: they need not be sent
        return DistributedDataParallel(network, forward_sync_buffers=False)

    def agree(self, number: int) -> bool:
        """Whether all processes hold the same number."""
        if self.count == 1:
            return True
        ends = torch.tensor([number, -number])
        distributed.all_reduce(ends, distributed.ReduceOp.MAX)
        return ends[0] == -ends[1]


ALONE = Processes()


class SyncBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation by mean and variance of the whole batch, whoever holds its images.

    Torch's own `SyncBatchNorm` runs on GPUs alone.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        shape, others = (1, -1, 1, 1), (0, 2, 3)
        pixels = x.float() if x.dtype == torch.bfloat16 else x
        count = _Total.apply(pixels.new_tensor(float(x.numel() // x.shape[1])))
        mean = _Total.apply(pixels.sum(others)) / count
        centred = pixels - mean.view(shape)
        variance = _Total.apply(centred.square().sum(others)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)


class _Total(torch.autograd.Function):
    """The sum over all processes; the gradient is that of the sum of all their losses."""

    @staticmethod
    def forward(ctx, values: Tensor) -> Tensor:
        values = values.clone()
        distributed.all_reduce(values)
        return values

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return _Total.forward(ctx, gradient)


@contextmanager
def join(device: torch.device) -> Iterator[Processes]:
    """Meet the other processes that torchrun has started; where it has started none, stay alone.

    A process that loses another one ends at once, without a word: that is for whoever started them.
    """
    count, rank = (int(os.environ.get(name, alone)) for name, alone in ENVIRONMENT)
    if count == 1:
        yield Processes()
        return
    if rank:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(count, rank)
        distributed.barrier()  # none leaves while another may still need it
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or "gloo" in str(error):
            os._exit(LOST)
        raise
    finally:
        distributed.destroy_process_group()


def launch(count: int, module: str, *arguments: str) -> None:
    """Run a module in several processes on this machine, as torchrun does, until all have ended.

    SystemExit where one of them has ended with an error and has said which; InputError where one
    was killed; KeyboardInterrupt on Ctrl-C and SIGTERM. The processes have ended by then.
    """
    logging.disable()  # what torchrun would tell at length is told in one line
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=module,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    try:
        elastic_launch(config, sys.executable)("-m", module, *arguments)
    except ChildFailedError as error:
        codes = {rank: failure.exitcode for rank, failure in sorted(error.failures.items())}
        if 1 in codes.values():
            raise SystemExit(1) from None  # it has said why
        # the others have ended because of it
        rank = min(codes, key=lambda rank: (codes[rank] == LOST, codes[rank] in TERMINATED))
        code = codes[rank]
        end = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        then = "`dvc repro` goes on after the last finished epoch"
        raise InputError(f"process {rank} of {count} {end}: {then}") from None
    except SignalException as error:
        interruption = Terminated if error.sigval == signal.SIGTERM else KeyboardInterrupt
        raise interruption from None
