"""Notebooks tell a reader to put any method's name in a line: the lines run, whichever name it is."""

import json

import altair as alt
import device_costs
import pytest
import torch
from doc_pages import ROOT

from rebuttal.methods import METHODS

PLACE = '"machine": "ethernet_10g", "workload": "digits_deep"'
REPLAYED = ("gpipe", "hogwild", "local_sgd")  # one of each way in which values are computed


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A folder that looks like a checkout after `rebuttal profile`."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    device_costs.write(folder, ["digits_deep"])
    return folder


def cells(notebook):
    """The code of a notebook's cells."""
    content = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text())
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]


def tour():
    """The lines of the tour that name a method once for all: its time line, then its training."""
    code = cells("tour")
    at = next(number for number, text in enumerate(code) if PLACE in text)
    return code[at], code[at + 1]


def swapped(code, old, new):
    assert code.count(old) == 1
    return code.replace(old, new)


@pytest.mark.parametrize("name", METHODS)
def test_any_method_can_be_put_into_the_tour(name, checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    code, _ = tour()
    *lines, last = swapped(
        code, 'method, options = "gpipe", {"m": 4}', f'method, options = "{name}", {{}}'
    ).splitlines()
    session = {"rebuttal": __import__("rebuttal")}
    exec("\n".join(lines), session)  # noqa: S102 - the notebook's own code
    assert isinstance(eval(last, session), alt.TopLevelMixin)  # noqa: S307 - its last line


@pytest.mark.parametrize("name", REPLAYED)
def test_a_method_of_the_tour_is_trained(name, checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    torch.set_num_threads(1)
    first, then = tour()
    session = {"rebuttal": __import__("rebuttal")}
    exec(swapped(first, '"gpipe", {"m": 4}', f'"{name}", {{}}'), session)  # noqa: S102 - the notebook's own code
    exec(then, session)  # noqa: S102
    loss = session["curves"].test_loss.sel(learning_rate=0.03)
    assert float(loss.isel(point=-1).mean()) < float(loss.isel(point=0).mean())


def test_the_lines_of_the_comparison_run_as_they_stand(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    torch.set_num_threads(1)
    code = next(text for text in cells("compare_methods") if "rebuttal.replay(" in text)
    session = {}
    exec(code, session)  # noqa: S102 - the notebook's own code
    assert session["curves"].sizes["learning_rate"] > 1
    assert session["timeline"].about["method"] == "pipedream"
