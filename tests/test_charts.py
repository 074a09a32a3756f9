"""Charts: every figure of the list draws, says n and clock, explains its legend, and has a small table."""

from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
import synthetic_analyses
import synthetic_calibration
import synthetic_results
import synthetic_smoothing
from runs import COSTS

from rebuttal import figures
from rebuttal.base.errors import InputError, NothingToDrawError
from rebuttal.core import results
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.figure_list import FIGURES, PUBLISHED
from rebuttal.core.schemas import CALIBRATION, CURVES, STRAGGLERS, SUMMARIES, TUNING
from rebuttal.evidence import datasets, naming
from rebuttal.evidence.rules.compare_rule import Compare
from rebuttal.evidence.rules.product_identity_rule import ProductIdentity
from rebuttal.evidence.rules.trend_rule import Trend
from rebuttal.figures import (
    best_backups,
    chart_rows,
    error_curves,
    layer_timeline,
    softsync_clipping,
    speed_up_split,
    staleness_counts,
    targets,
    theme,
    time_lines,
    time_to_target,
)
from rebuttal.figures.panel import NO_DEFINITION, SHARED, TITLE, join_specs
from rebuttal.simulation.simulate import simulate
from rebuttal.site import definitions
from rebuttal.site.figure import SENTENCE

EVERY = list(PUBLISHED)
LARGEST_SPEC = 200_000  # characters of one panel


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Everything that a drawing may need."""
    study = synthetic_results.write(tmp_path_factory.mktemp("results"))
    found: dict[str, Any] = {"curves": results.load_curves(study), "tuning": results.load_tuning(study)}
    found |= {
        "summaries": results.load_summaries(study),
        "stragglers": results.load_stragglers(study.parent / "analyses"),
    }
    analyses = synthetic_analyses.write(tmp_path_factory.mktemp("results") / "analyses")
    found |= {name: results.load_analysis(name, analyses) for name in ANALYSES}
    found["calibration"] = synthetic_calibration.made()
    smoothing: dict[str, Any] = {
        f"smoothing {name}": one for name, one in synthetic_smoothing.made(study).items()
    }
    smoothing["smoothing targets"] = datasets.targets(smoothing["smoothing tuning"])
    found |= smoothing | {"gantt": timeline(), "layer_gantt": layer_gantt()}
    return found | {"targets": datasets.targets(found["tuning"])}


def timeline():
    return simulate(
        "backup_workers", machine="paper_cluster", workers=6, updates=6, options={"b": 2}, costs=COSTS
    )


def layer_gantt():
    runs = {
        name: simulate(name, machine="ethernet_10g", workers=3, updates=3, options=options, costs=COSTS)
        for name, options in (
            ("layer_wise_overlapped", {}),
            ("delayed_layer_wise", {"k": 1}),
            ("all_reduce", {}),
        )
    }
    return layer_timeline.of(runs, updates=3)


@pytest.fixture(scope="module")
def drawn(data):
    """Figure -> panels, with the methods' own definitions."""
    lines = definitions.methods()
    return {name: figures.panels(name, *given(name, data), definitions=lines) for name in EVERY}


def given(name, data):
    """What a figure needs; the parts of a method are those of the study that has them."""
    of = "smoothing " if name in ("ablation", "speed_up_over_gpipe") else ""
    return [data[of + need] for need in figures.figure(name).needs]


#: Time lines: the title of each panel says what its run did, and any number would be that of one run.
NO_FINDING = {"one_timeline", "layer_timeline"}


@pytest.mark.parametrize("name", EVERY)
def test_a_finding_is_a_sentence_with_a_number_and_without_code_names(name, data):
    said = figures.figure(name).says(*given(name, data))
    assert bool(said) == (name not in NO_FINDING)
    if said:
        assert not said[0].islower()
        assert said.endswith(".")
        assert any(character.isdigit() for character in SENTENCE.split(said)[0]), said  # it is the title
        assert not {"=", "_"} & set(said), said
        assert "nan" not in said, said


@pytest.mark.parametrize(
    "name", [name for name in EVERY if {"curves", "summaries"} & {*figures.figure(name).needs}]
)
@pytest.mark.parametrize("level", [0.9, 2.0])
def test_a_finding_reads_of_one_seed_and_of_a_target_that_nobody_reaches(name, level, data):
    figure = figures.figure(name)
    few = {
        need: one * 0 + level if need == "targets" else one.isel(seed=[0]) if "seed" in one.dims else one
        for need, one in zip(figure.needs, given(name, data), strict=True)
    }
    try:
        said = figure.says(*few.values())
    except NothingToDrawError:
        with pytest.raises(NothingToDrawError):
            figure.panels(*few.values())
        return
    assert said.endswith(".")
    assert "nan" not in said, said


@pytest.mark.parametrize("name", [name for name in EVERY if figures.figure(name).of_paper])
def test_a_finding_speaks_of_what_a_paper_compares(name, data):
    pair = (["backup_workers"], ["asynchronous"])
    if name.startswith("speed_up_over"):
        pair = (["pprs"] if "gpipe" in name else ["backup_workers"], [figures.figure(name).baseline])
    said = figures.figure(name).says(*given(name, data), compared=pair)
    first = SENTENCE.split(said)[0]
    for labels in pair:
        assert naming.named(labels[0]) in first, said


def test_every_module_with_a_figure_is_in_the_list_once():
    folder = Path(figures.__file__).parent
    made = {path.stem for path in folder.glob("*.py") if "\nFIGURE = " in path.read_text()}
    assert sorted(FIGURES.values()) == sorted(made)
    assert set(FIGURES) == {*EVERY, "replay"}


def test_a_default_figure_is_known_by_a_variable_that_only_its_data_hold():
    schemas = [CURVES, TUNING, SUMMARIES, STRAGGLERS, CALIBRATION, *ANALYSES.values()]
    suiting = {name: figures.figure(name).suits for name in FIGURES if figures.figure(name).suits}
    assert len(set(suiting.values())) == len(suiting)
    for name, variable in suiting.items():
        holders = {one.name for one in schemas if variable in one.variables}
        assert holders <= {figures.figure(name).needs[0]}, name


@pytest.mark.parametrize("name", EVERY)
def test_panels_are_valid_responsive_described_and_small(name, drawn):
    for panel in drawn[name]:
        spec = panel.chart.to_dict()  # Altair validates here
        assert spec["width"] == "container"
        assert len(spec["description"].split()) >= 4
        assert panel.title
        assert len(str(spec)) < LARGEST_SPEC


@pytest.mark.parametrize("name", EVERY)
def test_every_panel_says_its_clock_and_axes_have_titles(name, drawn):
    for panel in drawn[name]:
        about = "; ".join(panel.about)
        assert "clock" in about
        encodings = [layer["encoding"] for layer in panel.spec["layer"]]
        titled = [e[axis].get("title") for e in encodings for axis in ("x", "y") if axis in e]
        assert any(titled)


@pytest.mark.parametrize("name", EVERY)
def test_every_legend_entry_is_explained_and_drawn_once(name, drawn):
    for panel in drawn[name]:
        assert panel.key
        assert all(entry.definition not in ("", NO_DEFINITION) for entry in panel.key)
        assert len({entry.label for entry in panel.key}) == len(panel.key)
    looks = {(entry.label, entry.style) for panel in drawn[name] for entry in panel.key}
    assert len({label for label, _ in looks}) == len(looks)  # the page prints one key for all panels


@pytest.mark.parametrize("name", EVERY)
def test_tables_are_short_and_hold_numbers(name, data):
    table = figures.table(name, *given(name, data))
    assert 0 < len(table) <= 40
    assert table.attrs["rows"] >= len(table)
    assert table.select_dtypes("number").shape[1] >= 1


@pytest.mark.parametrize("name", EVERY)
def test_drawing_twice_gives_the_same_specification(name, data, drawn):
    again = figures.panels(name, *given(name, data), definitions=definitions.methods())
    assert [panel.spec for panel in again] == [panel.spec for panel in drawn[name]]


@pytest.mark.parametrize("name", EVERY)
def test_a_joined_specification_holds_every_panel_as_it_is_with_its_title_in_lines(name, drawn):
    spec = join_specs(drawn[name])
    for part, panel in zip(spec["concat"], drawn[name], strict=True):
        own = {key: one for key, one in panel.spec.items() if key not in SHARED}
        assert {**part, "width": "container", "title": own["title"]} == own
        assert " ".join(part["title"]["text"]) == own["title"]["text"]
        assert max(map(len, part["title"]["text"])) <= TITLE
        assert panel.spec["datasets"].items() <= spec["datasets"].items()


@pytest.mark.parametrize("name", ["convergence", "method_curves", "delay_map"])
def test_the_joined_specification_is_valid(name, drawn):
    """Each panel is, by a test above; what joins them, once with a parameter, is checked on the first and the last."""
    spec = join_specs([*drawn[name][:1], *drawn[name][1:][-1:]])
    spec["datasets"] = {
        key: rows[:3] for key, rows in spec["datasets"].items()
    }  # one row is checked like another
    alt.Chart.from_dict(spec)


def test_a_method_keeps_its_colour_in_every_figure(drawn):
    seen: dict[str, set[str]] = {}
    for panels in drawn.values():
        for entry in (
            entry for panel in panels for entry in panel.key if theme.family(entry.label) in theme.FAMILIES
        ):
            seen.setdefault(theme.family(entry.label), set()).add(entry.style.colour)
    assert {name: colours for name, colours in seen.items() if len(colours) > 1} == {}


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("background", ["#fcfcfa", "#14171a"])
def test_colours_can_be_seen_on_a_light_and_on_a_dark_page(background):
    for colour, _ in theme.FAMILIES.values():
        low, high = sorted((luminance(colour), luminance(background)))
        assert (high + 0.05) / (low + 0.05) > 2.4, colour


@pytest.mark.parametrize("rule", [Compare, Trend, ProductIdentity])
def test_figures_of_one_target_show_the_target_of_the_verdicts(rule):
    assert rule.model_fields["target"].default == targets.TARGET
    assert targets.TARGET in datasets.MULTIPLES


def test_the_main_methods_are_one_variant_each_by_validation(data):
    chosen = error_curves.main_methods(data["curves"])
    families = [theme.family(label) for label in chosen]
    assert len(families) == len(set(families))
    assert "delayed" not in families
    assert "mini_batch shards=16" in chosen  # the synthetic results make it the best


def test_convergence_shows_the_mean_over_seeds(data):
    at = data["curves"].sel(workload="digits_mlp", machine="paper_cluster", rate="tuned")
    frame = error_curves.curve_rows(at)
    row = frame[(frame["method"] == "synchronous") & (frame["point"] == 5)].iloc[0]
    assert row["mean"] == pytest.approx(
        1 - float(at.test_metric.sel({"method": "synchronous"}).isel(point=5).mean())
    )
    assert row["low"] <= row["mean"] <= row["high"]
    assert row["n"] == 5


def test_diverged_runs_are_counted(data):
    curves = data["curves"].copy(deep=True)
    place = {
        "method": "synchronous",
        "workload": "digits_mlp",
        "machine": "paper_cluster",
        "rate": "tuned",
        "seed": 0,
    }
    curves["diverged_at"].loc[place] = 40.0
    for name in ("test_metric", "validation_metric"):
        curves[name].loc[place] = np.nan
    table = error_curves.table(curves)
    chosen = (table["method"] == "synchronous") & (table["workload"] == "digits_mlp")
    row = table[chosen & (table["machine"] == "paper_cluster")].iloc[0]
    assert (row["diverged"], row["n"]) == (1, 4)


def test_a_method_with_a_stale_variant_is_not_said_to_be_fresh():
    said = staleness_counts.without_staleness(["gpipe m=2", "pipe form=a", "pipe form=b"], ["pipe form=b"])
    assert said == ["GPipe", "pipe (a)"]


def test_a_method_that_was_not_run_on_a_workload_did_not_miss_its_target(data):
    frame = softsync_clipping.rows(data["curves"], data["targets"])
    name, gone = str(frame["workload"].iloc[0]), str(frame["method"].iloc[0])
    assert gone in softsync_clipping.tried_on(frame, name)
    here = (frame["workload"] == name) & (frame["method"] == gone)
    assert gone not in softsync_clipping.tried_on(chart_rows.keep(frame, ~here), name)


def test_a_missed_target_is_marked_not_dropped(data):
    frame = time_to_target.rows(data["curves"], data["targets"])
    column = {name: np.asarray(frame[name]) for name in frame}
    hard = (column["method"] == "asynchronous") & (column["multiple"] == column["multiple"].min())
    np.testing.assert_array_equal(column["missed"][hard], column["n"][hard])
    assert np.isnan(column["seconds"][hard]).all()
    assert (column["at_least"][hard] > 0).all()


def test_the_split_multiplies_to_the_whole(data):
    frame = speed_up_split.rows(data["curves"], data["targets"])
    wide = frame.pivot_table(index=["workload", "machine", "method"], columns="part", values="mean")
    np.testing.assert_allclose(wide["total"], wide["updates"] * wide["seconds_per_update"], rtol=1e-9)


def test_best_backups_is_where_progress_per_second_is_largest(data):
    frame = best_backups.rows(data["stragglers"])
    for _, part in frame.groupby(["straggler", "workers"]):
        assert np.asarray(part["speed"])[np.asarray(part["best"])][0] == np.max(part["speed"])
    none = np.asarray((frame["straggler"] == "none") & frame["best"])
    assert set(np.asarray(frame["backups"])[none]) == {0}  # without stragglers a backup is a waste


def test_a_timeline_is_drawn_with_its_drops():
    table = time_lines.table(timeline())
    assert {"used", "dropped", "update", "message"} <= set(table["what"])
    assert figures.figure_of(timeline()) == "one_timeline"


def test_chart_finds_the_figure_of_its_data(data):
    for kind, figure in (
        ("curves", "convergence"),
        ("tuning", "learning_rates"),
        ("summaries", "utilisation"),
    ):
        assert figures.figure_of(data[kind]) == figure
    assert figures.figure_of(data["stragglers"]) == "backups_order_statistics"
    assert isinstance(figures.chart(data["summaries"]), alt.TopLevelMixin)


def test_a_replay_is_drawn_with_a_line_per_learning_rate(data):
    curves = (
        data["curves"].isel(method=0, workload=0, machine=0, rate=0, drop=True).drop_vars("learning_rate")
    )
    replay = curves.expand_dims(learning_rate=[0.1, 0.2])
    panels = figures.panels("replay", replay)
    assert [entry.label for entry in panels[0].key] == ["0.1", "0.2"]
    assert len(figures.table("replay", replay)) == 2


def test_bad_input_is_one_line(data):
    lacking = data["curves"].drop_vars("test_metric")
    unknown = data["curves"].assign_attrs(clock="guessed")
    table = pd.DataFrame({"node": [0]})
    for call in (
        lambda: figures.chart(data["curves"], figure="convergance"),
        lambda: figures.chart(lacking, figure="convergence"),
        lambda: figures.chart(unknown, figure="convergence"),
        lambda: figures.chart(table, figure="one_timeline"),
        lambda: figures.chart(3),
        lambda: speed_up_split.rows(data["curves"], data["targets"], baseline="asynchron"),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="did you mean 'convergence'"):
        figures.figure("convergance")
