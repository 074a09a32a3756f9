"""What code draws each page: a page is made again when that changes, and not for a chart which it does not show.

A page's record (`rebuttal.report.all_pages`) holds the modules of `rebuttal.charts` behind it, in the place of all
charts. A comment or a docstring is no change.
"""

import ast
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from rebuttal import charts, papers, paths

FIGURE = re.compile(r'\.figure\(\s*"(\w+)"')
CHARTS = "rebuttal.charts"
REPORT = "rebuttal.report"
Behind = dict[str, dict[str, str]]
#: Page -> its notebook and the module that its cells call.
PAGES = {
    "calibration": ("calibrate.ipynb", "on_calibration"),
    "comparison": ("compare_methods.ipynb", "comparison"),
    "machines": ("machines.ipynb", "on_machines"),
}
DRAWS_ALL = (
    "catalogue",
)  # a page rests on those of its figures that it shows, and on how they are listed there


def behind_pages() -> dict[str, Behind]:
    """Page -> what draws it: the bytes of its notebook, how its figures are listed, the modules of charts behind them.

    Raises InputError for a figure that does not exist, or a paper's file that is broken.
    """
    notebooks = paths.root() / "notebooks"
    found = {name: _behind(notebooks / file, entry, []) for name, (file, entry) in PAGES.items()}
    for name in reviewed_papers():
        own = notebooks / f"review_{name.replace('-', '_')}.ipynb"
        notebook = own if own.is_file() else notebooks / "review_paper.ipynb"
        found[name] = _behind(notebook, "paper_review", _evidence(name))
    return found


def reviewed_papers() -> list[str]:
    """The folders of papers/ with a paper's file."""
    return sorted(path.parent.name for path in (paths.root() / "papers").glob("*/paper.yaml"))


def _behind(notebook: Path, entry: str, figures: list[str]) -> Behind:
    shown = sorted({*figures, *figures_of(notebook)})
    return code_behind(shown, entry) | {
        "notebook": {notebook.name: hashlib.sha256(notebook.read_bytes()).hexdigest()}
    }


def figures_of(notebook: Path) -> list[str]:
    """The figures that a notebook's cells name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return [str(name) for name in FIGURE.findall(code)]


def _evidence(paper: str) -> list[str]:
    """The figures that a paper's evidence points to."""
    about = papers.load(paper)
    return [one.figure for row in (*about.claims, *about.concerns) for one in row.answers if one.figure]


def code_behind(figures: Iterable[str], entry: str) -> Behind:
    """figures: how each is listed in the catalogue; modules: those of charts that draw them or that pages call.

    entry: the module of `rebuttal.report` that a page's notebook calls.
    """
    drawn = {name: charts.drawing(name) for name in figures}
    functions = {
        name: [one for one in (drawing.panels, drawing.table, drawing.finding) if one]
        for name, drawing in drawn.items()
    }
    modules = {_module(one) for some in functions.values() for one in some}
    modules |= {name for module in _closure(f"{REPORT}.{entry}") for name in _imports(module, CHARTS)}
    every = {name for module in modules for name in _closure(module)}
    return {
        "figures": {
            name: f"{', '.join(drawing.needs)}: {'; '.join(map(_named, functions[name]))}"
            for name, drawing in drawn.items()
        },
        "modules": {name: _hash(name) for name in sorted(every) if name.rpartition(".")[2] not in DRAWS_ALL},
    }


def _module(function: Callable) -> str:
    return (function.func if isinstance(function, functools.partial) else function).__module__


def _named(function: Callable) -> str:
    """A function of the catalogue, with what it is given there."""
    if isinstance(function, functools.partial):
        return f"{_named(function.func)} with {json.dumps(function.keywords, sort_keys=True)}"
    return f"{function.__module__}.{function.__qualname__}"


def _closure(module: str) -> set[str]:
    """A module and all of its own package that it imports, directly or not."""
    package = module.rpartition(".")[0]
    found, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name not in found and name.rpartition(".")[2] not in DRAWS_ALL:
            found.add(name)
            waiting += sorted(_imports(name, package))
    return found


@functools.cache
def _imports(module: str, package: str) -> frozenset[str]:
    """The modules of a package that a module imports, inside functions too."""
    found = set[str]()
    for node in ast.walk(ast.parse(_file(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(f"{package}."):
            named = {f"{node.module}.{one.name}" for one in node.names}
            found |= {name for name in named if _file(name).is_file()} or {node.module}
    return frozenset(name for name in found if _file(name).is_file())


def _file(module: str) -> Path:
    """The file of a module of this package; of a package, its __init__."""
    path = Path(__file__).parents[1].joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _hash(module: str) -> str:
    """Of what a module does: its code without comments, layout and docstrings."""
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
