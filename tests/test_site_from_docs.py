"""The pages that are made from docs and results alone: of each method, and of how it was measured."""

import json
import re
from html import escape

import pytest
from built_site import DRAWN, read
from doc_pages import DOCS, blocks, page, section

from rebuttal.core import results
from rebuttal.evidence.ledger import evidence_of
from rebuttal.methods import METHODS
from rebuttal.site import html, live


@pytest.fixture(scope="module")
def reports(built_project):
    return built_project / "reports" / "quick"


@pytest.mark.parametrize("name", METHODS)
def test_the_page_of_a_method_has_what_docs_have_and_where_it_appears(reports, name):
    text = read(reports, f"methods/{name}.html")
    source = page(f"methods/{name}")
    (box,) = blocks(section(source, "Pseudo-code"), "text")
    assert f"<code>{escape(box)}</code>" in text
    assert text.count('<img class="picture"') == 1
    assert read(reports, f"methods/{name}.svg") == live.picture(DOCS / "methods" / f"{name}.svg")
    assert text.count('class="live"') == 1
    assert len(text) < 100_000
    chapters = [html.text(found) for found in re.findall(r"<h2[^>]*>(.*?)</h2>", text)]
    assert chapters == [*re.findall(r"^## (.*)$", source, flags=re.MULTILINE), "Measures", "Where it appears"]
    linked = {other for other in DRAWN if f'href="methods/{name}.html"' in read(reports, other)}
    assert {
        other for other in DRAWN if f'href="../{other}"' in text.split("Where it appears</h2>")[1]
    } == linked


def test_a_method_leads_to_the_questions_that_are_answered_with_it(reports):
    text = read(reports, "methods/asynchronous.html")
    for row in json.loads(read(reports, "ledger.json")):
        rules = [one["rule"] for one in evidence_of(row)]
        sides = [rule.get(key) or [] for rule in rules for key in ("of", "against", "methods")]
        named = any("asynchronous" in ([side] if isinstance(side, str) else side) for side in sides)
        assert (f'href="../{row["paper"]}.html#{row["id"]}"' in text) == named


def test_how_it_was_measured_is_read_from_the_results(built_project, reports):
    text = read(reports, "measured.html")
    for study in ("backup-workers", "comparison"):
        tuning = results.load_tuning(built_project / "results" / "quick" / study)
        assert f">{int(tuning.diverged.notnull().sum())}</td>" in text
        curves = results.load_curves(built_project / "results" / "quick" / study)
        assert f">{curves.sizes['method']}</td>" in text
    for row in json.loads(read(reports, "ledger.json")):
        lacks = row["word"] in ("open", "cannot tell") or row["missing"] is not None
        assert (f'href="{row["paper"]}.html#{row["id"]}"' in text) == lacks
    for heading in re.findall(r"^## (.*)$", page("status"), flags=re.MULTILINE):
        words = re.sub("`(.*?)`", r"<code>\1</code>", heading)
        assert f">{words}</h3>" in text
