"""A rerun held against a reference: what agrees, what a certificate holds, and what its check finds."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import certificate_tampering
import device_costs
import doc_pages
import hostile_bundles
import pytest
import synthetic_results
import yaml

from rebuttal import cli
from rebuttal.base.errors import InputError, RunError
from rebuttal.cli import main
from rebuttal.core import results
from rebuttal.evidence.references import reference
from rebuttal.site.certificates import agreement, certificate, certificate_check

MOST_S, MOST_KIB = 10, 2**20
KEPT = ("mini_batch", "synchronous", "asynchronous")
ACCURACY = {"kind": "compare", "what": "final_test_metric", "of": ["synchronous"], "against": ["asynchronous"],
            "better": "higher", "margin": 0.0}  # fmt: skip
TIME = ACCURACY | {"what": "seconds_to_target", "better": "lower", "margin": 1.0, "target": 4.0}
PAPER = {
    "id": "backup-workers", "title": "A made-up paper", "authors": ["Nobody"], "year": 2020,
    "venue": "none", "links": ["https://example.org/paper"], "sources": ["made up"],
    "claims": [{"id": "mu-c1", "text": "It is more accurate.", "source": "made up", "concerns": ["mu-1"],
                "answers": [{"figure": "convergence", "explain": "Accuracy.", "rule": ACCURACY}]}],
    "concerns": [{"id": "mu-1", "kind": "claim", "text": "Is it faster?",
                  "answers": [{"figure": "time_to_target", "explain": "Seconds.", "rule": TIME}]},
                 {"id": "mu-2", "kind": "related work", "text": "What else is there?", "missing": "Nobody looked."}],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with results of three methods and a reference of the same results."""
    folder = tmp_path_factory.mktemp("certified")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "params.yaml").write_text("profile: made_up\npapers: [backup-workers]\n")
    paper = folder / "papers" / "backup-workers"
    paper.mkdir(parents=True)
    (paper / "paper.yaml").write_text(yaml.safe_dump(PAPER))
    (paper / "study.yaml").write_text("methods: {}\n")
    device_costs.write(folder, ["digits_mlp"])
    (folder / "src").mkdir()
    (folder / "src" / "code.py").write_text("'''Code.'''\n")
    study = synthetic_results.write(folder / "results" / "made_up")
    for path in [*study.glob("*/*.nc"), *study.glob("training/*")]:
        if path.stem not in KEPT:
            path.unlink() if path.is_file() else shutil.rmtree(path)
    for name in KEPT:
        path = study / "training" / name / "curves.nc"
        results.save(results.netcdf.load(path).assign_attrs(profile="made_up"), path)
    before = Path.cwd()
    os.chdir(folder)
    try:
        reference.write("here")
        certificate.certify()
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy of it, which is the current folder during the test."""
    folder = shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def shift_accuracy(project, amount, method="asynchronous"):
    """Change the results of the rerun."""
    path = project / "results" / "made_up" / "backup-workers" / "training" / method / "curves.nc"
    data = results.netcdf.load(path)
    results.save(data.assign(test_metric=(data.test_metric + amount).clip(0, 1)), path)


def test_equal_results_are_reproduced(project, capsys):
    assert main(["certify"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("reproduced: of 3 questions 3 reproduced")
    content = json.loads((project / "certificate" / "certificate.json").read_text())
    assert [one["outcome"] for one in content["questions"]] == ["reproduced"] * 3
    assert content["reference"]["files_sha256"] == content["rerun"]["files_sha256"]
    assert content["rerun"]["machine"]["backup-workers"]["device"]["name"] == "synthetic device"


def test_another_verdict_is_not_reproduced(project, capsys):
    shift_accuracy(project, 0.1)
    assert main(["certify"]) == 1
    assert "not reproduced" in capsys.readouterr().err
    content = json.loads((project / "certificate" / "certificate.json").read_text())
    outcomes = {one["id"]: one for one in content["questions"]}
    assert outcomes["mu-c1"]["outcome"] == "other verdict"
    assert outcomes["mu-c1"]["why"][0] == "supported, now contradicted"
    assert outcomes["mu-2"]["outcome"] == "reproduced"
    assert main(["certify", "--check", "certificate"]) == 0


def test_an_equal_verdict_of_another_size_is_said(project):
    shift_accuracy(project, -0.01)
    content = certificate.certify()
    assert content["outcome"] == "verdicts reproduced"
    assert {one["id"]: one["outcome"] for one in content["questions"]}["mu-c1"] == "other size"


def test_a_certificate_and_a_reference_can_be_checked_where_they_are(made, tmp_path, capsys):
    for name in ("certificate", "reference/here"):
        alone = shutil.copytree(made / name, tmp_path / name)
        assert main(["certify", "--check", str(alone)]) == 0
        assert "3 verdicts come out as stated" in capsys.readouterr().out


def test_a_check_takes_seconds_and_no_torch(made):
    code = f"""
import sys, time
from rebuttal.cli import main
assert main(["certify", "--check", {str(made / "certificate")!r}]) == 0
assert not {{"torch", "altair", "papermill"}} & set(sys.modules)
print(time.process_time())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=made)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1]) < 10


def rehash(folder, name, listing="certificate.json"):
    """Let the list of files have the hash that a changed file now has."""
    content = json.loads((folder / listing).read_text())
    for file in content["files"]:
        if file["path"] == name:
            file["bytes"] = (folder / name).stat().st_size
            file["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / listing).write_text(json.dumps(content))


def test_a_changed_or_missing_file_is_found(project):
    folder = project / "certificate"
    (folder / "params.yaml").write_text("profile: another\n")
    with pytest.raises(RunError, match=r"params\.yaml \(changed\)"):
        certificate_check.check(folder)
    (folder / "params.yaml").unlink()
    with pytest.raises(RunError, match=r"params\.yaml \(missing\)"):
        certificate_check.check(folder / "certificate.json")


def test_a_verdict_that_does_not_follow_from_the_results_is_found(project):
    folder = project / "certificate"
    rows = json.loads((folder / "ledger.json").read_text())
    rows[0]["word"] = "supported" if rows[0]["word"] != "supported" else "contradicted"
    (folder / "ledger.json").write_text(json.dumps(rows))
    rehash(folder, "ledger.json")
    with pytest.raises(RunError, match=rf"{rows[0]['id']} comes out otherwise; 1 of 3 verdicts"):
        certificate_check.check(folder)


def test_an_outcome_that_does_not_follow_is_found(project):
    shift_accuracy(project, 0.1)
    certificate.certify()
    path = project / "certificate" / "certificate.json"
    content = json.loads(path.read_text())
    for one in content["questions"]:
        one["outcome"] = "reproduced"
    path.write_text(json.dumps(content | {"outcome": "reproduced"}))
    with pytest.raises(RunError, match="does not follow"):
        certificate_check.check(path)


def test_tolerances_widened_afterwards_are_refused(project):
    path = project / "certificate" / "certificate.json"
    content = json.loads(path.read_text())
    content["tolerances"]["ratio_factor"] = 10.0
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="tolerances"):
        certificate_check.check(path)


def another_profile(project):
    path = project / "reference" / "here" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"profile": "full"}))


def twice(project):
    shutil.copytree(project / "reference" / "here", project / "reference" / "again")


def changed_reference(project):
    (project / "reference" / "here" / "params.yaml").write_text("profile: x\n")


def no_results(project):
    shutil.rmtree(project / "results" / "made_up")


def no_papers(project):
    shutil.rmtree(project / "papers")


def mixed_profiles(project):
    path = project / "results" / "made_up" / "backup-workers" / "training" / "synchronous" / "curves.nc"
    results.save(results.netcdf.load(path).assign_attrs(profile="full"), path)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (another_profile, [], "0 of the profile made_up among here (full)"),
        (another_profile, ["--reference", "reference/here"], "has the profile full; allowed: made_up"),
        (twice, [], "2 of the profile made_up"),
        (changed_reference, [], "params.yaml (changed)"),
        (no_results, [], "no training/*/curves.nc of backup-workers"),
        (no_papers, [], "no papers/*/paper.yaml"),
        (mixed_profiles, [], "results of the profiles full, made_up"),
        (None, ["--reference", "nowhere"], "--reference: got 'nowhere'"),
        (None, ["--check", "nowhere"], "--check: got 'nowhere'"),
        (None, ["--check", "params.yaml"], "cannot be read as JSON"),
        (None, ["--write-reference", "../outside"], "--write-reference: got '../outside'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(change, arguments, message, project, capsys):
    if change:
        change(project)
    assert main(["certify", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (project / "outside").exists()


def test_a_broken_list_of_files_is_refused(project, capsys):
    path = project / "certificate" / "certificate.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": [{"path": "a"}]}))
    assert main(["certify", "--check", "certificate"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", ["{}x", "[1]", '[{"id": "mu-1"}]'])
def test_a_broken_ledger_is_refused(content, project, capsys):
    (project / "certificate" / "ledger.json").write_text(content)
    rehash(project / "certificate", "ledger.json")
    assert main(["certify", "--check", "certificate"]) == 2
    said = capsys.readouterr().err
    assert "ledger.json: " in said
    assert "allowed: " in said
    assert said.count("\n") == 1


def row(effect, interval=(None, None), unit="times", word="supported"):
    return {"effect": effect, "interval": list(interval), "unit": unit, "word": word}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (row(1.0, (0.8, 1.2)), row(1.15, (1.1, 1.3)), True),  # within the other's interval
        (row(1.0, (0.9, 1.1)), row(1.4, (0.95, 2.0)), True),  # in one direction is enough
        (row(1.0, (0.99, 1.01)), row(1.2, (1.19, 1.21)), True),  # ratios within the factor
        (row(1.0, (0.99, 1.01)), row(1.6, (1.59, 1.61)), False),
        (row(0.010, (0.009, 0.011), "fraction"), row(0.012, (0.0115, 0.0125), "fraction"), False),
        (row(5.0, (0.0, None)), row(90.0, (80.0, 95.0)), True),  # an open end holds everything
        (row(100.0, unit="s"), row(101.0, unit="s"), True),
        (row(100.0, unit="s"), row(103.0, unit="s"), False),
        (row(1e-16, unit="relative deviation"), row(4e-16, unit="relative deviation"), True),
        (row(None), row(None), True),
        (row(None), row(1.0), False),
        (row(1.0, unit="s"), row(1.0, unit="updates"), False),
    ],
)
def test_effects_agree_within_the_tolerances(one, other, alike):
    assert agreement.agree(one, other) is alike
    assert agreement.agree(other, one) is alike


def test_a_question_that_one_side_lacks_is_not_reproduced(made):
    rows = json.loads((made / "certificate" / "ledger.json").read_text())
    questions = agreement.compare(rows, rows[1:])
    assert [one["outcome"] for one in questions] == ["missing", "reproduced", "reproduced"]
    assert agreement.outcome(questions) == "not reproduced"


def test_a_reference_holds_what_verdicts_rest_on_and_no_more(made):
    folder = made / "reference" / "here"
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    listed = {file.path for file in reference.read(folder).files}
    assert held == listed | {"manifest.json"}
    assert "results/backup-workers/training/asynchronous/provenance.json" in held
    assert not [name for name in held if name.endswith((".npz", ".ipynb", ".py"))]


def test_writing_a_reference_again_replaces_it(project):
    stray = project / "reference" / "here" / "stray"
    stray.touch()
    before = (project / "reference" / "here" / "manifest.json").read_bytes()
    assert reference.write("here").read_bytes() == before
    assert not stray.exists()


def test_the_crate_describes_every_file_with_its_hash(made):
    folder = made / "certificate"
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert entities["ro-crate-metadata.json"]["conformsTo"]["@id"].startswith("https://w3id.org/ro/crate/1.")
    root = entities["./"]
    assert all(root[key] for key in ("name", "description", "datePublished", "license"))
    files = {name for name, entity in entities.items() if "File" in entity["@type"]}
    assert {part["@id"] for part in root["hasPart"]} == files
    on_disk = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert on_disk - files <= {"ro-crate-metadata.json", "reports/assets/style.css"}
    for name in files:
        content = (folder / name).read_bytes()
        assert entities[name]["sha256"] == hashlib.sha256(content).hexdigest()
        assert entities[name]["contentSize"] == str(len(content))


def test_every_reference_within_the_crate_leads_somewhere(made):
    crate = json.loads((made / "certificate" / "ro-crate-metadata.json").read_text())
    known = {entity["@id"] for entity in crate["@graph"]}
    for entity in crate["@graph"]:
        for key, value in entity.items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and key not in ("conformsTo", "actionStatus"):
                    assert one["@id"] in known, f"{entity['@id']}: {key}"


def test_codecheck_names_files_that_are_there(made):
    text = (made / "certificate" / "codecheck.yml").read_text()
    content = yaml.safe_load(text)
    assert text.startswith("---")
    assert {"version", "paper", "manifest", "codechecker", "summary", "check_time", "report"} == set(content)
    assert content["paper"]["reference"] == PAPER["links"][0]
    for one in [*content["manifest"], {"file": content["report"], "comment": "the report"}]:
        assert (made / "certificate" / one["file"]).is_file()
        assert one["comment"]


def test_a_site_that_older_code_made_is_certified_as_it_is(project):
    (project / "reports" / "assets").mkdir(parents=True)
    (project / "reports" / "assets" / "style.css").write_text("body { color: black }")
    certificate.certify()
    assert "as certified" in certificate_check.check(project / "certificate")


def test_the_commands_of_the_guide_are_commands_and_its_outcomes_all_there_are():
    guide = doc_pages.page("certificates")
    lines = [block.split() for block in doc_pages.blocks(guide, "bash")]
    assert len(lines) == 5
    for words in lines:
        assert words[0] == "rebuttal"
        assert cli._parser().parse_args(words[1:]).command
    assert set(re.findall(r"^\| `([a-z ]+)` \|", guide, flags=re.MULTILINE)) == set(
        get_args(agreement.Outcome)
    )


def said_of_a_check(folder):
    """(refusal, what was said where nothing was refused)."""
    try:
        return "", certificate_check.check(folder)
    except (InputError, RunError) as error:
        return str(error), ""


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (table, name)
        for table in ("PLAIN", "FORGED", "OF_REFERENCE")
        for name in getattr(certificate_tampering, table)
    ],
)
def test_every_kind_of_tampering_is_caught_or_named(table, name, project):
    kind = getattr(certificate_tampering, table)[name]
    folder = project / ("reference/here" if table == "OF_REFERENCE" else "certificate")
    signed = folder / ("manifest.json" if table == "OF_REFERENCE" else "certificate.json")
    before = signed.read_bytes()
    kind.change(folder)
    refusal, said = said_of_a_check(folder)
    assert bool(kind.says) != bool(kind.untold)
    assert "\n" not in refusal
    if kind.says:
        assert any(part in refusal for part in kind.says.split("|")), refusal or said
    else:
        assert kind.untold in said, refusal
        assert signed.read_bytes() != before  # so that a signature of it covers what a check cannot see


def test_hostile_certificates_are_refused_in_one_line_within_bounds(project, tmp_path):
    found = hostile_bundles.make(tmp_path, project / "certificate")
    assert len(found) >= 30
    script = [sys.executable, hostile_bundles.__file__, *map(str, found.values())]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=300, cwd=project)
    *lines, most_kib = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    for name, line in zip(found, lines, strict=True):
        status, seconds, said = json.loads(line)
        assert status in (1, 2), (name, said)
        assert said.count("\n") == 1, (name, said)
        assert len(said) < 2000, name
        assert seconds < MOST_S, name
    assert int(most_kib) < MOST_KIB
    assert not list(tmp_path.rglob("trace"))


def test_there_are_many_kinds_of_tampering():
    assert len(certificate_tampering.PLAIN) + len(certificate_tampering.FORGED) >= 40
    assert len(certificate_tampering.OF_REFERENCE) >= 10


def test_a_check_says_whose_reference_rules_and_code_they_are(project):
    said = certificate_check.check(project / "certificate")
    for part in (
        "this checkout's here",
        "its rules are this checkout's",
        "its code is this checkout's",
        "not checked: ",
    ):
        assert part in said
    (project / "papers" / "backup-workers" / "paper.yaml").write_text(
        yaml.safe_dump(PAPER | {"title": "Another"})
    )
    assert "its rules are not this checkout's" in certificate_check.check(project / "certificate")


COMMITTED = sorted((doc_pages.ROOT / "reference").glob("*/manifest.json"))


@pytest.mark.parametrize("manifest", COMMITTED, ids=lambda path: path.parent.name)
def test_a_committed_reference_still_gives_its_verdicts(manifest):
    assert "verdicts come out as stated" in certificate_check.check(manifest)


class Page(HTMLParser):
    """What a page links to, and its text."""

    def __init__(self, text):
        super().__init__()
        self.links, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, _, attrs):
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data


def test_the_page_shows_every_question_and_asks_nobody_else(made):
    path = made / "certificate" / "reports" / "certificate.html"
    page = Page(path.read_text())
    assert (path.parent / "assets" / "style.css").is_file()
    assert not [link for link in page.links if link.startswith(("http", "//"))]
    assert all(text in page.text for text in ("mu-c1", "mu-1", "mu-2", "reproduced", "Tolerances"))


def test_a_rule_that_the_reference_cannot_answer_is_said(project, capsys):
    shutil.rmtree(project / "reference" / "here" / "results" / "backup-workers" / "tuning")
    manifest = project / "reference" / "here" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["files"] = [file for file in content["files"] if "/tuning/" not in file["path"]]
    manifest.write_text(json.dumps(content))
    assert main(["certify"]) == 2
    assert "backup-workers: " in capsys.readouterr().err


def test_stored_numbers_may_differ_in_their_last_digit(project):
    folder = project / "certificate"
    rows = json.loads((folder / "ledger.json").read_text())
    part = next(part for row in rows for part in row["parts"] if part["effect"])
    part["effect"] *= 1 + 1e-6
    (folder / "ledger.json").write_text(json.dumps(rows))
    certificate_tampering.resign(folder)
    assert "as certified" in certificate_check.check(folder)
