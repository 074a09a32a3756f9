"""The example of docs/adding_a_workload.md runs as it stands, and what is no workload is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from doc_pages import blocks, page

from rebuttal import workloads
from rebuttal.base.errors import InputError
from rebuttal.replaying.executors import Loop

PAGE = "adding_a_workload"


@pytest.fixture(scope="module")
def rings(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "rings.py"
    path.write_text(blocks(page(PAGE), "python")[0])
    return f"file:{path}"


def test_the_example_is_learned(rings):
    workload = workloads.load(rings)
    x, y = workload.splits["training"]
    loop, weights = Loop(workload), workload.start(0)
    for row in torch.from_numpy(np.random.default_rng(0).integers(0, len(x), (300, 32))):
        weights = weights - 0.3 * loop.gradient(weights, x[row], y[row])
    x, y = workload.splits["test"]
    assert float(workload.metric(workload.predict(weights, x), y)) > 0.95
    assert workload.name == rings
    assert sum(layer.parameters.stop > layer.parameters.start for layer in workload.layers) == 4


def test_the_line_of_the_page_fits_the_list():
    context = [line[1:] for line in blocks(page(PAGE), "diff")[0].splitlines() if line.startswith(" ")]
    assert set(context) <= set(Path(workloads.__file__).read_text().splitlines())


@pytest.mark.parametrize(
    ("content", "message"),
    [("x = 1\n", "a function load"), ("def load(name, data_root):\n    return 1\n", "returns a Workload")],
)
def test_a_file_without_a_workload_is_refused(tmp_path, content, message):
    (tmp_path / "own.py").write_text(content)
    with pytest.raises(InputError, match=message):
        workloads.load(f"file:{tmp_path / 'own.py'}")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="a Python file; there is none"):
        workloads.check_data(f"file:{tmp_path / 'own.py'}", None)


def test_every_workload_has_a_row():
    text = page("workloads")
    for name in workloads.NAMES:
        short = f"`_{name.removeprefix('cifar10_')}`"
        assert f"`{name}`" in text or short in text, name
