"""One line for every name that a legend or a table shows: from the methods themselves."""

from rebuttal.base import paths
from rebuttal.methods import METHODS, definition

MOMENTUM = "_momentum"  # the end of a method's name in a study, where its updates have momentum


def methods(paper: str | None = None) -> dict[str, str]:
    """Method -> the first line of its docstring; also under the name that it has with momentum.

    paper: whose own methods, papers/PAPER/own/*.py, are among them. Their files are read, and not run.
    """
    own = sorted((paths.papers() / paper / "own").glob("*.py")) if paper else []
    named = {name: name for name in METHODS} | {path.stem: f"file:{path}" for path in own}
    lines = {name: line for name, program in named.items() if (line := definition(program))}
    return lines | {
        f"{name}{MOMENTUM}": f"{line.rstrip('.')}; with momentum." for name, line in lines.items()
    }
