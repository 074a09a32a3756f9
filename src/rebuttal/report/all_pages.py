"""Every page that a notebook makes: side by side, on all cores, and only those of which an input has changed.

DVC runs one stage after another, and looks at the whole pipeline's lock for each; a page takes less than that. So one
stage makes all of them, and each page has a record of what it was made from and of what was made.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rebuttal import papers, paths
from rebuttal.report import drawings, page, site

PACKAGE = Path(__file__).parents[1]
#: What every page is made by, besides the charts that it shows.
CODE = ("metrics.py", "netcdf.py", "papers.py", "references", "report", "results.py", "schemas.py", "stats",
        "verdict_rules.py")  # fmt: skip
STUDY = ("summaries", "timelines", "training", "tuning", "stragglers.nc")
ANALYSED = ("results/analyses", "results/profile.json")
MADE_FROM, MADE = "made_from", "made"


@dataclass(frozen=True)
class Page:
    """A page of the site: its name, what makes it, and the files and folders of the project that it is made from.

    leaves: the folder of results in which making it leaves the executed notebook and, of a paper, the ledger's rows.
    """

    name: str
    make: Callable[..., Path]
    arguments: tuple[str, ...]
    reads: tuple[str, ...]
    leaves: str


def every() -> list[Page]:
    """A page for each paper, and those that stand beside the papers. Raises InputError for a broken paper's file."""
    found = [_of_paper(name) for name in drawings.reviewed_papers()]
    return [
        *found,
        Page("comparison", site.write_comparison, ("comparison",), ("results/comparison",), "compare"),
        Page("machines", site.write_machines, (), ANALYSED, "machines"),
        Page("calibration", site.write_calibration, (), ("results/calibration.nc",), "calibration"),
    ]


def write_pages(run_all: Callable[..., Any]) -> list[str]:
    """Make every page that is not there as its record says; the names of those that were made.

    run_all: what calls a function for each of a list of arguments, at once as far as it can (`studies.pool.run_all`).
    Raises InputError if an input is missing or broken. Pages that were finished before that stay.
    """
    pages, behind = every(), drawings.behind_pages()
    keys = {one.name: _key(one, behind[one.name]) for one in pages}
    stale = [one for one in pages if not _stands(one, keys[one.name])]
    figures = [1.0 + len(behind[one.name]["figures"]) for one in stale]
    run_all(_made, [(one, keys[one.name]) for one in stale], "pages", figures)
    return [one.name for one in stale]


def _of_paper(name: str) -> Page:
    study = papers.load(name).study
    runs = tuple(f"results/{study}/{part}" for part in STUDY) if study else ()
    reads = (f"papers/{name}/paper.yaml", "reference", *ANALYSED, *runs)
    return Page(name, site.write_review, (name,), reads, f"review/{name}")


def _made(one: Page, key: str) -> None:
    """Make a page and note what it was made from."""
    one.make(*one.arguments)
    page.write(_record(one.name), site.dumps({MADE_FROM: key, MADE: _there(one)}))


def _stands(one: Page, key: str) -> bool:
    """Whether a page and all that making it leaves are there, as they were made from inputs of this key."""
    record = _record(one.name)
    return record.is_file() and json.loads(record.read_text(encoding="utf-8")) == {
        MADE_FROM: key,
        MADE: _there(one),
    }


def _there(one: Page) -> dict[str, str]:
    """The page and what making it leaves: file -> hash of its content."""
    places = [site.site() / f"{one.name}.html", paths.results() / one.leaves]
    return {path.relative_to(paths.root()).as_posix(): _digest(path) for path in _files(places)}


def _record(name: str) -> Path:
    return paths.results() / "pages" / f"{name}.json"


def _key(one: Page, behind: drawings.Behind) -> str:
    """A hash of the contents of everything that a page is made from."""
    root, total = paths.root(), hashlib.sha256(json.dumps([one.name, behind], sort_keys=True).encode())
    given = [(path, path.relative_to(root)) for place in one.reads for path in _files([root / place])]
    code = [(path, path.relative_to(PACKAGE)) for path in _files(PACKAGE / place for place in CODE)]
    for path, name in [*given, *code]:
        total.update(f"{name.as_posix()} {_digest(path)}\n".encode())
    return total.hexdigest()


def _files(places: Iterable[Path]) -> Iterator[Path]:
    """Every file at some places, in a fixed order; a place that is not there has none."""
    for place in places:
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        yield from (path for path in found if path.is_file() and "__pycache__" not in path.parts)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
