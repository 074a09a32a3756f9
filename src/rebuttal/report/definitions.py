"""One line for every name that a legend or a table shows: from the methods themselves."""

from rebuttal.methods import METHODS

MOMENTUM = "_momentum"  # the end of a method's name in a study, where its updates have momentum


def methods() -> dict[str, str]:
    """Method -> the first line of its docstring; also under the name that it has with momentum."""
    lines = {name: (method.__doc__ or name).strip().splitlines()[0] for name, method in METHODS.items()}
    return lines | {
        f"{name}{MOMENTUM}": f"{line.rstrip('.')}; with momentum." for name, line in lines.items()
    }
