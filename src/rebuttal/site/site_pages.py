"""What makes each page of a profile's site: a paper's review, the comparison, the machines, the index and the ledger.

A site is the folder reports/PROFILE. Beside the pages it holds the executed notebooks (notebooks), the rows of the
papers' ledgers (rows), and what DVC shows: a metric for each question (metrics) and training curves (curves).
"""

import json
import posixpath
import re
import shutil
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.core.figure_list import ON_CALIBRATION, ON_MACHINES
from rebuttal.evidence import papers
from rebuttal.evidence.ledger import evidence_of
from rebuttal.site import for_dvc, measured, notebook_page, other_profiles, page
from rebuttal.site.files import behind, reviewed
from rebuttal.site.method_pages import write_methods
from rebuttal.site.paper_review import analyses_of
from rebuttal.site.words import rule
from rebuttal.studies.runs.notebook_execution import execute

LEDGER_KEYS = ("id", "paper", "kind", "word", "answer", "holm", "data_file", "text", "source", "concerns", "missing",
               "parts", "more", "checks", "profile", "beside")  # fmt: skip
#: The result files that pages name.
DATA = ("*/training/*/*", "*/tuning/*.nc", "*/summaries/*.nc", "analyses/*", "*.nc")
ADDRESS = re.compile(r'(?:href|src)="([^"]*)"')
ANCHOR = re.compile(r'\sid="([^"]*)"')


def write_review(paper: str, study: str | None = None) -> Path:
    """Execute the paper's review notebook; write its page, and rows/PAPER.json with its ledger and what it rests on.

    A paper without a notebook of its own, papers/PAPER/review.ipynb, has notebooks/review_paper.ipynb, which lists
    its questions. Raises InputError if an input is missing or broken, or if a concern's figure is not on the page.
    """
    place = study or papers.load(paper).study
    notebook = review_notebook(paper)
    executed = execute(notebook, _kept(paper), {"paper": paper, "study": str(place or "")})
    text = notebook_page.render(executed, _named(notebook), f"{paper}.html")
    rows = notebook_page.ledger_rows(executed)
    check_figures(paper, text, rows)
    rests_on = behind(paths.study(place), analyses_of(rows)) if place else []
    rests = other_profiles.rests_on(paths.study(place), rows[0]["profile"]) if place and rows else ""
    about = {"paper": paper, "rests": rests, "rows": rows, "files": rests_on}
    page.write(site() / "rows" / f"{paper}.json", dumps(about))
    return page.write(site() / f"{paper}.html", text)


def review_notebook(paper: str) -> Path:
    """The notebook of a paper's page: its own, or the one that serves every paper."""
    own = paths.papers() / paper / "review.ipynb"
    return own if own.is_file() else paths.root() / "notebooks" / "review_paper.ipynb"


def _kept(name: str) -> Path:
    """Where the executed notebook of a page is kept."""
    return site() / "notebooks" / f"{name}.ipynb"


def _named(notebook: Path) -> str:
    """A notebook's path from the project's root, for readers."""
    return notebook.relative_to(paths.root()).as_posix()


def write_comparison(study: str) -> Path:
    """Execute the comparison's notebook on a study; write comparison.html.

    Raises InputError if an input is missing or broken.
    """
    notebook = paths.root() / "notebooks" / "compare_methods.ipynb"
    executed = execute(notebook, _kept("comparison"), {"study": study})
    text = notebook_page.render(executed, _named(notebook), "comparison.html")
    return page.write(site() / "comparison.html", text)


def write_machines() -> Path:
    """Execute notebooks/machines.ipynb; write machines.html.

    Raises InputError if an input is missing or broken, or if a figure of the analyses is not on the page.
    """
    notebook = paths.root() / "notebooks" / "machines.ipynb"
    executed = execute(notebook, _kept("machines"), {})
    text = notebook_page.render(
        executed, _named(notebook), "machines.html", "models, machines and forms of synchronisation"
    )
    check_anchors("machines", text, {f"fig-{name}": name for name in ON_MACHINES})
    return page.write(site() / "machines.html", text)


def write_measured() -> Path:
    """Write measured.html: how everything was measured, and what was not.

    Raises InputError if no review was written, or if a result file is missing or broken.
    """
    about = "devices, clocks, seeds, budgets and gaps"
    return page.write(site() / "measured.html", page.titled(measured.body(), "measured.html", about))


def write_calibration() -> Path:
    """Execute notebooks/calibrate.ipynb; write calibration.html.

    Raises InputError if an input is missing or broken, or if a figure of the calibration is not on the page.
    """
    notebook = paths.root() / "notebooks" / "calibrate.ipynb"
    executed = execute(notebook, _kept("calibration"), {})
    text = notebook_page.render(
        executed, _named(notebook), "calibration.html", "the virtual clock against real processes"
    )
    check_anchors("calibration", text, {f"fig-{name}": name for name in ON_CALIBRATION})
    return page.write(site() / "calibration.html", text)


def write_site() -> Path:
    """Write index.html, ledger.json, metrics, curves, assets and the pages of the methods.

    They are made from what the reviews left behind, from docs/methods and from the pages that are there.

    Raises InputError if there is no review, or if a link of any page leads nowhere (all lead to machines.html, and to
    calibration.html).
    """
    rows = [row for review in reviewed() for row in review["rows"]]
    page.write(site() / "ledger.json", dumps([ledger_row(row) for row in rows]))
    for_dvc.write_metrics(rows, site() / "metrics")
    for_dvc.write_curves(site() / "curves")
    page.write_assets(site())
    _copy_data(site() / "data")
    notebook = paths.root() / "notebooks" / "index.ipynb"
    executed = execute(notebook, _kept("index"), {})
    written = page.write(
        site() / "index.html", notebook_page.render(executed, _named(notebook), "index.html")
    )
    write_methods(site())
    check_links(site())
    return written


def site() -> Path:
    """The folder of the profile's pages."""
    return paths.site()


def _copy_data(target: Path) -> None:
    """Put a copy of every result file that pages name into the site, so that it stands alone."""
    shutil.rmtree(target, ignore_errors=True)
    for path in sorted({path for pattern in DATA for path in paths.results().glob(pattern)}):
        place = target / path.relative_to(paths.results())
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def ledger_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of ledger.json: the words and the answer, and what they rest on, each rule in words too."""
    said = {
        key: [one | {"rule_in_words": rule(one["rule"])} for one in row[key]]
        for key in ("parts", "more", "checks")
    }
    flat = row | said | {"data_file": "; ".join(row["data_files"])}
    return {key: flat[key] for key in LEDGER_KEYS}


def dumps(content: Any) -> str:
    """JSON with a fixed layout."""
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def check_figures(paper: str, text: str, rows: list[dict[str, Any]]) -> None:
    """Refuse a page that lacks a figure or an anchor which its verdicts point to, or that shows one twice."""
    wanted = {f"fig-{one['figure']}": row["id"] for row in rows for one in evidence_of(row) if one["figure"]}
    check_anchors(f"review of {paper}", text, wanted | {row["id"]: row["id"] for row in rows})


def check_anchors(what: str, text: str, wanted: dict[str, str]) -> None:
    """Refuse a page without one of the `wanted` anchors (each with what points to it), or with one twice."""
    there = ANCHOR.findall(text)
    for name, of in wanted.items():
        if name not in there:
            raise InputError(f"{what}: {of} points to {name}, which the notebook does not show")
    repeated = sorted({name for name in there if there.count(name) > 1})
    if repeated:
        raise InputError(f"{what}: {repeated[0]} is shown twice; allowed: each figure and concern once")


def check_links(folder: Path) -> None:
    """Refuse a site with a link that leads nowhere, or that would ask another host for anything but a followed link."""
    anchors = {
        path.relative_to(folder).as_posix(): set(ANCHOR.findall(path.read_text(encoding="utf-8")))
        for path in folder.rglob("*.html")
    }
    for name in anchors:
        for address in ADDRESS.findall((folder / name).read_text(encoding="utf-8")):
            _check_link(folder, anchors, name, address)


def _check_link(folder: Path, anchors: dict[str, set[str]], name: str, address: str) -> None:
    """Refuse a link to nothing, and one out of the folder: what is published is the folder alone."""
    if address.startswith(("https://", "data:")):
        return
    place, _, anchor = address.partition("#")
    file = place.partition("?")[0]
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
    there = (folder / target).is_file() and not target.startswith("..")
    if not there or (anchor and anchor not in anchors.get(target, {anchor})):
        raise InputError(f"{folder / name}: the link {address!r} leads nowhere")
