"""The store of what was computed: an entry is read as it was written, or is a miss that is said in one line."""

import shutil

import numpy as np
import pytest

from rebuttal.core.update_rules import SGD
from rebuttal.studies.runs import content_store
from rebuttal.studies.runs.units import StudyContext

ARRAYS = {
    "loss": np.arange(24.0).reshape(2, 3, 4),
    "diverged_at": np.array([[np.nan, 3.0]]),
    "wall_s": np.asarray(0.5),
}


@pytest.fixture
def entry(tmp_path):
    path = tmp_path / "k.npz"
    content_store.write(path, "k", ARRAYS)
    return path


def test_what_was_written_is_read(entry, capsys):
    found = content_store.read(entry, "k")
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    assert all(np.array_equal(found[name], ARRAYS[name], equal_nan=True) for name in ARRAYS)
    assert capsys.readouterr().err == ""


def test_what_is_not_there_is_a_miss_without_a_word(tmp_path, capsys):
    assert content_store.read(tmp_path / "none.npz", "k") is None
    assert capsys.readouterr().err == ""


def test_a_flipped_bit_anywhere_is_a_miss_or_changes_nothing(entry, capsys):
    """Of 200 bits; those that change nothing are in what an archive says of itself, such as dates."""
    whole, missed = entry.read_bytes(), 0
    for place in range(0, len(whole), max(1, len(whole) // 200)):
        entry.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        found = content_store.read(entry, "k")
        missed += found is None
        if found is not None:
            assert all(np.array_equal(found[name], ARRAYS[name], equal_nan=True) for name in ARRAYS)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == missed > 100
    assert all(str(entry) in line and line.endswith("it is computed again") for line in said)


def cut(path):
    path.write_bytes(path.read_bytes()[:100])


def emptied(path):
    path.write_bytes(b"")


def a_page(path):
    path.write_text("<html>")


def a_folder(path):
    path.unlink()
    path.mkdir()


def another_s(path):
    """Two entries of equal size, exchanged."""
    content_store.write(path.with_name("other.npz"), "o", ARRAYS)
    shutil.move(path.with_name("other.npz"), path)


def without_key(path):
    np.savez(path, **ARRAYS)


def objects(path):
    np.savez(path, loss=np.array([object()]))


@pytest.mark.parametrize("damage", [cut, emptied, a_page, a_folder, another_s, without_key, objects])
def test_what_is_damaged_or_another_s_is_a_miss_in_one_line(entry, damage, capsys):
    damage(entry)
    assert content_store.read(entry, "k") is None
    assert capsys.readouterr().err.count("\n") == 1


def context(**given):
    known = {"workload": "mnist_cnn", "device": "cpu", "data_root": "/a", "batch": 32, "splits": ("test",),
             "rule": SGD(), "table": "", "data": ""}  # fmt: skip
    return StudyContext(**known | given).without_places()


def test_where_data_lie_is_no_part_of_a_key_and_what_they_are_is():
    assert context(data_root="/a") == context(data_root="/b")
    assert context(workload="file:/a/own.py", data="1") == context(workload="file:/b/own.py", data="1")
    assert context(workload="file:/a/own.py", data="1") != context(workload="file:/a/own.py", data="2")
    assert context(workload="images:vit:/a", data="1") != context(workload="images:resnet:/a", data="1")
    assert context(workload="mnist_cnn") != context(workload="digits_cnn")
    assert context(workload="text:/a@by_class/2", data="1") == context(
        workload="text:/b@by_class/2", data="1"
    )
    assert context(workload="text:/a@by_class/2", data="1") != context(
        workload="text:/a@by_class/4", data="1"
    )
