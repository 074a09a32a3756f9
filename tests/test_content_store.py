"""The store of what was computed: an entry is read as it was written, or is a miss that is said in one line."""

import shutil

import numpy as np
import pytest
from runs import run

from rebuttal.core import content_store
from rebuttal.core.update_rules import SGD
from rebuttal.replaying.batch_merging import merged
from rebuttal.studies.runs.run_records import PackedOrder
from rebuttal.studies.runs.units import StudyContext
from rebuttal.workloads import image_cache
from rebuttal.workloads.image_cache import Images

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
    assert same(found, ARRAYS)
    assert capsys.readouterr().err == ""


def test_what_is_not_there_is_a_miss_without_a_word(tmp_path, capsys):
    assert content_store.read(tmp_path / "none.npz", "k") is None
    assert capsys.readouterr().err == ""


def replay_entry(path):
    content_store.write(path, path.stem, ARRAYS)
    return ARRAYS


def run_record_entry(path):
    """As `run_records` keeps one: with a packed order, which is an archive itself."""
    order = PackedOrder.of(merged(run("asynchronous", {}, workers=2, updates=5).order))
    packed = {"order": np.frombuffer(order.content, np.uint8), "key": np.asarray(order.key), **ARRAYS}
    content_store.write(path, path.stem, packed)
    return packed


def image_entry(path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    parts = {"train": Images(pixels, np.array([0, 1, 0]), ("cat", "dog"))}
    image_cache.save(path, parts)
    return {f"train/{name}": np.asarray(value) for name, value in vars(parts["train"]).items()}


@pytest.mark.parametrize("write", [replay_entry, run_record_entry, image_entry])
def test_of_400_flipped_bits_none_is_silent(write, tmp_path, capsys):
    """Each is a miss, or changes nothing: there are dates and the like in what an archive says of itself."""
    path, random = tmp_path / "k.npz", np.random.default_rng(0)
    wanted, whole, missed = write(path), path.read_bytes(), 0
    for place, bit in zip(random.integers(0, len(whole), 400), random.integers(0, 8, 400), strict=True):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(bit)
        path.write_bytes(flipped)
        found = content_store.read(path, "k")
        missed += found is None
        assert found is None or same(found, wanted)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == missed > 200
    assert all(str(path) in line and line.endswith("it is computed again") for line in said)


def same(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f") for name in one
    )


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
