"""What references of other profiles say beside a verdict: on a page, in the ledger, and what is refused."""

import json
import shutil

import pytest
import synthetic_analyses
import synthetic_results

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.evidence import papers
from rebuttal.evidence.references import bundle, reference
from rebuttal.site import other_profiles
from rebuttal.site.paper_review import review
from rebuttal.site.site_pages import ledger_row

PAPER, STUDY = "backup-workers", "backup-workers"
DEVICE = {"name": "a processor"}


def row(name, **others):
    return {"paper": PAPER, "id": name, "word": "supported", "answer": "Yes: 1.8 times."} | others  # fmt: skip


def write_reference(project, rows, name="standard", profile="standard"):
    machine = {STUDY: {"device": DEVICE, "date": "2026-01-31"}}
    content = {"name": name, "profile": profile, "machine": machine, "files": []}
    bundle.write_json(project / "reference" / name / bundle.MANIFEST, content)
    bundle.write_json(project / "reference" / name / bundle.LEDGER, rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    shutil.copytree(paths.root() / "papers", folder / "papers")
    synthetic_results.write(folder / "results" / "quick")
    synthetic_analyses.write(folder / "results" / "quick" / "analyses")
    return folder


@pytest.fixture
def project(made, monkeypatch):
    """The project, which is the current folder during the test, with one reference."""
    monkeypatch.chdir(made)
    write_reference(made, [row("bw-1"), row("bw-2", answer="No.")])
    yield made
    shutil.rmtree(made / "reference")


def about(project):
    return [papers.load(project / "papers" / PAPER / "paper.yaml")]


def test_another_profile_is_shown_with_its_answer(project):
    others = other_profiles.others("quick", about(project))
    rows = other_profiles.with_others(
        [row("bw-1", answer="Cannot tell."), row("bw-2"), row("bw-3")], "quick", others
    )
    assert [other_profiles.line(one) for one in rows] == [
        "standard: Yes: 1.8 times.",
        "standard: No.",
        "",
    ]
    paragraph = other_profiles.said(["profile quick"], others)
    assert "rests on: profile quick. " in paragraph
    assert (
        "reference/standard says: profile standard, layer costs of a processor, trained on 2026-01-31."
        in paragraph
    )


def test_a_reference_of_the_own_profile_stands_beside_nothing(project):
    assert other_profiles.others("standard", about(project)) == ()


def test_a_question_that_a_paper_does_not_have_is_refused_in_one_line(project):
    write_reference(project, [row("bw-1"), row("bw-77")])
    with pytest.raises(InputError) as caught:
        other_profiles.others("quick", about(project))
    line = str(caught.value)
    assert "ledger.json: id of backup-workers: got 'bw-77'; allowed: bw-c1" in line
    assert "did you mean 'bw-" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("content", "said"),
    [([{"paper": PAPER}], "id: got nothing"), ({}, "got a dict"), ("no list", "got a str")],
)
def test_a_ledger_that_is_none_is_refused_in_one_line(project, content, said):
    bundle.write_json(project / "reference" / "standard" / bundle.LEDGER, content)
    with pytest.raises(InputError, match=said) as caught:
        other_profiles.others("quick", about(project))
    assert "\n" not in str(caught.value)


def test_the_page_and_the_ledger_say_what_another_profile_found(project):
    opened = review(project / "papers" / PAPER / "paper.yaml", project / "results" / "quick" / STUDY)
    assert opened.concern("bw-1").text.count("standard: Yes: 1.8 times.") == 1
    assert "standard:" not in opened.concern("bw-3").text
    assert "layer costs of a processor, trained on 2026-01-31" in opened.summary().text
    published = {one["id"]: ledger_row(dict(one)) for one in opened.rows}
    assert published["bw-1"]["beside"]["standard"]["word"] == "supported"
    assert published["bw-3"]["beside"] == {}
    json.dumps(published)


def test_what_was_written_is_read_back(project):
    write_reference(project, [row("bw-1")], "small", "quick")
    found = reference.read(project / "reference" / "small")
    assert (found.profile, found.machine[STUDY]["date"]) == ("quick", "2026-01-31")
    (other,) = other_profiles.others("standard", about(project))
    assert other.rows[PAPER, "bw-1"] == row("bw-1")
