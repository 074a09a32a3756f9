"""A pretend GPU: tensors of a second device whose values lie in host memory. It needs no driver and no compiler.

    with pretend_gpu() as gpu:
        placed = workload.to(gpu.device)
        ...
        assert not gpu.waits

What CUDA refuses is refused here: operands on two devices, `numpy()` of a device's tensor, a generator of the host for
a tensor of the device. What costs time on CUDA is counted: kernels, uploads, waits (of the host for the device). Values
are the CPU's, to the bit. It does not see what happens inside a CUDA kernel, nor streams, memory or precision.

PyTorch keeps one device type for others to define (PrivateUse1); here it is defined in Python. It must be set up before
the first backward pass of a process, since autograd counts the devices then, so it is for processes of their own.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.fx.experimental import proxy_tensor
from torch.utils import backend_registration
from torch.utils._pytree import tree_flatten, tree_map_only, tree_unflatten

NAME = "pretend"
#: Operations whose result the host needs before it can go on.
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "_unique2", "is_nonzero"}
#: Operations that also take indices of the host, which are copied to the device each time.
INDEXING = {"index", "index_put", "index_put_", "_unsafe_index"}
#: Operations that launch nothing, besides views.
FREE = ("empty", "new_empty", "detach", "alias", "lift", "_reshape_alias")
#: Operations that make tensors from numbers, by name and overload.
FACTORIES = (
    "empty.memory_format", "empty_strided.default", "zeros.default", "ones.default", "full.default",
    "scalar_tensor.default", "arange.default", "arange.start", "arange.start_step", "eye.default", "linspace.default",
    "rand.default", "rand.generator", "randn.default", "randn.generator", "randint.default", "randint.low",
    "randperm.default",
)  # fmt: skip


@dataclass
class PretendGpu:
    """What the device was asked for since it was last cleared, by operation."""

    kernels: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    draws: Counter[str] = field(default_factory=Counter)  # by the device's own generator

    @property
    def device(self) -> torch.device:
        """Where `Workload.to` places what is to be on it."""
        return torch.device(NAME)

    def clear(self) -> None:
        """Count from zero again."""
        for counter in (self.kernels, self.uploads, self.waits, self.draws):
            counter.clear()


class Backend(backend_registration._DummyBackendModule):
    """What `torch.pretend` answers."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


class OnDevice(torch.Tensor):
    """A tensor of the device; `held`, a tensor of the host, has its values."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # pyright: ignore[reportAssignmentType]

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "OnDevice":  # noqa: PYI034 - torch makes it
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _computed(func, args, kwargs or {})

    @property
    def data(self) -> torch.Tensor:  # type: ignore[override]
        return super().data

    @data.setter
    def data(self, new: "OnDevice") -> None:
        self.held = new.held


_autocast = torch.library.Library("_", "IMPL")  # kept: what it registers goes with it


def _computed(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """An operation with at least one operand on the device."""
    name = func._schema.name.removeprefix("aten::")
    flat, spec = tree_flatten((args, kwargs))
    placed = [one for one in flat if isinstance(one, OnDevice)]
    # A tensor of the host without dimensions is a number, which CUDA takes too.
    host = [
        one for one in flat if isinstance(one, torch.Tensor) and not isinstance(one, OnDevice) and one.dim()
    ]
    to = kwargs.get("device")
    to_host = to is not None and torch.device(to).type != NAME
    if host:
        _note_host_operands(name, args, placed, host)
    if to_host or name in WAITS or _counts_elements(name, args, kwargs):
        _current.waits[f"{name} to the host" if to_host else name] += 1
    if torch.Tag.nondeterministic_seeded in func.tags:
        _current.draws[name] += 1
    if not (func.is_view or to_host or name in WAITS or name.startswith(FREE)):
        _current.kernels[name] += 1
    before = {id(one.held): one for one in placed}
    args, kwargs = tree_unflatten([one.held if isinstance(one, OnDevice) else one for one in flat], spec)
    out = func(*args, **(kwargs if to is None else kwargs | {"device": "cpu"}))
    if to_host:
        return out
    # What an operation writes into stays the tensor that it was.
    return tree_map_only(
        torch.Tensor, lambda made: before[id(made)] if id(made) in before else OnDevice(made), out
    )


def _note_host_operands(name: str, args: tuple, placed: list, host: list) -> None:
    """Count a copy between host and device; refuse what is none."""
    if name == "copy_":
        (_current.uploads if isinstance(args[0], OnDevice) else _current.waits)[name] += 1
    elif name in INDEXING and isinstance(args[0], OnDevice):
        _current.uploads[f"{name} by indices of the host"] += 1
    else:
        operands = [(tuple(one.shape), str(one.device)) for one in placed + host]
        raise RuntimeError(f"{name}: operands on two devices: {operands}")


def _counts_elements(name: str, args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether the shape of the result depends on values: the host waits to know it."""
    if name == "repeat_interleave":
        return kwargs.get("output_size") is None
    return name in INDEXING and any(
        one is not None and one.dtype in (torch.bool, torch.uint8) for one in args[1]
    )


def _factory(operation: Any) -> Callable[..., torch.Tensor]:
    def make(*args: Any, device: Any = None, generator: Any = None, **kwargs: Any) -> torch.Tensor:
        if generator is not None:
            raise RuntimeError(f"{operation}: a generator of the host for a tensor of the device")
        name = operation._schema.name.removeprefix("aten::")
        if name.startswith("rand"):
            _current.draws[name] += 1
        if not name.startswith("empty"):
            _current.kernels[name] += 1
        return OnDevice(operation(*args, device="cpu", **kwargs))

    return make


def _uploaded(source: torch.Tensor, target: OnDevice, non_blocking: bool = False) -> torch.Tensor:
    """`torch.tensor(numbers, device=...)`."""
    _current.uploads["tensor"] += 1
    target.held.copy_(source)
    return target


def _set_up() -> None:
    backend_registration._setup_privateuseone_for_python_backend(NAME, Backend())
    for factory in FACTORIES:
        name, overload = factory.split(".")
        operation = getattr(getattr(torch.ops.aten, name), overload)
        torch.library.impl(f"aten::{name}" if overload == "default" else f"aten::{factory}", "privateuseone")(
            _factory(operation)
        )
    torch.library.impl("aten::_copy_from", "privateuseone")(_uploaded)
    _autocast.fallback(
        torch.library.fallthrough_kernel, "AutocastPrivateUse1"
    )  # autocast changes no value here
    # make_fx is to trace these tensors, not those that they hold.
    proxy_tensor.HANDLED_TYPES = (*proxy_tensor.HANDLED_TYPES, OnDevice)


_current = PretendGpu()


@contextmanager
def pretend_gpu() -> Iterator[PretendGpu]:
    """The device, counting from zero."""
    if not hasattr(torch, NAME):
        _set_up()
    _current.clear()
    yield _current
