"""Values of a method's own operations: in one call for many replicas where they say that this can be, else one by one.

What says `batched` is believed after it was seen: now and then it is computed one by one as well, and compared.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rebuttal.base.errors import InputError, refuse
from rebuttal.core.value_operations import ValueOperation
from rebuttal.replaying.context import Context, Operation

NEAR, TINY = (
    1e-3,
    1e-6,
)  # relative to a number, and to the largest one: what another order of sums may make of it


def of_own(made: ValueOperation) -> Operation:
    """What computes it. Raises InputError for one that fails, or that gives no tensors."""

    def computed(context: Context, inputs: Sequence[Any], arguments: tuple[float, ...]) -> Any:
        replicas = context.replicas
        if replicas == 1 or not made.batched:
            return _one_by_one(made, inputs, arguments, replicas)
        value = _called(made, inputs, arguments, replicas)
        calls = context.kept[made.name, "calls"] = context.kept.get((made.name, "calls"), 0) + 1
        if (
            calls & (calls - 1) == 0
        ):  # the 1st, 2nd, 4th, 8th, …: replicas begin alike, and part as they learn
            _check_alike(made, value, _one_by_one(made, inputs, arguments, replicas))
        return value

    return computed


def _one_by_one(
    made: ValueOperation, inputs: Sequence[Any], arguments: tuple[float, ...], replicas: int
) -> Any:
    if replicas == 1:
        return _called(made, inputs, arguments, 1)
    rows = [_called(made, [_row(one, m, made) for one in inputs], arguments, 1) for m in range(replicas)]
    if isinstance(rows[0], Tensor):
        return torch.cat(rows)
    return tuple(
        torch.cat(parts) if isinstance(parts[0], Tensor) else max(parts) for parts in zip(*rows, strict=True)
    )


def _row(value: Any, m: int, made: ValueOperation) -> Any:
    """What replica m has of a value; a state's count of updates is everybody's."""
    if isinstance(value, tuple):
        return tuple(_row(part, m, made) for part in value)
    if isinstance(value, int):
        return value
    if not isinstance(value, Tensor):
        raise refuse(
            f"operation {made.__name__}", type(value).__name__, "states, gradients and what is made of them"
        )
    return value[m : m + 1]


def _called(made: ValueOperation, inputs: Sequence[Any], arguments: tuple[float, ...], replicas: int) -> Any:
    try:
        value = made.body(*inputs, **made.keywords(arguments))
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"operation {made.__name__}: fails with {why}; allowed: {FORM}") from error
    parts = value if isinstance(value, tuple) else (value,)
    for part in parts:
        if not _is_part(part, replicas, made):
            shape = list(part.shape) if isinstance(part, Tensor) else type(part).__name__
            raise refuse(f"operation {made.__name__}", shape, FORM)
    return value


FORM = "a function that gives a tensor, or a tuple of them, each with a row for every replica"


def _is_part(part: Any, replicas: int, made: ValueOperation) -> bool:
    if isinstance(part, int):
        return made.state
    return isinstance(part, Tensor) and part.dim() > 0 and len(part) == replicas


def _check_alike(made: ValueOperation, batched: Any, alone: Any) -> None:
    pairs = zip(*((one if isinstance(one, tuple) else (one,)) for one in (batched, alone)), strict=True)
    for many, single in pairs:
        if isinstance(many, Tensor) and many.is_floating_point() and not _near(many, single):
            allowed = "False where the rows of several replicas meet in it: computed together they differ"
            raise refuse(f"operation {made.__name__}.batched", True, allowed)


def _near(many: Tensor, single: Tensor) -> bool:
    """Whether they agree but for rounding, where both are finite."""
    if many.shape != single.shape:
        return False
    size = single.abs().nan_to_num(0.0, 0.0).max() if single.numel() else 0.0
    return torch.allclose(many, single, rtol=NEAR, atol=float(TINY * size), equal_nan=True)
