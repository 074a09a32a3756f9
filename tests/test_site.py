"""The published site: complete, linked, accessible, and the same in a browser without a network."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import synthetic_comparison
import synthetic_project

from rebuttal import papers
from rebuttal.charts import theme
from rebuttal.charts.groups import GROUPS
from rebuttal.errors import InputError
from rebuttal.methods import METHODS
from rebuttal.report import captions, on_machines, site
from rebuttal.report import files as report_files
from rebuttal.schemas import ANALYSES

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH (chromium, chromium-browser, google-chrome)"
)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--allow-file-access-from-files",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000"]  # fmt: skip
PAPERS = ("backup-workers", "continuous-propagation")
PAGES = ("index.html", *(f"{paper}.html" for paper in PAPERS), "comparison.html", "machines.html")
drawn_pages = pytest.mark.parametrize("page", PAGES[1:])
every_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory):
    """A project whose site was made from synthetic results."""
    folder = tmp_path_factory.mktemp("site")
    synthetic_project.write(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for paper in PAPERS:
            site.write_review(paper)
        site.write_comparison("comparison")
        site.write_machines()
        site.write_site()
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(scope="module")
def reports(project_folder):
    return project_folder / "reports"


def read(reports, page):
    return (reports / page).read_text(encoding="utf-8")


def test_every_concern_and_claim_is_in_the_ledger(project_folder, reports):
    loaded = [papers.load(project_folder / "papers" / paper / "paper.yaml") for paper in PAPERS]
    rows = json.loads(read(reports, "ledger.json"))
    asked = [one.id for paper in loaded for one in (*paper.concerns, *paper.claims)]
    assert [row["id"] for row in rows] == asked
    for row in rows:
        assert {"paper", "kind", "status", "effect", "interval", "n", "rule", "figure", "data_file"} <= set(
            row
        )
        assert row["status"] in ("supported", "contradicted", "mixed", "undecided")
        assert row["n"] >= (5 if row["paper"] == "backup-workers" else 1)
        for file in row["data_file"].split("; "):
            assert (project_folder / file).is_file()


def test_a_concern_is_two_clicks_from_the_index(reports):
    index = read(reports, "index.html")
    for row in json.loads(read(reports, "ledger.json")):
        page = f"{row['paper']}.html"
        assert f'href="{page}#{row["id"]}"' in index
        assert f'href="{page}#fig-{row["figure"]}"' in index
        assert f'id="{row["id"]}"' in read(reports, page)


def test_the_comparison_is_a_click_from_every_page_and_its_methods_another(reports):
    for page in PAGES:
        assert 'href="comparison.html"' in read(reports, page)
    linked = set(re.findall(r'href="\.\./docs/methods/(\w+)\.md"', read(reports, "comparison.html")))
    assert linked == {theme.family(label) for label in synthetic_comparison.LABELS} & set(METHODS)


def test_every_link_leads_somewhere(reports):
    site.check_links(reports)


def test_a_broken_link_or_a_missing_figure_fails_the_build(tmp_path):
    (tmp_path / "index.html").write_text('<a href="gone.html">x</a>')
    with pytest.raises(InputError, match="leads nowhere"):
        site.check_links(tmp_path)
    row = {"id": "bw-1", "evidence": [{"figure": "convergence"}]}
    with pytest.raises(InputError, match="does not show"):
        site.check_figures("backup-workers", '<p id="bw-1">', [row])
    with pytest.raises(InputError, match="shown twice"):
        site.check_figures("backup-workers", '<p id="bw-1"><p id="bw-1"><p id="fig-convergence">', [row])


def test_a_site_without_reviews_is_refused(project):
    with pytest.raises(InputError, match="at least one paper whose review was written"):
        site.write_site()
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
    assert all('type="application/json"' in attributes for attributes in inline)
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
    places = text.count('<div class="chart">')
    assert places > 20
    assert text.count('<div class="static" role="img" aria-label="') == places
    assert text.count("Data table (") == text.count("<figure ")


def test_pages_hold_nothing_of_the_moment_or_the_machine(project_folder, reports):
    for page in PAGES:
        text = read(reports, page)
        assert str(project_folder) not in text
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-", text)
        assert not re.search(r"\d{2}:\d{2}:\d{2}", text)


def test_making_the_index_again_gives_the_same_bytes(project_folder, reports, monkeypatch):
    files = [path for path in sorted(reports.rglob("*")) if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    monkeypatch.chdir(project_folder)
    site.write_site()
    assert {path: path.read_bytes() for path in files} == before


@pytest.mark.parametrize(
    ("study", "pages"),
    [
        ("backup_workers", ("index.html", "backup-workers.html")),
        ("continuous_propagation", ("index.html", "continuous-propagation.html")),
        ("comparison", ("comparison.html",)),
    ],
)
def test_pages_name_every_result_file_by_its_hash(project_folder, reports, study, pages):
    found = report_files.files(project_folder / "results" / study)
    assert found
    for one in found:
        for page in pages:
            assert one["sha256"][:16] in read(reports, page)


def test_the_page_of_the_machines_names_every_analysis_by_its_hash(project_folder, reports):
    for one in report_files.files(project_folder / "results" / "analyses", on_machines.HASHED):
        assert one["sha256"][:16] in read(reports, "machines.html")


def test_the_page_of_the_machines_shows_every_analysis_with_its_sentence_and_its_file(reports):
    text = read(reports, "machines.html")
    for name in captions.ON_MACHINES:
        assert text.count(f'id="fig-{name}"') == 1
        for kind in captions.ABOUT[name].variables:
            assert f"<code>results/analyses/{ANALYSES[kind].pattern}</code>" in text
    assert text.count('<p class="finding">') == len(captions.ON_MACHINES)
    assert 'href="machines.html"' in re.sub(
        r"<header.*?</header>", "", read(reports, "index.html"), flags=re.DOTALL
    )
    with pytest.raises(
        InputError, match="throughput points to fig-throughput, which the notebook does not show"
    ):
        site.check_anchors("machines", text.replace("fig-throughput", ""), {"fig-throughput": "throughput"})


def browse(tmp_path, address, *more):
    """Chromium without a network and with a fresh profile: its standard output."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *more, address]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@needs_browser
@drawn_pages
def test_every_chart_is_drawn_under_the_policy(tmp_path, reports, page):
    dom = browse(tmp_path, (reports / page).as_uri(), "--dump-dom")
    places = read(reports, page).count('<div class="chart">')
    assert dom.count('data-drawn="yes"') == places
    assert 'data-drawn="no"' not in dom
    assert len(re.findall(r'class="drawn[^"]*"[^>]*>.*?<svg', dom, flags=re.DOTALL)) >= 1


CHOOSE = """<!doctype html><body><iframe id="page" src="{address}" width="1280" height="900"></iframe><script>
setTimeout(function () {{
  var page = document.getElementById("page").contentDocument;
  var lists = page.querySelectorAll("#fig-method_curves select");
  var lit = function () {{
    return Array.from(page.querySelectorAll("#fig-method_curves .drawn")).map(function (drawn) {{
      return drawn.querySelectorAll("path[stroke-width='2.4']").length;
    }}).join(",");
  }};
  var before = lit();
  lists[0].value = "{choice}";
  lists[0].dispatchEvent(new Event("change"));
  setTimeout(function () {{ document.title = lists.length + " list: " + before + " then " + lit(); }}, 2000);
}}, 8000);
</script></body>"""


@needs_browser
def test_one_list_brings_out_a_method_in_all_panels(tmp_path, reports):
    wrapper = tmp_path / "choose.html"
    address = (reports / "comparison.html").as_uri()
    wrapper.write_text(CHOOSE.format(address=address, choice="hogwild"))
    dom = browse(tmp_path, wrapper.as_uri(), "--dump-dom", "--window-size=1400,1000")
    groups = len(GROUPS) + 1  # and the one of methods that stand in none
    assert f"<title>1 list: {groups},{groups},{groups} then 1,1,1</title>" in dom


MEASURE = """<!doctype html><body><iframe id="page" src="{address}" width="{width}" height="900"></iframe><script>
setTimeout(function () {{
  var root = document.getElementById("page").contentDocument.documentElement;
  var wide = Array.from(root.querySelectorAll("main *")).filter(function (e) {{
    return !e.closest(".scroll, pre, svg") && e.getBoundingClientRect().right > {width} + 1;
  }});
  document.title = "wide=" + root.scrollWidth + " beyond=" + wide.length;
}}, 8000);
</script></body>"""


@needs_browser
@every_page
@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_scrolls_sideways(tmp_path, reports, page, width):
    wrapper = tmp_path / "measure.html"
    wrapper.write_text(MEASURE.format(address=(reports / page).as_uri(), width=width))
    dom = browse(tmp_path, wrapper.as_uri(), "--dump-dom", "--window-size=1400,1000")
    found = re.search(r"<title>wide=(\d+) beyond=(\d+)</title>", dom)
    assert found, "the page was not measured"
    assert int(found[1]) <= width
    assert int(found[2]) == 0


@needs_browser
@pytest.mark.parametrize("width", [360, 1280])
def test_pages_can_be_photographed(tmp_path, reports, width):
    picture = tmp_path / "page.png"
    browse(
        tmp_path, (reports / "index.html").as_uri(), f"--screenshot={picture}", f"--window-size={width},2000"
    )
    assert picture.stat().st_size > 20_000
