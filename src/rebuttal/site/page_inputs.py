"""What code draws each page: a page is made again when that changes, and not for a chart which it does not show.

A page's record (`rebuttal.site.all_pages`) holds the modules of `rebuttal.figures` behind it, in the place of all
charts; in these, a comment or a docstring is no change. The code besides charts is held as one hash of its bytes, since
pages quote docstrings of methods.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from rebuttal.base import code, paths
from rebuttal.evidence import papers
from rebuttal.figures import by_name
from rebuttal.site.site_pages import review_notebook

FIGURE = re.compile(r'\.figure\(\s*"(\w+)"')
CHARTS = "rebuttal.figures"
REPORT = "rebuttal.site"
Behind = dict[str, dict[str, str]]
#: Page -> its notebook and the module that its cells call.
PAGES = {
    "calibration": ("calibrate.ipynb", "on_calibration"),
    "comparison": ("compare_methods.ipynb", "comparison"),
    "machines": ("machines.ipynb", "on_machines"),
}
MAKES_ALL = f"{REPORT}.site_pages"
#: It leads to every figure; a page rests on those that it shows.
DRAWS_ALL = (by_name.__name__,)


def behind_pages() -> dict[str, Behind]:
    """Page -> what draws it: its notebook, the modules of its figures and those behind them, other code.

    Raises InputError for a figure that does not exist, or a paper's file that is broken.
    """
    notebooks = paths.root() / "notebooks"
    found = {name: _behind(notebooks / file, entry, []) for name, (file, entry) in PAGES.items()}
    for name in papers.reviewed():
        found[name] = _behind(review_notebook(name), "paper_review", _evidence(name))
    return found


def _behind(notebook: Path, entry: str, figures: list[str]) -> Behind:
    shown = sorted({*figures, *figures_of(notebook)})
    return code_behind(shown, entry) | {
        "notebook": {notebook.name: hashlib.sha256(notebook.read_bytes()).hexdigest()},
        "besides": {"charts": _besides_charts(notebook)},
    }


def _besides_charts(notebook: Path) -> str:
    """A hash of the code that makes a page, its notebook's cells run included, without what is in charts."""
    every = code.closure(MAKES_ALL, *code.notebook_entries(notebook))
    return code.digest(every - _of_charts(every))


def figures_of(notebook: Path) -> list[str]:
    """The figures that a notebook's cells name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return [str(name) for name in FIGURE.findall(source)]


def _evidence(paper: str) -> list[str]:
    """The figures that a paper's evidence points to."""
    about = papers.load(paper)
    return [one.figure for row in (*about.claims, *about.concerns) for one in row.answers if one.figure]


def code_behind(figures: Iterable[str], entry: str) -> Behind:
    """figures: the module of each; modules: those of charts that draw them or that pages call.

    entry: the module of `rebuttal.site` that a page's notebook calls. Raises InputError for an unknown figure.
    """
    drawn = {name: by_name.module_of(name) for name in figures}
    every = code.closure(f"{REPORT}.{entry}", *drawn.values(), without=DRAWS_ALL)
    return {"figures": drawn, "modules": {name: _hash(name) for name in sorted(_of_charts(every))}}


def _of_charts(modules: Iterable[str]) -> set[str]:
    return {name for name in modules if f"{name}.".startswith(f"{CHARTS}.")}


def _hash(module: str) -> str:
    """Of what a module does: its code without comments, layout and docstrings."""
    return code.digest([module], meaning=True)
