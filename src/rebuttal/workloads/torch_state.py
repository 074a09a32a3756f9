"""torch as this package states it, whatever a session has set: values must not depend on what a notebook did before."""

import contextlib
from collections.abc import Iterator

import torch

THREADS = 1  # of an operation: as many processes as cores is the user's business, not a BLAS library's


@contextlib.contextmanager
def stated_torch() -> Iterator[None]:
    """Within: float32 by default, on the CPU, with gradients, one thread, no automatic casts. Then as it was before.

    On a GPU, products and convolutions of float32 are float32's: see `full_float32`.
    """
    kind, place, threads = torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads()
    precision, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_default_dtype(torch.float32)
    if place.type != "cpu":
        torch.set_default_device(None)
    full_float32()
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
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.set_default_dtype(kind)
        if place.type != "cpu":
            torch.set_default_device(place)


def full_float32() -> None:
    """No TF32 on a GPU, which torch takes for convolutions unless told otherwise: its 10 bits are not float32's 23.

    Executors would then compute other gradients than each other, and which of them serves is decided by a timing.
    """
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
