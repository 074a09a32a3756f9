"""One truth in the repository: the published site, the reference, the README and dvc.lock come from one run."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.site import release

ROOT = Path(__file__).resolve().parents[1]
LEDGER = json.loads((ROOT / "reports" / "ledger.json").read_text(encoding="utf-8"))
PROFILE = LEDGER[0]["profile"]
REFERENCE = ROOT / "reference" / PROFILE
SAID = ("paper", "id", "word", "answer", "parts", "checks")  # parts: with effects, intervals and n


def test_the_reference_has_the_verdicts_of_the_site():
    rows = json.loads((REFERENCE / "ledger.json").read_text(encoding="utf-8"))
    for part in (part for row in LEDGER for part in row["parts"]):
        part.pop("rule_in_words")  # which only readers of the site need
    assert [[row[key] for key in SAID] for row in rows] == [[row[key] for key in SAID] for row in LEDGER]


def test_every_study_of_the_reference_was_run_on_one_commit_without_changes():
    machines = json.loads((REFERENCE / "manifest.json").read_text(encoding="utf-8"))["machine"]
    commits = {about["git_commit"] for about in machines.values()}
    assert len(commits) == 1
    assert not commits.pop().endswith("+changes")


def test_the_lock_has_the_results_of_the_reference():
    stages = yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    outs = {
        out["path"]: out["md5"]
        for name, stage in stages.items()
        if f"@{PROFILE}" in name
        for out in stage["outs"]
    }
    files = [path for path in outs if path.startswith(f"results/{PROFILE}/analyses/")]
    assert len(files) > 10
    for path in files:
        kept = REFERENCE / "results" / Path(path).relative_to(f"results/{PROFILE}")
        assert hashlib.md5(kept.read_bytes(), usedforsecurity=False).hexdigest() == outs[path], path


def test_the_result_files_that_published_verdicts_rest_on_are_in_the_repository():
    for row in LEDGER:
        for file in row["data_files"]:
            assert (REFERENCE / file).is_file(), file


def write_run(folder, commits):
    """What a release looks at of a run: a page, and where its studies come from."""
    (folder / "reports/quick").mkdir(parents=True)
    (folder / "reports/quick/index.html").write_text("")
    (folder / "params.yaml").write_text(f"profile: quick\npapers: [{', '.join(commits)}]\n")
    for paper, commit in commits.items():
        (folder / "papers" / paper).mkdir(parents=True)
        for name in ("paper.yaml", "study.yaml"):
            (folder / "papers" / paper / name).write_text("")
        note = folder / "results/quick" / paper / "training/all/provenance.json"
        note.parent.mkdir(parents=True)
        note.write_text(json.dumps({"git_commit": commit}))


@pytest.mark.parametrize(
    ("commits", "said"),
    [
        ({"one": "a" * 40, "two": "b" * 40}, "of one; b"),
        ({"one": f"{'a' * 40}+changes"}, r"\+changes of one"),
        ({"one": "unknown"}, "unknown of one"),
    ],
)
def test_a_release_of_several_commits_or_of_changes_is_refused(project, commits, said):
    write_run(project, commits)
    with pytest.raises(InputError, match=said):
        release.release()
    assert sorted(path.name for path in (project / "reports").iterdir()) == ["quick"]


def test_a_release_without_a_site_is_refused(project):
    with pytest.raises(InputError, match=r"no index\.html"):
        release.release()


@pytest.mark.parametrize("name", ["quick", "ci"])
def test_a_profile_has_places_of_its_own(project, monkeypatch, name):
    monkeypatch.setenv(paths.PROFILE, name)
    assert (paths.results(), paths.site()) == (project / "results" / name, project / "reports" / name)
