"""torch as this package states it, whatever a session has set: values must not depend on what a notebook did before."""

import contextlib
from collections.abc import Iterator

import torch

THREADS = 1  # of an operation: as many processes as cores is the user's business, not a BLAS library's


@contextlib.contextmanager
def stated_torch() -> Iterator[None]:
    """Within: float32 by default, on the CPU, with gradients, one thread, no automatic casts. Then as it was before."""
    kind, place, threads = torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads()
    precision = torch.get_float32_matmul_precision()
    torch.set_default_dtype(torch.float32)
    if place.type != "cpu":
        torch.set_default_device(None)
    torch.set_float32_matmul_precision("highest")
    torch.set_num_threads(THREADS)
    try:
        with (
            torch.inference_mode(mode=False),
            torch.enable_grad(),
            torch.autocast("cpu", enabled=False),
        ):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        torch.set_default_dtype(kind)
        if place.type != "cpu":
            torch.set_default_device(place)
