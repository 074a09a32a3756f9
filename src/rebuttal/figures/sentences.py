"""Words and numbers of the sentences that figures make from their data: no number in them is typed."""

from typing import Any

import xarray as xr

from rebuttal.evidence.naming import words


def percent(share: xr.DataArray) -> str:
    """'12.3 %' of a share."""
    return f"{100 * float(share):.3g} %"


def largest(values: xr.DataArray) -> xr.DataArray:
    """The largest value, with its labels."""
    return values.isel(values.argmax(...))  # pyright: ignore[reportArgumentType] - a dict, for all dims


def smallest(values: xr.DataArray) -> xr.DataArray:
    """The smallest value, with its labels."""
    return values.isel(values.argmin(...))  # pyright: ignore[reportArgumentType] - a dict, for all dims


def in_words(label: Any) -> str:
    """A label, or an array that holds one, as a reader says it."""
    return words(str(label.item() if hasattr(label, "item") else label))


def place(value: xr.DataArray) -> str:
    """'alexnet on dgx1' of a value with these labels."""
    return f"{in_words(value.model)} on {in_words(value.machine)}"


def grid_place(value: xr.DataArray) -> str:
    """The same with the numbers of nodes and of samples on each."""
    return f"{place(value)}, {int(value.nodes)} nodes, {int(value.batch)} samples on each"
