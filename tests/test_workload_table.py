"""What the package knows of every workload without loading it, and the table of docs/workloads.md."""

import sys

import pytest
from doc_pages import DOCS
from synthetic_images import write_images
from synthetic_mnist import write_mnist

from rebuttal import workloads
from rebuttal.base.errors import InputError
from rebuttal.site import workload_table
from rebuttal.workloads import shape_table

TOPICS = (
    "pydoc_transformer"  # its alphabet is that of Python's own help topics, so it differs between versions
)
OF_THE_TABLE = (3, 11)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    root = write_mnist(tmp_path_factory.mktemp("data"))
    write_images(root / "cifar10", parts={"train": 2, "test": 1})
    return {name: workloads.load(name, root) for name in workloads.NAMES}


def lines(text):
    same = sys.version_info[:2] == OF_THE_TABLE
    return [line for line in text.splitlines() if same or TOPICS not in line]


def test_the_page_and_the_shapes_are_what_the_program_writes(loaded):
    page = (DOCS / "workloads.md").read_text(encoding="utf-8")
    new = workload_table.written(page, [loaded[name] for name in workload_table.TRAINING])
    assert lines(page) == lines(new), "write it again: python -m rebuttal.site.workload_table"
    stored = shape_table.FILE.read_text(encoding="utf-8")
    assert lines(stored) == lines(shape_table.content({name: one.shape for name, one in loaded.items()}))


def test_a_shape_counts_what_the_model_has(loaded):
    for name, one in loaded.items():
        assert sum(one.shape.parameters) == one.parameters
        x, _ = one.splits["training"]
        assert one.shape.outputs[-1] == one.predict(one.start(0), x[:1]).numel()
        assert shape_table.shape_of(name).layers == one.shape.layers


def test_a_users_own_data_have_the_shape_of_their_network(tmp_path):
    assert shape_table.shape_of("images:vit:a folder").layers == shape_table.shape_of("cifar10_vit").layers
    assert shape_table.shape_of("text:a file").parameters == shape_table.shape_of(TOPICS).parameters
    own = tmp_path / "own.py"
    own.write_text("from rebuttal import workloads\n\n\ndef load(name, data_root):\n"
                   "    return workloads.load('digits_deep')\n")  # fmt: skip
    assert shape_table.shape_of(f"file:{own}").layers == 8


def test_what_local_losses_need_is_refused_in_one_line():
    with pytest.raises(
        InputError, match="workload: got 'digits_pixelcnn'; allowed: one in which a sample has a"
    ):
        shape_table.shape_of("digits_pixelcnn").check_classes()
    wide = shape_table.shape_of("cifar10_resnet")
    with pytest.raises(InputError, match=r"at most 4096 values .*; stage 0 of 2 gives 8192"):
        wide.check_synthesizer(0, 2)
    shape_table.shape_of("digits_vit").check_synthesizer(0, 2)
