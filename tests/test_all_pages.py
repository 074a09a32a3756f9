"""Pages are made again when one of their inputs changes, and not for another's."""

import shutil

import built_site
import pytest

from rebuttal.base.errors import InputError
from rebuttal.site import all_pages, page_inputs

NAMES = {page.removesuffix(".html") for page in built_site.DRAWN}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of a project whose every page stands."""
    folder = shutil.copytree(built_site.shared(), tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def made():
    """The pages that would be made."""
    return all_pages.write_pages(lambda *_: None)


def changed(path):
    path.write_bytes(path.read_bytes() + b"\n")


def test_pages_that_stand_are_left_as_they_are(project):
    assert {one.name for one in all_pages.every()} == NAMES
    assert made() == []


@pytest.mark.parametrize(
    ("file", "pages"),
    [
        ("papers/layer-wise/paper.yaml", {"layer-wise"}),
        ("notebooks/machines.ipynb", {"machines"}),
        ("results/quick/comparison/tuning/all.nc", {"comparison"}),
        ("results/quick/calibration.nc", {"calibration"}),
        ("results/quick/analyses/memory.nc", {*built_site.REVIEWS, "machines"}),
        ("reports/quick/comparison.html", {"comparison"}),  # somebody wrote into it
    ],
)
def test_a_changed_file_makes_the_pages_that_read_it(project, file, pages):
    changed(project / file)
    assert set(made()) == pages


def test_a_changed_chart_makes_the_pages_that_show_it(project, monkeypatch):
    as_it_is = page_inputs._hash
    for chart, pages in (("few_and_more_workers", {"backup-workers"}), ("theme", NAMES)):
        module = f"rebuttal.figures.{chart}"
        monkeypatch.setattr(
            page_inputs, "_hash", lambda name, module=module: "another" if name == module else as_it_is(name)
        )
        assert set(made()) == pages


@pytest.mark.parametrize("gone", ["layer-wise.html", "rows/layer-wise.json", "notebooks/layer-wise.ipynb"])
def test_a_page_of_which_a_part_was_removed_is_made_again(project, gone):
    (project / "reports/quick" / gone).unlink()
    assert made() == ["layer-wise"]


def test_a_paper_that_is_taken_out_leaves_no_page(project):
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("layer-wise, ", ""))
    all_pages._remove_others(all_pages.every())
    left = {
        path.relative_to(project).as_posix() for path in (project / "reports/quick").rglob("layer-wise.*")
    }
    assert left == {"reports/quick/curves/layer-wise.csv"}  # it goes when the site is made
    assert (project / "reports/quick/random-smoothing.html").is_file()


def test_an_unknown_page_is_refused_with_the_nearest_name(project):
    with pytest.raises(InputError, match=r"page: got 'layerwise'; .*did you mean 'layer-wise'"):
        all_pages.write_pages(lambda *_: None, ["layerwise"])
