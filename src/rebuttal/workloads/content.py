"""What a workload that was loaded holds, whatever files it was made from: data, start and buffers, in one hash."""

import hashlib

import torch
from torch import Tensor

from rebuttal.workloads import load
from rebuttal.workloads.workload import Workload


def digest(workload: Workload) -> str:
    """The SHA-256 of all that a run reads of a workload but its code: shapes, types and bits of tensors."""
    found = hashlib.sha256()
    for name, tensor in _held(workload).items():
        held = tensor.detach().cpu().contiguous()
        found.update(f"{name} {held.dtype} {list(held.shape)}\n".encode())
        found.update(held.reshape(-1).view(torch.uint8).numpy().tobytes() if held.numel() else b"")
    return found.hexdigest()


def digest_of(name: str, data_root: str) -> str:
    """The `digest` of a workload by name. Raises InputError as `load`."""
    return digest(load(name, data_root))


def _held(workload: Workload) -> dict[str, Tensor]:
    splits = {
        f"{split}.{part}": one
        for split, pair in workload.splits.items()
        for part, one in zip("xy", pair, strict=True)
    }
    return splits | {"start": workload.start(0)} | dict(workload.template.named_buffers())
