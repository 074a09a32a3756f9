"""Temporary folders: gone with who made them, and those of killed processes with the next one."""

import signal
import subprocess
import sys

import pytest

from rebuttal.base import temporary_folder
from rebuttal.base.temporary_folder import temporary_folder as made_in

HOLDER = """
import sys, time
from pathlib import Path
from rebuttal.base.temporary_folder import temporary_folder
with temporary_folder("aa", Path(sys.argv[1])) as folder:
    print(folder.name, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds a folder, and the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout is not None
        yield one, tmp_path / one.stdout.readline().strip()
        one.kill()


def test_it_is_gone_when_the_block_ends_and_when_it_fails(tmp_path):
    with made_in("aa", tmp_path) as folder:
        (folder / "file").write_text("")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError), made_in("aa", tmp_path) as folder:
        (folder / "none").read_text()
    assert list(tmp_path.iterdir()) == []


def test_one_of_a_killed_process_goes_with_the_next_and_one_in_use_stays(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(temporary_folder, "YOUNG_S", 0.0)
    process, folder = holder
    with made_in("aa", tmp_path):
        assert folder.is_dir()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.is_dir()  # nobody was left to remove it
    with made_in("bb", tmp_path):
        assert folder.is_dir()  # of another prefix
    with made_in("aa", tmp_path):
        assert not folder.exists()


def test_one_that_was_made_a_moment_ago_stays_as_its_lock_may_not_be_taken_yet(tmp_path, holder):
    process, folder = holder
    process.kill()
    process.wait()
    with made_in("aa", tmp_path):
        assert folder.is_dir()


def test_folders_without_its_lock_are_somebody_elses(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary_folder, "YOUNG_S", 0.0)
    other = tmp_path / "aardvark"
    other.mkdir()
    (tmp_path / "aa-file").write_text("")
    (tmp_path / "aa-link").symlink_to(tmp_path / "nowhere")
    with made_in("aa", tmp_path):
        assert other.is_dir()
        assert (tmp_path / "aa-file").is_file()
        assert (tmp_path / "aa-link").is_symlink()
