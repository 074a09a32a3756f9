"""One line for every name that a legend or a table shows: from the methods themselves."""

from rebuttal.methods import METHODS


def methods() -> dict[str, str]:
    """Method -> the first line of its docstring."""
    return {name: (method.__doc__ or name).strip().splitlines()[0] for name, method in METHODS.items()}
