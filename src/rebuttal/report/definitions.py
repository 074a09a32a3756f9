"""One line for every name that a legend or a table shows: from the methods themselves."""

from rebuttal.charts.groups import MOMENTUM
from rebuttal.methods import METHODS


def methods() -> dict[str, str]:
    """Method -> the first line of its docstring; and the same with momentum."""
    lines = {name: (method.__doc__ or name).strip().splitlines()[0] for name, method in METHODS.items()}
    return lines | {f"{name}{MOMENTUM}": f"With momentum. {line}" for name, line in lines.items()}
