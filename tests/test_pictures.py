"""The pictures of the methods: drawn by the code, small, and readable without eyes."""

import functools
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from doc_pages import DOCS

from rebuttal.figures import method_diagrams
from rebuttal.figures.method_diagrams.frame import COLLECTIVE
from rebuttal.methods import METHODS
from rebuttal.simulation.timeline_metrics import summary

SVG = "{http://www.w3.org/2000/svg}"
picture = functools.cache(method_diagrams.picture)  # what two tests look at
every_method = pytest.mark.parametrize("name", METHODS)


def test_a_method_that_says_nothing_of_its_picture_is_drawn_all_the_same(monkeypatch):
    monkeypatch.delattr(METHODS["gpipe"], "diagram")
    assert "<title" in method_diagrams.picture("gpipe")
    assert ">Gpipe<" in method_diagrams.picture("gpipe")


@every_method
def test_a_picture_is_what_the_code_draws(name, tmp_path):
    drawn = picture(name).encode()
    committed = (DOCS / "methods" / f"{name}.svg").read_bytes()
    assert committed == drawn, "draw them again: python -m rebuttal.figures.method_diagrams"
    assert len(committed) < 25_000


@every_method
def test_a_picture_is_a_sound_file_that_says_what_it_shows(name):
    tree = ET.fromstring(picture(name))  # noqa: S314 - written here
    assert tree.get("role") == "img"
    labels = [tree.find(f"{SVG}{kind}") for kind in ("title", "desc")]
    assert all(label is not None and label.text for label in labels)
    assert tree.get("aria-labelledby") == " ".join(
        label.get("id", "") for label in labels if label is not None
    )
    assert not [element for element in tree.iter() if element.tag in (f"{SVG}script", f"{SVG}image")]


@pytest.mark.parametrize("name", ["backup_workers", "k_sync", "asynchronous", "delayed"])
def test_a_picture_tells_the_story_of_its_page(name):
    found = summary(method_diagrams.picture_run(name))
    lost = {"backup_workers": "gradients_dropped", "k_sync": "gradients_abandoned"}
    assert (found["gradients_dropped"] > 0) == (name == "backup_workers")
    assert (found["gradients_abandoned"] > 0) == (name == "k_sync")
    assert (found["staleness_max"] == 0) == (name in lost)


def test_all_pictures_are_written_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(method_diagrams, "picture", lambda name: f"drawn: {name}")
    paths = method_diagrams.write(tmp_path)
    assert {path.name: path.read_text() for path in paths} == {
        f"{name}.svg": f"drawn: {name}" for name in METHODS
    }


def test_the_machine_of_the_pictures_is_as_unequal_as_it_says():
    stragglers = method_diagrams.SMALL.stragglers
    factors = [stragglers.slowdowns(0, worker, 3).tolist() for worker in range(4)]
    assert factors == [[factor] * 3 for factor in method_diagrams.FACTORS]
    assert stragglers.mean() == pytest.approx(np.mean(method_diagrams.FACTORS))
    assert stragglers.quantile(stragglers.cdf(method_diagrams.FACTORS)).tolist() == list(
        method_diagrams.FACTORS
    )
    assert stragglers.upper_quantile(0.5) == stragglers.quantile(0.5)
    assert "2.6" in stragglers.describe()


def test_a_pipeline_has_numbered_passes_in_the_colours_of_its_weights():
    drawn = method_diagrams.picture("gpipe")
    tree = ET.fromstring(drawn)  # noqa: S314 - written here
    texts = [element.text or "" for element in tree.iter(f"{SVG}text")]
    assert [f"stage {l}" for l in range(4)] == [text for text in texts if text.startswith("stage ")]
    # going up in order, coming down in reverse; by the right edge the second update is under way
    assert [text[:8] for text in texts if text.startswith("1234")] == ["12344321"] * 4
    assert {"forward pass, in the colour of the weights it reads", "backward pass"} <= set(texts)


def test_collectives_beside_the_backward_pass_stand_under_the_row():
    def under(name):
        tree = ET.fromstring(picture(name))  # noqa: S314 - written here
        paths = [path for path in tree.iter(f"{SVG}path") if path.get("fill") == COLLECTIVE]
        return [path.get("d", "").count("z") for path in paths]

    assert under("all_reduce") == []
    assert under("layer_wise_overlapped")[0] > 4 * 4
