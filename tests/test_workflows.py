"""The workflows of the hosting site: they parse, call what exists, and may do no more than they need."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rebuttal.base.config import yaml_text
from rebuttal.studies import params

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TESTS = ROOT / ".github" / "workflows" / "tests.yml"
every_workflow = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def jobs(path):
    return yaml_text.read(path)["jobs"]


def steps(path):
    return [step for job in jobs(path).values() for step in job["steps"]]


def commands(path):
    """Every line that a workflow runs, in words."""
    return [line.split() for step in steps(path) for line in step.get("run", "").splitlines()]


def test_there_are_tests_and_publication():
    assert [path.name for path in FILES] == ["audit.yml", "pages.yml", "tests.yml"]
    run = {" ".join(words) for words in commands(TESTS)}
    assert {"make lint", "make test", "make repro PROFILE=ci"} <= run


@every_workflow
def test_actions_are_pinned_by_commit_and_leave_no_credentials(path):
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    pinned = re.compile(r"actions/[a-z-]+@[0-9a-f]{40}  # v[0-9]+\.[0-9]+\.[0-9]+")
    assert [name for name in used if not pinned.fullmatch(name)] == []
    checkouts = [step for step in steps(path) if "actions/checkout" in step.get("uses", "")]
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_the_lock_is_audited_when_it_changes_and_every_week():
    triggers = yaml_text.read(ROOT / ".github" / "workflows" / "audit.yml")["on"]
    assert triggers["schedule"]
    assert all("requirements.lock" in triggers[event]["paths"] for event in ("push", "pull_request"))
    assert ["make", "audit", "PYTHON=python"] in commands(ROOT / ".github" / "workflows" / "audit.yml")


def test_updates_of_actions_and_packages_are_proposed():
    updates = yaml_text.read(ROOT / ".github" / "dependabot.yml")["updates"]
    assert {one["package-ecosystem"] for one in updates} == {"github-actions", "pip"}


def recipe(target, tmp_path):
    """What make would run, with another virtual environment."""
    given = ["make", "--dry-run", "--always-make", target, f"VENV={tmp_path}", f"PYTHON={sys.executable}"]
    return subprocess.run(given, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_what_installs_everything_else_is_installed_by_its_hash(tmp_path):
    lines = recipe("setup", tmp_path).splitlines()
    (cut,) = [line for line in lines if line.startswith("sed ")]
    subprocess.run(cut, shell=True, check=True, cwd=ROOT)  # noqa: S602 - a line of the Makefile
    pinned = (tmp_path / "uv.lock").read_text()
    assert re.fullmatch(r"uv==[0-9.]+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+", pinned)
    (installs,) = [line for line in lines if "-m pip install" in line]
    assert "--require-hashes" in installs


def test_all_that_is_locked_is_audited(tmp_path):
    lines = recipe("audit", tmp_path).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("{ printf"))
    writes = "\n".join(lines[start : start + 2])
    subprocess.run(writes, shell=True, check=True, cwd=ROOT)  # noqa: S602 - lines of the Makefile
    script = (tmp_path / "locked.py").read_text()
    head = "".join(
        line.removeprefix("#").removeprefix(" ") for line in script.splitlines(keepends=True)[1:-1]
    )
    needed = tomllib.loads(head)["dependencies"]
    locked = re.findall(
        r"^[A-Za-z0-9_.-]+==.*?(?= \\$)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
    assert needed == locked
    assert len(locked) > 100


@every_workflow
def test_make_targets_and_variables_exist(path):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, flags=re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+) \?=", makefile, flags=re.MULTILINE))
    for words in commands(path):
        if words[0] == "make":
            given = {word for word in words[1:] if "=" not in word}
            assert given
            assert given <= targets
            assert {word.partition("=")[0] for word in words[1:] if "=" in word} <= variables


def test_the_profile_of_the_reduced_pipeline_is_there():
    profiles = [
        word.removeprefix("PROFILE=") for words in commands(TESTS) for word in words if "PROFILE=" in word
    ]
    assert profiles == ["ci"]
    assert "ci" in yaml_text.read(ROOT / "params.yaml")["sizes"]
    assert params.load(ROOT / "params.yaml").profile


@every_workflow
def test_permissions_are_the_least(path):
    assert yaml_text.read(path)["permissions"] == {"contents": "read"}
    more = {name: job["permissions"] for name, job in jobs(path).items() if "permissions" in job}
    assert more in ({}, {"publish": {"pages": "write", "id-token": "write"}})


@every_workflow
def test_no_secret_is_read_and_no_stranger_runs_with_rights(path):
    content = path.read_text()
    assert "secrets" not in content
    assert "pull_request_target" not in content
    assert "${{ github.event" not in content


@every_workflow
def test_jobs_end(path):
    assert all(0 < job["timeout-minutes"] <= 60 for job in jobs(path).values())


def test_the_site_that_is_published_is_there():
    uploads = [
        step["with"]["path"] for path in FILES for step in steps(path) if "upload" in step.get("uses", "")
    ]
    assert uploads == ["reports", "reports/ci"]
    assert (ROOT / "reports" / "index.html").is_file()


def test_the_oldest_supported_python_is_tested():
    versions = jobs(TESTS)["tests"]["strategy"]["matrix"]["python"]
    oldest = re.search(r'requires-python = ">=([0-9.]+)"', (ROOT / "pyproject.toml").read_text())
    assert oldest
    assert versions[0] == oldest[1]
    assert len(versions) == 2
