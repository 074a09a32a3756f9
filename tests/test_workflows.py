"""The workflows of the hosting site: they parse, call what exists, and may do no more than they need."""

import re
from pathlib import Path

import pytest

from rebuttal.base.config import yaml_text
from rebuttal.studies import params

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
every_workflow = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


def jobs(path):
    return yaml_text.read(path)["jobs"]


def steps(path):
    return [step for job in jobs(path).values() for step in job["steps"]]


def commands(path):
    """Every line that a workflow runs, in words."""
    return [line.split() for step in steps(path) for line in step.get("run", "").splitlines()]


def test_there_are_tests_and_publication():
    assert [path.name for path in FILES] == ["pages.yml", "tests.yml"]
    run = {" ".join(words) for words in commands(FILES[1])}
    assert {"make lint", "make test", "make repro PROFILE=ci"} <= run


@every_workflow
def test_actions_are_pinned_by_major_version(path):
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    assert [name for name in used if not re.fullmatch(r"actions/[a-z-]+@v[0-9]+", name)] == []


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
        word.removeprefix("PROFILE=") for words in commands(FILES[1]) for word in words if "PROFILE=" in word
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
    versions = jobs(FILES[1])["tests"]["strategy"]["matrix"]["python"]
    oldest = re.search(r'requires-python = ">=([0-9.]+)"', (ROOT / "pyproject.toml").read_text())
    assert oldest
    assert versions[0] == oldest[1]
    assert len(versions) == 2
