"""Several processes as one run: torchrun's group, shared gradients and shared batch statistics."""

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel


def join_processes(device: str) -> tuple[int, int]:
    """Join the group that torchrun started; return (rank, processes), (0, 1) without torchrun."""
    if not dist.is_available():
        return 0, 1
    if not dist.is_initialized():
        if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "RANK" not in os.environ:
            return 0, 1
        on_gpu = torch.cuda.is_available() and device.split(":")[0] in ("auto", "cuda")
        dist.init_process_group("nccl" if on_gpu else "gloo")
        atexit.register(_leave)  # later runs of the same script stay in the group
    return dist.get_rank(), dist.get_world_size()


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def add_up(numbers: Tensor, processes: int) -> Tensor:
    """Return the sum over all processes of a run; the tensor itself when there is one."""
    if processes > 1:
        dist.all_reduce(numbers)
    return numbers


def from_first(text: str, processes: int, device: torch.device) -> str:
    """Return what the first process of a run has, so that all of them decide alike."""
    if processes == 1:
        return text
    told = [text]
    dist.broadcast_object_list(told, src=0, device=device)
    return told[0]


@contextmanager
def shared(model: nn.Module, size: int) -> Iterator[nn.Module]:
    """Give the network to train: the model, or with several processes one that shares gradients.

    Its batch norms then take mean and variance over the whole batch, so that two processes
    compute what one would.
    """
    if size == 1:
        yield model
        return
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    for norm in norms:
        norm.__dict__["forward"] = partial(_whole_batch_norm, norm)  # found before the class's own
    try:
        device = next(model.parameters()).device
        yield DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)
    finally:
        for norm in norms:
            del norm.__dict__["forward"]


class _SumOfAll(torch.autograd.Function):
    """Sum over the processes; each one's gradient is the sum of all gradients."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor) -> Tensor:
        total = numbers.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        total = grads[0].clone()
        dist.all_reduce(total)
        return total


def _sum_of_all(numbers: Tensor) -> Tensor:
    total = _SumOfAll.apply(numbers)
    assert isinstance(total, Tensor)
    return total


def _whole_batch_norm(norm: _BatchNorm, x: Tensor) -> Tensor:
    """Batch norm over the parts of all processes: (N, C, H, W) -> (N, C, H, W)."""
    if not norm.training:
        return type(norm).forward(norm, x)
    dims = [d for d in range(x.ndim) if d != 1]
    shape = [1, -1, *[1] * (x.ndim - 2)]
    wide = x.float()
    count = x.numel() // x.shape[1] * dist.get_world_size()  # all parts are equally large
    mean = _sum_of_all(wide.sum(dims)) / count
    centred = wide - mean.view(shape)
    var = _sum_of_all(centred.square().sum(dims)) / count
    _remember(norm, mean.detach(), var.detach() * count / (count - 1))
    out = centred * torch.rsqrt(var + norm.eps).view(shape)
    if norm.affine:
        out = out * norm.weight.view(shape) + norm.bias.view(shape)
    return out.to(x.dtype)


def _remember(norm: _BatchNorm, mean: Tensor, var: Tensor) -> None:
    if not norm.track_running_stats or norm.running_mean is None or norm.running_var is None:
        return
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked.add_(1)
    rate = norm.momentum
    if rate is None:  # then the mean over all batches so far
        rate = 1.0 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean, rate)
    norm.running_var.lerp_(var, rate)
