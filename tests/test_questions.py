"""Questions beyond runs: readings of analyses, explanations in words, questions that are open, papers without runs."""

import json

import numpy as np
import pytest
import synthetic_analyses
import xarray as xr
import yaml

from rebuttal.base.errors import InputError
from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.schemas import AnalysisSchema
from rebuttal.evidence import naming, papers, result_files
from rebuttal.evidence.ledger import ledger
from rebuttal.evidence.readers_units import unit_of
from rebuttal.evidence.rules import rule_of
from rebuttal.evidence.rules.reading_rule import Reading
from rebuttal.site import site_pages
from rebuttal.site.words import numbers

NOISY = AnalysisSchema("noisy", "noisy.nc", {"slope": ("place", "seed")})
ABOUT = {"id": "open-paper", "title": "A title", "authors": ["An Author"], "year": 2026, "venue": "nowhere",
         "links": ["https://example.org"], "sources": ["The text."]}  # fmt: skip


def concern(number, **given):
    return {"id": f"op-{number}", "kind": "theory", "text": "What is asked?", **given}


def reading(**given):
    return {"kind": "reading", "data": "speedups", "variable": "speedup", "within": [None, 1.0], **given}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("questions")
    (place / "dvc.yaml").write_text("stages: {}\n")
    synthetic_analyses.write(place / "results" / "quick" / "analyses")
    return place


@pytest.fixture
def judged(folder, tmp_path, monkeypatch):
    """The ledger's row of one concern of a paper that has no study."""
    monkeypatch.chdir(folder)

    def row(**given):
        path = tmp_path / "paper.yaml"
        path.write_text(yaml.safe_dump(ABOUT | {"concerns": [concern(1, **given)]}))
        return ledger(papers.load(path), result_files.without_runs())[0]

    return row


def of(rule):
    return {"answers": [{"figure": "layer_wise_speedups", "explain": "Why.", "rule": rule}]}


@pytest.fixture(scope="module")
def speedups(folder):
    return results.load_analysis("speedups", folder / "results" / "quick" / "analyses").speedup


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("highest", np.max), ("lowest", np.min), ("median", np.median), ("mean", np.mean)],
)
def test_a_reading_is_on_the_side_of_its_bounds_on_which_the_numbers_are(judged, speedups, statistic, value):
    number = float(value(speedups.values))
    for within, status in (
        ([number - 1e-6, number + 1e-6], "supported"), ([number + 1e-6, None], "contradicted"),
        ([None, number - 1e-6], "contradicted"),
    ):  # fmt: skip
        row = judged(**of(reading(statistic=statistic, within=within)))
        assert row["word"] == status
        assert row["parts"][0]["effect"] == pytest.approx(number, rel=1e-5)
        assert row["parts"][0]["n"] == speedups.size


def test_all_numbers_are_supported_mixed_or_contradicted(judged, speedups):
    low, middle, high = (float(np.quantile(speedups.values, share)) for share in (0.0, 0.5, 1.0))
    for within, status in (
        ([low, high], "supported"), ([low, middle], "depends"), ([high + 1, None], "contradicted"),
    ):  # fmt: skip
        row = judged(**of(reading(within=within)))
        assert row["word"] == status
        assert row["parts"][0]["interval"] == pytest.approx([low, high], rel=1e-5)


def test_a_reading_is_of_the_labels_that_it_names_one_by_one(judged, speedups):
    forms = [str(form) for form in speedups.form.values]
    row = judged(**of(reading(each="form", where={"form": forms[:2]}, statistic="highest")))
    parts = row["parts"][0]["places"]
    assert [part["where"] for part in parts] == forms[:2]
    for part in parts:
        assert part["effect"] == pytest.approx(float(speedups.sel(form=part["where"]).max()), rel=1e-5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": "speedup"}, "did you mean 'speedups'"),
        ({"variable": "speedupp"}, "did you mean 'speedup'"),
        ({"where": {"from": "x"}}, "did you mean 'form'"),
        ({"where": {"form": "layer_wis"}}, "did you mean 'layer_wise'"),
        ({"each": "forms"}, "did you mean 'form'"),
        ({"within": [1.0]}, "two bounds"),
        ({"within": ["low", None]}, "a number, or null"),
        ({"statistic": "most"}, "highest"),
    ],
)
def test_what_is_not_in_an_analysis_is_refused_by_its_key(judged, given, said):
    with pytest.raises(InputError) as caught:
        judged(**of(reading(**given)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_share_is_in_per_cent_where_it_is_measured_and_where_it_is_bounded():
    given = {"kind": "reading", "data": "throughput", "variable": "relative", "within": [None, 0.5]}
    assert Reading.model_validate(given).unit == "share"
    assert rule_of(given).in_words().endswith("is at most 50 %")
    assert rule_of(given | {"variable": "half_batch"}).in_words().endswith("is at most 0.5")
    assert numbers({"effect": 2.04, "interval": [None, None], "unit": unit_of("share").name}) == "2.0 %"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("digits_mlp, paper_cluster", "handwritten digits, small MLP, the paper's cluster"),
        ("layer_wise lazy=false", "layer-wise all-reduce (not lazy)"),
        ("64", "64"),
        ("", ""),
    ],
)
def test_a_place_is_said_in_words(where, said):
    assert naming.place(where) == said


def test_a_reading_over_seeds_has_an_interval_and_needs_five(judged, folder, monkeypatch):
    monkeypatch.setitem(ANALYSES, "noisy", NOISY)
    random = np.random.default_rng(0)
    for seeds, expected in ((4, "cannot tell"), (9, "supported")):
        values = xr.DataArray(1 + 0.01 * random.standard_normal((2, seeds)), dims=("place", "seed"),
                              coords={"place": ["a", "b"], "seed": range(seeds)})  # fmt: skip
        data = xr.Dataset({"slope": values}, attrs={"clock": "modelled"})
        results.save(data, folder / "results" / "quick" / "analyses" / "noisy.nc")
        row = judged(**of(reading(data="noisy", variable="slope", within=[0.9, 1.1], each="place")))
        assert row["word"] == expected
        part = row["parts"][0]
        assert part["n"] == seeds
    low, high = part["interval"]
    assert low < part["effect"] < high


def test_words_answer_and_bend_no_verdict(judged):
    words = {"explain": "See there.", "role": "explains", "rule": {"kind": "explained", "methods": ["gpipe"]}}
    alone = judged(asks="what", answers=[words | {"role": "decides", "says": "it is explained there"}])
    part = alone["parts"][0]
    assert (alone["word"], part["effect"], part["figure"]) == ("answered", None, None)
    refuted = {"figure": "layer_wise_speedups", "explain": "Why.", "rule": reading(within=[None, -1.0])}
    both = judged(answers=[words, refuted])
    assert both["word"] == "contradicted"
    assert both["parts"][0]["figure"] == "layer_wise_speedups"


def piece(within, **given):
    return {"figure": "layer_wise_speedups", "explain": "Why.", "rule": reading(within=within), **given}


def test_what_explains_and_what_checks_has_no_vote(judged):
    others = [piece([None, -1.0], role="explains", part="beside"), piece([0.0, None], role="checks")]
    row = judged(answers=[piece([None, 1e9]), *others])
    assert row["word"] == "supported"
    assert [one["word"] for one in row["more"]] == ["contradicted"]
    assert [one["holds"] for one in row["checks"]] == [True]
    against = judged(answers=[piece([None, -1.0]), *others[1:]])
    assert against["word"] == "contradicted"


def test_a_check_that_does_not_hold_stops_in_one_line(judged):
    with pytest.raises(InputError, match="op-1: a check does not hold on everywhere: got ") as caught:
        judged(answers=[piece([None, 1e9]), piece([None, -1.0], role="checks")])
    assert "\n" not in str(caught.value)


def test_a_slot_that_is_none_is_refused_with_the_nearest(judged):
    with pytest.raises(InputError, match=r"says: got '\{valu\}'.*did you mean '\{value\}'") as caught:
        judged(answers=[piece([None, 1.0], says="the highest is {valu}")])
    assert "\n" not in str(caught.value)


def test_without_evidence_a_question_is_open_and_says_what_is_missing(judged):
    row = judged(missing="Nobody has measured it.")
    assert (row["word"], row["missing"], row["parts"]) == ("open", "Nobody has measured it.", [])
    assert row["answer"]
    with pytest.raises(InputError, match="or `missing`"):
        judged()


def test_a_figure_may_lack_only_where_nothing_is_measured(judged):
    with pytest.raises(InputError, match=r"concerns\.0\.answers\.0\.figure: got None"):
        judged(answers=[{"explain": "Why.", "rule": reading()}])


def test_a_paper_without_a_study_has_no_runs_to_judge(judged):
    rule = {"kind": "trend", "what": "final_test_error", "of": "delayed k=", "direction": "rising"}
    with pytest.raises(InputError, match="reading or boundary or explained, in a paper without a study"):
        judged(answers=[{"figure": "staleness_error", "explain": "Why.", "rule": rule}])


def test_one_short_file_gives_a_page_that_lists_every_concern_as_open(folder, monkeypatch, request):
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    source = request.config.rootpath / "notebooks" / "review_paper.ipynb"
    (notebooks / source.name).write_text(source.read_text())
    place = folder / "papers" / "open-paper" / "paper.yaml"
    place.parent.mkdir(parents=True)
    asked = [concern(number, missing="No runs yet.") for number in (1, 2, 3)]
    answered = concern(4, **of(reading(statistic="highest")))
    about = ABOUT | {"changed": ["The margin & more."]}
    place.write_text(yaml.safe_dump(about | {"concerns": [*asked, answered]}))
    monkeypatch.chdir(folder)
    page = site_pages.write_review("open-paper").read_text()
    rows = json.loads((folder / "reports/quick/rows/open-paper.json").read_text())["rows"]
    assert [row["word"] for row in rows[:3]] == ["open"] * 3
    for row in rows:
        assert f'id="{row["id"]}"' in page
    assert "No runs yet." in page
    assert "<li>The margin &amp; more.</li>" in page
    assert 'id="fig-layer_wise_speedups"' in page
