"""What makes each page of a profile's site: a paper's review, the comparison, the machines, the index and the ledger.

A site is the folder reports/PROFILE. Beside the pages it holds the executed notebooks (notebooks), the rows of the
papers' ledgers (rows), and what DVC shows: a metric for each question (metrics) and training curves (curves).
"""

import json
import shutil
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.atomic_write import write_text
from rebuttal.core.figure_list import ON_CALIBRATION, ON_MACHINES
from rebuttal.evidence import papers
from rebuttal.evidence.ledger import evidence_of
from rebuttal.evidence.rules import rule_of
from rebuttal.site import for_dvc, measured, notebook_page, other_profiles, page, question
from rebuttal.site.files import behind, reviewed
from rebuttal.site.method_pages import write_methods
from rebuttal.site.page_check import check_anchors, check_links
from rebuttal.site.paper_review import analyses_of
from rebuttal.studies.runs.notebook_execution import execute

LEDE = '<p class="lede">What every number of this site rests on, read from result files and papers\' own files.</p>'
#: The result files that pages name.
DATA = ("*/training/*/*", "*/notebooks/*.ipynb", "*/tuning/*.nc", "*/summaries/*.nc", "analyses/*", "*.nc")


def write_review(paper: str) -> Path:
    """Execute the paper's review notebook; write its page, and rows/PAPER.json with its ledger and what it rests on.

    A paper without a notebook of its own, papers/PAPER/review.ipynb, has notebooks/review_paper.ipynb, which lists
    its questions. Raises InputError if an input is missing or broken, or if a concern's figure is not on the page.
    """
    place = papers.load(paper).study
    notebook = review_notebook(paper)
    executed = execute(notebook, _kept(paper), {"paper": paper, "study": str(place or "")})
    text = notebook_page.render(executed, _named(notebook), f"{paper}.html")
    rows = notebook_page.ledger_rows(executed)
    check_figures(paper, text, rows)
    rests_on = behind(paths.study(place), analyses_of(rows)) if place else []
    rests = other_profiles.rests_on(paths.study(place), rows[0]["profile"]) if place and rows else ""
    about = {"paper": paper, "rests": rests, "rows": rows, "files": rests_on}
    write_text(site() / "rows" / f"{paper}.json", dumps(about))
    for row in rows:
        write_text(site() / question.data_address(row), question.csv_of(row))
    return write_text(site() / f"{paper}.html", text)


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
    return write_text(site() / "comparison.html", text)


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
    return write_text(site() / "machines.html", text)


def write_measured() -> Path:
    """Write measured.html: how everything was measured, and what was not.

    Raises InputError if no review was written, or if a result file is missing or broken.
    """
    about = "devices, clocks, seeds, budgets and gaps"
    return write_text(
        site() / "measured.html", page.titled(measured.TITLE, measured.parts(), "measured.html", about, LEDE)
    )


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
    return write_text(site() / "calibration.html", text)


def write_site() -> Path:
    """Write index.html, ledger.json, metrics, curves, assets and the pages of the methods.

    They are made from what the reviews left behind, from docs/methods and from the pages that are there.

    Raises InputError if there is no review, or if a link of any page leads nowhere (all lead to machines.html, and to
    calibration.html).
    """
    rows = [row for review in reviewed() for row in review["rows"]]
    write_text(site() / "ledger.json", dumps([ledger_row(row) for row in rows]))
    for_dvc.write_metrics(rows, site() / "metrics")
    for_dvc.write_curves(site() / "curves")
    page.write_assets(site())
    _copy_data(site() / "data")
    notebook = paths.root() / "notebooks" / "index.ipynb"
    executed = execute(notebook, _kept("index"), {})
    written = write_text(
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
    """A row of ledger.json: the question with its parts, each with its rule in words."""
    parts = [part | {"rule_in_words": rule_of(part["rule"]).in_words()} for part in row["parts"]]
    return row | {"parts": parts, "data_file": "; ".join(row["data_files"])}


def dumps(content: Any) -> str:
    """JSON with a fixed layout."""
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def check_figures(paper: str, text: str, rows: list[dict[str, Any]]) -> None:
    """Refuse a page that lacks a figure or an anchor which its verdicts point to, or that shows one twice."""
    wanted = {f"fig-{one['figure']}": row["id"] for row in rows for one in evidence_of(row) if one["figure"]}
    check_anchors(f"review of {paper}", text, wanted | {row["id"]: row["id"] for row in rows})
