"""The published site: complete, linked, accessible, and the same whenever it is made."""

import json
import re
from collections import Counter
from html import unescape
from itertools import pairwise
from typing import get_args

import pytest
import synthetic_comparison
from built_site import DRAWN, PAGES, REVIEWS, read

from rebuttal import figures
from rebuttal.base.errors import InputError
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.figure_list import ON_CALIBRATION, ON_MACHINES
from rebuttal.evidence import judging, papers
from rebuttal.evidence.ledger import evidence_of
from rebuttal.figures import theme
from rebuttal.methods import METHODS
from rebuttal.site import files as report_files
from rebuttal.site import on_machines, page_check, question, site_pages

drawn_pages = pytest.mark.parametrize("page", DRAWN)
every_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def reports(built_project):
    return built_project / "reports" / "quick"


def test_every_concern_and_claim_is_in_the_ledger(built_project, reports):
    found = [papers.load(built_project / "papers" / paper / "paper.yaml") for paper in REVIEWS]
    rows = json.loads(read(reports, "ledger.json"))
    assert [row["id"] for row in rows] == [
        one.id for paper in found for one in (*paper.concerns, *paper.claims)
    ]
    for row in rows:
        assert {
            "paper",
            "kind",
            "word",
            "answer",
            "parts",
            "more",
            "checks",
            "data_file",
            "data_files",
        } <= set(row)
        assert row["word"] in get_args(judging.Word)
        for file in filter(None, row["data_file"].split("; ")):
            assert (reports / "data" / file.removeprefix("results/")).is_file()
        if row["paper"] == "backup-workers":
            assert all(one["n"] >= 5 or one["word"] == "answered" for one in row["parts"])


def test_a_concern_is_two_clicks_from_the_index(reports):
    index = read(reports, "index.html")
    for row in json.loads(read(reports, "ledger.json")):
        page = f"{row['paper']}.html"
        assert f'href="{page}#{row["id"]}"' in index
        text = read(reports, page)
        assert f'id="{row["id"]}"' in text
        for one in evidence_of(row):
            assert one["figure"] is None or f'id="fig-{one["figure"]}"' in text


def test_a_question_names_its_figures_its_files_its_cell_and_the_command_that_remakes_it(
    built_project, reports
):
    for row in json.loads(read(reports, "ledger.json")):
        page = read(reports, f"{row['paper']}.html")
        section = page[page.index('<section class="question', page.index(f'id="{row["id"]}" aria') - 200) :]
        section = section.split("</section>", 1)[0]
        assert f"<code>rebuttal pages {row['paper']}</code>" in section
        for one in evidence_of(row):
            assert one["figure"] is None or f'href="#fig-{one["figure"]}"' in section
        assert all(f"<code>{file}</code>" in section for file in filter(None, row["data_file"].split("; ")))
        lines = (reports / question.data_address(row)).read_text().splitlines()
        assert len(lines) == 1 + sum(1 + len(one["places"]) for one in evidence_of(row))
    text = read(reports, "backup-workers.html")
    cells = re.findall(r'id="cell-(\d+)"', text)
    notebook = json.loads((built_project / "papers/backup-workers/review.ipynb").read_text())
    numbered = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 20
    for cell in cells:
        shown = text.split(f'id="cell-{cell}"', 1)[1].split("</code></pre>", 1)[0]
        assert unescape(shown).endswith("".join(numbered[int(cell) - 1]["source"]))


def test_the_comparison_is_a_click_from_every_page_and_its_methods_another(reports):
    for page in PAGES:
        assert f'href="{"../" * page.count("/")}comparison.html"' in read(reports, page)
    linked = set(re.findall(r'href="methods/(\w+)\.html"', read(reports, "comparison.html"))) - {"index"}
    assert linked == {theme.family(label) for label in synthetic_comparison.LABELS} & set(METHODS)


def test_every_link_leads_somewhere(reports):
    page_check.check_links(reports)


def test_a_broken_link_or_a_missing_figure_fails_the_build(tmp_path):
    (tmp_path / "index.html").write_text('<a href="gone.html">x</a>')
    with pytest.raises(InputError, match="leads nowhere"):
        page_check.check_links(tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text('<a href="../index.html">out of what is published</a>')
    with pytest.raises(InputError, match="leads nowhere"):
        page_check.check_links(tmp_path / "site")
    row = {"id": "bw-1", "parts": [{"figure": "convergence"}], "more": [], "checks": []}
    with pytest.raises(InputError, match="does not show"):
        site_pages.check_figures("backup-workers", '<p id="bw-1">', [row])
    with pytest.raises(InputError, match="shown twice"):
        site_pages.check_figures(
            "backup-workers", '<p id="bw-1"><p id="bw-1"><p id="fig-convergence">', [row]
        )


def test_a_site_without_reviews_is_refused(project):
    with pytest.raises(InputError, match="at least one paper whose page was made"):
        site_pages.write_site()
    assert not (project / "reports").exists()


@every_page
def test_nothing_is_loaded_from_elsewhere(reports, page):
    text = read(reports, page)
    assert re.search(r'http-equiv="Content-Security-Policy" content="default-src', text)
    assert "unsafe" not in text[: text.index("</head>")]
    loaded = re.findall(r'<(?:script|link|img|iframe|source)[^>]*?(?:src|href)="([^"]*)"', text)
    assert loaded
    assert not any(re.match(r"(https?:)?//", address) for address in loaded)
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", text)
    assert all(re.search(r'type="application/(gzip|json)"', attributes) for attributes in inline)
    assert not re.search(r'<style|\sstyle="|\son\w+="', text)


@every_page
def test_headings_tables_and_figures_are_accessible(reports, page):
    text = re.sub(r"<svg.*?</svg>|<script.*?</script>", "", read(reports, page), flags=re.DOTALL)
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", text)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    tables = re.findall(r"<table.*?</table>", text, flags=re.DOTALL)
    assert tables
    assert all("<caption>" in table and 'scope="col"' in table and 'scope="row"' in table for table in tables)
    assert all("aria-labelledby" in figure for figure in re.findall(r"<figure[^>]*>", text))
    assert 'class="skip"' in text
    assert '<html lang="en">' in text
    repeated = [name for name, count in Counter(re.findall(r'\sid="([^"]*)"', text)).items() if count > 1]
    assert repeated == []


@drawn_pages
def test_charts_can_be_read_without_javascript(reports, page):
    text = read(reports, page)
    places = text.count('<div class="chart"')
    assert places > (10 if page == "calibration.html" else 20)
    assert text.count('<div class="static" role="img" aria-label="') == places
    assert text.count("Data table (") == text.count("<figure ")


def test_pages_hold_nothing_of_the_moment_or_the_machine(built_project, reports):
    for page in PAGES:
        text = read(reports, page)
        assert str(built_project) not in text
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-", text)
        assert not re.search(r"\d{2}:\d{2}:\d{2}", text)


def test_making_the_index_again_gives_the_same_bytes(built_project, reports, monkeypatch):
    files = [path for path in sorted(reports.rglob("*")) if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    monkeypatch.chdir(built_project)
    site_pages.write_site()
    assert {path: path.read_bytes() for path in files} == before


@pytest.mark.parametrize(
    ("study", "pages"),
    [
        ("backup-workers", ("index.html", "backup-workers.html")),
        ("layer-wise", ("index.html", "layer-wise.html")),
        ("continuous-propagation", ("index.html", "continuous-propagation.html")),
        ("random-smoothing", ("index.html", "random-smoothing.html")),
        ("comparison", ("comparison.html",)),
    ],
)
def test_pages_name_every_result_file_by_its_hash(built_project, reports, study, pages):
    found = report_files.files(built_project / "results" / "quick" / study)
    assert found
    for one in found:
        for page in pages:
            assert one["sha256"][:16] in read(reports, page)


def test_the_page_of_the_machines_names_every_analysis_by_its_hash(built_project, reports):
    for one in report_files.files(built_project / "results" / "quick" / "analyses", on_machines.HASHED):
        assert one["sha256"][:16] in read(reports, "machines.html")


def test_the_page_of_the_machines_shows_every_analysis_with_its_sentence_and_its_file(reports):
    text = read(reports, "machines.html")
    for name in ON_MACHINES:
        assert text.count(f'id="fig-{name}"') == 1
        for kind in figures.figure(name).reads:
            assert f"<code>results/analyses/{ANALYSES[kind].pattern}</code>" in text
    assert text.count('class="finding">') == len(ON_MACHINES)
    assert 'href="machines.html"' in re.sub(
        r"<header.*?</header>", "", read(reports, "index.html"), flags=re.DOTALL
    )
    with pytest.raises(
        InputError, match="throughput points to fig-throughput, which the notebook does not show"
    ):
        page_check.check_anchors(
            "machines", text.replace("fig-throughput", ""), {"fig-throughput": "throughput"}
        )


def test_the_page_of_the_calibration_shows_every_figure_the_costs_and_its_file(built_project, reports):
    text = read(reports, "calibration.html")
    for name in ON_CALIBRATION:
        assert text.count(f'id="fig-{name}"') == 1
    (file,) = report_files.files(
        built_project / "results" / "quick", ("calibration.nc",), within=built_project / "results" / "quick"
    )
    assert file["file"] == "results/calibration.nc"
    assert f"<code>{file['file']}</code>" in text
    assert file["sha256"][:16] in text
    assert "µs per kB" in text
    for page in ("index.html", "machines.html"):
        body = re.sub(r"<header.*?</header>", "", read(reports, page), flags=re.DOTALL)
        assert 'href="calibration.html"' in body
