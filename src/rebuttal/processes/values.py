"""Values of a real run: tensors that carry the name of how they were computed, in memory and on the wire."""

import hashlib
import io
import pickle
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rebuttal.core.graph import Arguments
from rebuttal.core.task import Derive, Draws, Task
from rebuttal.replaying.modules import ModuleRecord
from rebuttal.replaying.oracle import Computer, wire_bytes

Name = bytes
Definition = tuple[str, tuple[Name, ...], Arguments]
NAME_BYTES = 16  # 128 bits: two different values of a run never share one


def name_of(operation: str, inputs: Sequence[Name], arguments: Arguments) -> Name:
    """A hash of an operation, the names of what it is applied to, and its arguments: equal on every node."""
    text = operation.encode() + b"\0" + b"".join(inputs)
    return hashlib.blake2b(
        text + struct.pack(f"<{len(arguments)}d", *arguments), digest_size=NAME_BYTES
    ).digest()


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A value with its name. `value` is what operations.py says for one replica: tensors [1, P], tuples of them, ..."""

    name: Name
    value: Any = field(repr=False)
    computed: Derive = field(repr=False)

    def derive(self, operation: str, values: tuple["Named", ...], numbers: Arguments) -> "Named":
        """The value of an operation on values."""
        return self.computed(operation, values, numbers)


class NamedTask(Task):
    """The task that a method sees on a real process."""

    _new: dict[Name, Definition]

    def __init__(self, compute: Computer) -> None:
        def derive(operation: str, inputs: tuple[Named, ...], arguments: Arguments) -> Named:
            names = tuple(one.name for one in inputs)
            name = name_of(operation, names, arguments)
            self._new[name] = (operation, names, arguments)
            return Named(name, compute(operation, [one.value for one in inputs], arguments), derive)

        super().__init__(derive, wire_bytes(compute.context.workload), Draws(compute.context.seeds[0]))
        object.__setattr__(self, "_new", {})

    def defined(self) -> dict[Name, Definition]:
        """The definitions of the names that were made here since the last call."""
        new = self._new
        object.__setattr__(self, "_new", {})
        return new


def first_name(value: Any) -> Name | None:
    """The name of a value, or of the first named one in a tuple; None if there is none."""
    if isinstance(value, Named):
        return value.name
    if isinstance(value, tuple):
        return next((part.name for part in value if isinstance(part, Named)), None)
    return None


def packed(message: Any) -> bytes:
    """Bytes of anything that a method sends: what is picklable, with named values in it."""
    stream = io.BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(message)
    return stream.getvalue()


def unpacked(content: bytes, task: Task) -> Any:
    """The object that `packed` was given; its named values derive further ones by `task`."""
    return _Unpickler(io.BytesIO(content), task.derive).load()


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> tuple[Name, Any] | None:
        return (obj.name, _plain(obj.value)) if isinstance(obj, Named) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, derive: Derive) -> None:
        super().__init__(stream)
        self._derive = derive

    def persistent_load(self, pid: tuple[Name, Any]) -> Named:
        name, plain = pid
        return Named(name, _restored(plain), self._derive)


@dataclass(frozen=True, slots=True)
class _Activations:
    """A record of activations on the wire, without autograd's notes, which only the stage that made them needs."""

    values: np.ndarray


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, ModuleRecord):
        return _Activations(value.activations.numpy())
    return tuple(_plain(part) for part in value) if isinstance(value, tuple) else value


def _restored(plain: Any) -> Any:
    """Tensors in memory of torch's own: products may depend, in their last bits, on how their operands are aligned."""
    if isinstance(plain, np.ndarray):
        return torch.from_numpy(plain).clone()
    if isinstance(plain, _Activations):
        return ModuleRecord(_restored(plain.values))
    return tuple(_restored(part) for part in plain) if isinstance(plain, tuple) else plain
