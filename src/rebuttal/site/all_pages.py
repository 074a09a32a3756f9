"""Every page that a notebook makes: side by side, on all cores, and only those of which an input has changed.

DVC runs one stage after another, and looks at the whole pipeline's lock for each; a page takes less than that. So one
stage makes all of them, and each page has a record of what it was made from and of what was made.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.base.config import parameter_files
from rebuttal.base.errors import refuse
from rebuttal.evidence import papers
from rebuttal.evidence.references.bundle import LEDGER, MANIFEST
from rebuttal.site import page_inputs, site_pages

STUDY = ("summaries", "timelines", "training", "tuning")
MADE_FROM, MADE = "made_from", "made"


@dataclass(frozen=True)
class Page:
    """A page of the site: its name, what makes it, and the files and folders that it is made from."""

    name: str
    make: Callable[..., Path]
    arguments: tuple[str, ...]
    reads: tuple[Path, ...]

    @property
    def leaves(self) -> list[Path]:
        """What making it leaves: the page, the executed notebook and, of a paper, the ledger's rows."""
        rows = [paths.site() / "rows" / f"{self.name}.json"] if self.make is site_pages.write_review else []
        return [paths.site() / f"{self.name}.html", paths.site() / "notebooks" / f"{self.name}.ipynb", *rows]


def every() -> list[Page]:
    """A page for each paper, and those that stand beside the papers. Raises InputError for a broken paper's file."""
    found, results = [_of_paper(name) for name in papers.reviewed()], paths.results()
    if "comparison" in parameter_files.listed(paths.root()):
        found.append(
            Page("comparison", site_pages.write_comparison, ("comparison",), (results / "comparison",))
        )
    return [
        *found,
        Page("machines", site_pages.write_machines, (), (results / "analyses",)),
        Page("calibration", site_pages.write_calibration, (), (results / "calibration.nc",)),
    ]


def write_all(run_all: Callable[..., Any]) -> list[str]:
    """Make every page that is not there as its record says, and the site around them; the names of those made."""
    made = write_pages(run_all)
    _remove_others(every())
    site_pages.write_measured()
    site_pages.write_site()
    return made


def write_pages(run_all: Callable[..., Any], names: Sequence[str] = ()) -> list[str]:
    """Make every page that is not there as its record says; the names of those that were made.

    run_all: what calls a function for each of a list of arguments, at once as far as it can (`studies.pool.run_all`).
    names: pages to look at (default: all).
    Raises InputError if an input is missing or broken, or a page is unknown. Pages that were finished before stay.
    """
    pages, behind = every(), page_inputs.behind_pages()
    for name in names:
        if name not in (known := [one.name for one in pages]):
            raise refuse("page", name, known)
    keys = {one.name: _key(one, behind[one.name]) for one in pages}
    stale = [one for one in pages if one.name in (names or keys) and not _stands(one, keys[one.name])]
    figures = [1.0 + len(behind[one.name]["figures"]) for one in stale]
    run_all(_made, [(one, keys[one.name]) for one in stale], "pages", figures)
    return [one.name for one in stale]


def _remove_others(pages: Sequence[Page]) -> None:
    """Remove what a page has left that is there no more: of a paper that was taken out."""
    here, known = paths.site(), {one.name for one in pages} | {"index", "measured"}
    for pattern in ("*.html", "notebooks/*.ipynb", "rows/*.json", "records/*.json"):
        for path in sorted(here.glob(pattern)):
            if path.stem not in known:
                path.unlink()


def _of_paper(name: str) -> Page:
    study, root = papers.load(name).study, paths.root()
    runs = [paths.results(study) / part for part in STUDY] if study else []
    others = [path for file in (MANIFEST, LEDGER) for path in sorted(root.glob(f"reference/*/{file}"))]
    about = [root / "papers" / name / "paper.yaml", *others]
    return Page(name, site_pages.write_review, (name,), (*about, paths.results("analyses"), *runs))


def _made(one: Page, key: str) -> None:
    """Make a page and note what it was made from."""
    one.make(*one.arguments)
    write_text(_record(one.name), site_pages.dumps({MADE_FROM: key, MADE: _there(one)}))


def _stands(one: Page, key: str) -> bool:
    """Whether a page and all that making it leaves are there, as they were made from inputs of this key."""
    record = _record(one.name)
    return record.is_file() and json.loads(record.read_text(encoding="utf-8")) == {
        MADE_FROM: key,
        MADE: _there(one),
    }


def _there(one: Page) -> dict[str, str]:
    """The page and what making it leaves: file -> hash of its content."""
    root = paths.root()
    return {path.relative_to(root).as_posix(): _digest(path) for path in _files(one.leaves)}


def _record(name: str) -> Path:
    return paths.site() / "records" / f"{name}.json"


def _key(one: Page, behind: page_inputs.Behind) -> str:
    """A hash of the contents of everything that a page is made from."""
    root, total = paths.root(), hashlib.sha256(json.dumps([one.name, behind], sort_keys=True).encode())
    for path in _files(one.reads):
        total.update(f"{path.relative_to(root).as_posix()} {_digest(path)}\n".encode())
    return total.hexdigest()


def _files(places: Iterable[Path]) -> Iterator[Path]:
    """Every file at some places, in a fixed order; a place that is not there has none."""
    for place in places:
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        yield from (path for path in found if path.is_file())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
