"""Recorded runs of strangers: what was changed is caught or named, and nothing that they name is run or read."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import hostile_files
import pytest
import tampering_page
from doc_pages import ROOT
from recorded_tampering import RAW, RESEALED, rewritten

from rebuttal import replay
from rebuttal.base.errors import InputError, RunError
from rebuttal.core.array_files import STRANGER
from rebuttal.core.timeline import Timeline
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verified

MOST_S, MOST_KIB = 10, 2**20


@pytest.fixture(scope="module")
def run():
    """One asynchronous run with stragglers, and the checksum of every second version."""
    return record(
        "asynchronous", workload="digits_deep", workers=3, updates=30, learning_rate=0.02, checksums_every=2,
        stragglers="exponential", pace_s=0.001,
    )  # fmt: skip


def said_of(path):
    """What a verification of a file says: its refusal, or what it did not check."""
    try:
        return "", ", ".join(verified(Timeline.load(path, STRANGER)).not_checked)
    except (InputError, RunError) as error:
        return str(error), ""


def test_the_run_itself_is_verified(run, tmp_path):
    run.save(tmp_path / "run.npz")
    found = verified(Timeline.load(tmp_path / "run.npz", STRANGER))
    assert (found.checksums, found.version) == (16, 30)


@pytest.mark.parametrize("name", RESEALED)
def test_a_change_with_a_new_hash_is_caught_or_named(name, run, tmp_path):
    kind = RESEALED[name]
    kind.change(run).save(tmp_path / "run.npz")
    refusal, untold = said_of(tmp_path / "run.npz")
    assert bool(kind.says) != bool(kind.untold)
    assert "\n" not in refusal
    if kind.says:
        assert any(part in refusal for part in kind.says.split("|")), refusal or "accepted"
    else:
        assert kind.untold in untold, refusal


@pytest.mark.parametrize("name", RAW)
def test_a_change_without_a_new_hash_is_caught(name, run, tmp_path):
    run.save(tmp_path / "run.npz")
    rewritten(tmp_path / "run.npz", RAW[name].change)
    assert RAW[name].says in said_of(tmp_path / "run.npz")[0]


def test_there_are_many_kinds_and_the_page_has_them_all():
    assert len(RESEALED) + len(RAW) >= 40
    assert tampering_page.PAGE.read_text() == tampering_page.page()


def test_hostile_files_are_refused_in_one_line_within_bounds(run, tmp_path):
    run.save(tmp_path / "sound.npz")
    paths = hostile_files.make(tmp_path, tmp_path / "sound.npz")
    assert len(paths) >= 30
    script = [sys.executable, hostile_files.__file__, *map(str, paths.values())]
    done = subprocess.run(
        script, capture_output=True, text=True, check=False, timeout=300, cwd=ROOT, env=os.environ
    )
    *lines, most_kib = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    for name, line in zip(paths, lines, strict=True):
        status, seconds, said = json.loads(line)
        assert status in (1, 2) or "which is none of ours and is not run" in said, (name, said)
        assert said.count("\n") == 1, (name, said)
        assert len(said) < 2000, name
        assert seconds < MOST_S, name
    assert int(most_kib) < MOST_KIB
    assert not (tmp_path / "trace").exists()


def test_a_run_that_was_read_from_a_file_chooses_no_code_for_a_replay(run, tmp_path):
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w').close()\n")
    named = replace(run, about={**run.about, "workload": f"file:{tmp_path / 'evil.py'}"})
    named.save(tmp_path / "run.npz")
    with pytest.raises(InputError, match=r"workload: got 'file:.*; allowed: workload="):
        replay(Timeline.load(tmp_path / "run.npz"), learning_rates=[0.1])
    assert not Path(tmp_path / "trace").exists()
