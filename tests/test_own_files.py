"""What a file of a user's own rests on: the code that it brings in from beside it, and what its workload holds."""

import os
import shutil
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from doc_pages import blocks, page
from synthetic_mnist import write_idx, write_mnist

from rebuttal import workloads
from rebuttal.base import own_code, own_files
from rebuttal.base.errors import RunError
from rebuttal.core.update_rules import SGD
from rebuttal.processes import trusted
from rebuttal.replaying import workers
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.runs import setting_curves
from rebuttal.workloads import content, mnist_files

SOURCES = {
    "import helper": "helper.py",
    "def f():\n    import helper": "helper.py",
    "try:\n    from helper import x\nexcept ImportError:\n    x = 1": "helper.py",
    "import helper as h, json": "helper.py",
    "from helper import *": "helper.py",
    "import middle": "helper.py",  # which imports it
    "import parts": "parts/__init__.py",
    "import parts.one": "parts/one.py",
    "from parts import one": "parts/one.py",
    "from parts import *": "parts/one.py",
    "from parts.one import x": "parts/__init__.py",
    "from parts import two": "parts/one.py",  # by `from . import`
    "import importlib\nimportlib.import_module('helper')": "helper.py",
    "__import__('parts.one')": "parts/one.py",
    "import runpy\nrunpy.run_path('helper.py')": "helper.py",
    "from pathlib import Path\nPath('parts/one.py')": "parts/one.py",
    "from own.helper import x": "helper.py",  # from the folder above
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder in a project, with some Python files."""
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    folder = tmp_path / "own"
    (folder / "parts").mkdir(parents=True)
    (folder / "middle.py").write_text("import helper\n")
    (folder / "parts" / "two.py").write_text("from . import one\n")
    for name in ("helper.py", "other.py", "parts/__init__.py", "parts/one.py"):
        (folder / name).write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.mark.parametrize("source", SOURCES)
def test_code_beside_a_file_is_part_of_what_it_is(own, source):
    (own / "mine.py").write_text(source)
    before = own_files.digest(own / "mine.py")
    (own / "other.py").write_text("x = 2\n")
    assert own_files.digest(own / "mine.py") == before
    (own / SOURCES[source]).write_text("x = 2\n")
    assert own_files.digest(own / "mine.py") != before


def test_where_it_lies_is_not(own, tmp_path_factory):
    (own / "mine.py").write_text("import middle, parts.one\n")
    moved = shutil.copytree(own, tmp_path_factory.mktemp("moved") / "elsewhere")
    assert own_files.digest(own / "mine.py") == own_files.digest(moved / "mine.py")


def test_code_of_the_package_that_it_uses_is_not():
    file = own_files.PACKAGE / "studies" / "calibration" / "wide.py"
    assert "from rebuttal.workloads" in file.read_text()
    assert list(own_files.closure(file)) == [file]


@pytest.mark.parametrize("source", ["import helper, helper", "import mine", "x = (", "\0", "(" * 5_000])
def test_any_file_has_a_content(own, source):
    (own / "mine.py").write_text(source)
    assert len(own_files.digest(own / "mine.py")) == 64


@pytest.mark.parametrize(
    "source", ["open('a.txt')", "read('own/a.txt')", "glob('*.txt')", "import reader", "Path('data/a.txt')"]
)
def test_data_that_code_names_are_part_of_what_a_rule_or_an_operation_is(own, source):
    (own / "data").mkdir()
    (own / "reader.py").write_text("open('a.txt')\n")
    for name in ("a.txt", "data/a.txt"):
        (own / name).write_text("1")
    (own / "b.bin").write_text("1")
    (own / "mine.py").write_text(source)
    before, code = own_files.digest_with_data(own / "mine.py"), own_files.digest(own / "mine.py")
    (own / "b.bin").write_text("2")
    assert own_files.digest_with_data(own / "mine.py") == before
    for name in ("a.txt", "data/a.txt"):
        (own / name).write_text("2")
    assert own_files.digest_with_data(own / "mine.py") != before
    assert own_files.digest(own / "mine.py") == code


def test_a_file_is_run_anew_when_code_beside_it_has_changed_however_it_looks(own):
    """Python itself would take the compiled file of the same size and second."""
    (own / "mine.py").write_text("import middle\nx = middle.helper.x\n")
    helper = own / "helper.py"
    for x in (1, 2, 3):
        helper.write_text(f"x = {x}\n")
        os.utime(helper, (1, 1))
        loaded = own_code.loaded("file:own/mine.py", "method")
        assert loaded.module.x == x
        assert own_code.loaded("file:own/mine.py", "method") is loaded
    helper.unlink()
    with pytest.raises(ValueError, match="No module named 'helper'"):
        own_code.loaded("file:own/mine.py", "method")


@pytest.fixture
def reader(own):
    """A workload whose labels come from a file that no string of its code names."""
    example = blocks(page("adding_a_workload"), "python")[0]
    code = example.replace("    return torch", "    y = np.load(f'own/{split}' + '.npy')\n    return torch")
    assert code != example
    (own / "mine.py").write_text(code)
    for split, size in (("training", 600), ("validation", 200), ("test", 200)):
        np.save(own / split, np.arange(size) % 2)
    return "file:own/mine.py"


def data_of(name):
    return setting_curves._data_of(name, cast(Any, SimpleNamespace(data_root="data", engine=LOCAL)))


def test_what_a_workload_of_code_holds_is_part_of_the_key_of_what_is_computed(reader, own, capsys):
    before = data_of(reader)
    assert data_of(reader) == before
    labels = np.load(own / "validation.npy")
    np.save(own / "validation", np.roll(labels, 1))
    assert data_of(reader) != before
    np.save(own / "validation", labels)
    assert data_of(reader) == before


def test_a_process_that_gets_other_data_than_the_study_refuses(reader, own, capsys):
    given = (reader, "data", "cpu", 32, ("test",), SGD(), "")
    data = data_of(reader)
    np.save(own / "training", (np.arange(600) + 1) % 2)
    with pytest.raises(RunError, match=r"^file:own/mine\.py: gives other data than when the study began"):
        workers.replayer(*given, data)


def test_each_part_of_a_workload_counts():
    one = workloads.load("digits_mlp")
    before = content.digest(one)
    assert content.digest(workloads.load("digits_mlp")) == before
    assert content.digest(one.double()) != before
    for split in one.splits:
        for part in (0, 1):
            changed = workloads.load("digits_mlp")
            changed.splits[split][part][-1] += 1
            assert content.digest(changed) != before


def test_the_catalogue_s_data_files_are_told_apart_by_content(tmp_path):
    write_mnist(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    before = workloads.fingerprint("mnist_cnn", tmp_path / "a")
    assert workloads.fingerprint("mnist_cnn", tmp_path / "b") == before != ""
    write_idx(tmp_path / "b/MNIST/raw/t10k-labels-idx1-ubyte", mnist_files.LABELS, (20,), np.zeros(20))
    assert workloads.fingerprint("mnist_cnn", tmp_path / "b") != before
    assert workloads.fingerprint("digits_mlp", None) == ""
    (tmp_path / "cifar10/train/cat").mkdir(parents=True)
    image = tmp_path / "cifar10/train/cat/0.png"
    found = set()
    for text in ("a", "b"):
        image.write_text(text)
        os.utime(image, (1, 1))
        found.add(workloads.fingerprint("cifar10_vit", tmp_path))
        found.add(workloads.fingerprint(f"images:vit:{tmp_path / 'cifar10'}"))
    assert len(found) == 2


def test_code_beside_a_trusted_file_is_trusted_by_content_too(own):
    """Else a run could be sent with the file that was read, and another beside it."""
    (own / "mine.py").write_text("import helper\n")
    recorded = {"file:mine.py": own_code.fingerprint("file:own/mine.py", "workload")}
    found = trusted.code_name("rule", "file:mine.py", recorded, [own / "mine.py"])
    assert found == f"file:{own / 'mine.py'}"
    (own / "helper.py").write_text("import os\n")
    with pytest.raises(ValueError, match="the file of the run, whose sha256 is"):
        trusted.code_name("rule", "file:mine.py", recorded, [own / "mine.py"])
