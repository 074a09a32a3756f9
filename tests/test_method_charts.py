"""Charts of many methods: groups, what is drawn of each variant, and what the sentences beside them say."""

import json
import re
from itertools import combinations

import numpy as np
import pytest
import synthetic_comparison
import synthetic_results
from synthetic_comparison import DIVERGED, LABELS, NEVER, SAME

from rebuttal import figures
from rebuttal.evidence import datasets, naming
from rebuttal.figures import (
    many_methods,
    method_curves,
    method_errors,
    method_groups,
    method_rates,
    method_times,
    theme,
)
from rebuttal.figures import method_trade_off as trade_off
from rebuttal.figures.panel import emphasised, join_specs
from rebuttal.methods import METHODS

FIGURES = ("method_errors", "method_times", "method_curves", "method_trade_off", "method_rates")
# linear light under normal sight, deuteranopia and protanopia (Machado, Oliveira & Fernandes 2009, severity 1)
SIGHTS = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
# from linear light to OKLab (Ottosson 2020)
TO_CONES = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip
APART = {"normal": 0.10, "deuteranopia": 0.06, "protanopia": 0.06}  # in OKLab; 0.02 is just noticeable


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Everything that a drawing of many methods may need."""
    found = synthetic_comparison.made(synthetic_results.write(tmp_path_factory.mktemp("results")))
    return found | {"targets": datasets.targets(found["tuning"])}


@pytest.fixture(scope="module")
def drawn(data):
    """Figure -> panels."""
    return {name: figures.panels(name, *given(name, data)) for name in FIGURES}


def given(name, data):
    return [data[need] for need in figures.figure(name).needs]


def oklab(colour, sight):
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return TO_LAB @ np.cbrt(TO_CONES @ np.clip(SIGHTS[sight] @ linear, 0, 1))


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_colours_of_groups_keep_their_distance(sight):
    for one, other in combinations(method_groups.GROUPS.values(), 2):
        distance = np.linalg.norm(oklab(one.colour, sight) - oklab(other.colour, sight))
        assert distance > APART[sight], (one.name, other.name)


def test_no_reading_of_a_group_rests_on_its_colour_alone():
    every = [*method_groups.GROUPS.values(), method_groups.OTHER]
    for look in ("shape", "dash", "name"):
        assert len({getattr(one, look) for one in every}) == len(every)


def test_every_method_has_a_group_and_a_look_of_its_own():
    grouped = [name for one in method_groups.GROUPS.values() for name in one.families]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) <= set(METHODS)
    assert set(METHODS) <= set(theme.FAMILIES)
    looks = [theme.FAMILIES[name] for name in METHODS]
    assert len(set(looks)) == len(looks)


def test_what_studies_call_a_method_has_a_look_that_no_figure_changes(root):
    texts = [path.read_text(encoding="utf-8") for path in root.glob("papers/*/study.yaml")]
    own = {
        name for text in texts for name in re.findall(r"^ +(\w+):(?=\s*{?\s*program:)", text, re.MULTILINE)
    }
    assert "mini_batch_momentum" in own
    assert own <= set(theme.FAMILIES)


def test_a_studys_own_name_for_a_method_stands_in_its_group():
    assert method_groups.group_of("mini_batch_momentum") == method_groups.group_of("mini_batch")
    assert method_groups.group_of("delayed_layer_wise") == "collectives"  # not that of delayed
    assert method_groups.group_of("mini_batches") == "other"


def test_a_method_without_a_group_is_drawn_among_the_others(drawn):
    assert method_groups.group_of("method_of_my_own") == "other"
    titles = [panel.title for panel in drawn["method_errors"]]
    assert titles == [*(one.name for one in method_groups.GROUPS.values()), method_groups.OTHER.name]


@pytest.mark.parametrize("name", FIGURES)
def test_every_variant_is_in_the_table_once(name, data):
    table = figures.table(name, *given(name, data))
    assert sorted(table["method"]) == sorted(LABELS)
    assert table.attrs["rows"] == len(LABELS)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_what_the_data_say(name, data):
    text = figures.figure(name).finding(*given(name, data))
    assert text.endswith(".")
    assert any(character.isdigit() for character in text)
    assert "nan" not in text


@pytest.mark.parametrize("name", FIGURES)
def test_a_single_seed_is_drawn_without_an_interval(name, data):
    few = {key: one.isel(seed=[0]) if "seed" in one.dims else one for key, one in data.items()}
    panels = figures.panels(name, *given(name, few))
    assert all(panel.spec["layer"] for panel in panels)
    domains = [
        channel["scale"]["domain"]
        for panel in panels
        for layer in panel.spec["layer"]
        for channel in layer["encoding"].values()
        if isinstance(channel, dict) and "domain" in (channel.get("scale") or {})
    ]
    assert "NaN" not in json.dumps(domains)
    assert "nan" not in figures.figure(name).finding(*given(name, few))


@pytest.mark.parametrize("name", ["method_errors", "method_times", "method_rates"])
def test_every_variant_has_a_row_in_the_panel_of_its_group(name, drawn):
    rows = {}
    for panel in drawn[name]:
        axes = [layer["encoding"]["y"] for layer in panel.spec["layer"] if "y" in layer["encoding"]]
        rows[panel.title] = axes[0]["scale"]["domain"]
    expected = {}
    for label in LABELS:
        expected.setdefault(method_groups.group(method_groups.group_of(theme.family(label))).name, set()).add(
            label
        )
    assert {title: set(labels) for title, labels in rows.items()} == expected


@pytest.mark.parametrize("name", ["method_errors", "method_times"])
def test_rows_of_what_a_paper_compares_keep_their_colour_and_all_others_stand_back(name, drawn):
    own = {"continuous_propagation"}
    for panel in drawn[name]:
        plain = panel.key[0].style.colour
        one = emphasised(panel, own)
        scales = [
            layer["encoding"]["color"]["scale"] for layer in one.spec["layer"] if "color" in layer["encoding"]
        ]
        mine = [label for label in panel.rows if theme.stands_out(label, own)]
        wanted = {label: plain if label in mine else theme.behind([label])[label] for label in panel.rows}
        assert scales
        for scale in scales:
            assert dict(zip(scale["domain"], scale["range"], strict=True)) == wanted
        assert one.key[0].style.colour == (plain if mine else theme.MUTED)
        assert emphasised(panel, ()) is panel


@pytest.mark.parametrize("name", ["method_errors", "method_times"])
def test_groups_share_one_axis(name, drawn):
    domains = {
        json.dumps(layer["encoding"]["x"]["scale"]["domain"])
        for panel in drawn[name]
        for layer in panel.spec["layer"]
        if "scale" in layer["encoding"].get("x", {})
    }
    assert len(domains) == 1


def test_errors_are_sorted_within_groups_and_count_a_diverged_run_as_untrained(data):
    frame = method_errors.rows(data["curves"])
    for _, part in many_methods.by_group(frame):
        assert part["mean"].is_monotonic_increasing
    row = frame[frame["method"] == DIVERGED].iloc[0]
    runs = many_methods.one_place(data["curves"]).sel({"method": DIVERGED, "rate": "tuned"})
    ends = np.where(
        runs.seed == 0,
        runs.test_metric.isel(point=0),
        runs.test_metric.isel(point=slice(-3, None)).mean("point"),
    )
    assert row["mean"] == pytest.approx(1 - ends.mean())
    assert row["diverged"] == 1


def test_equal_runs_are_found_and_counted(data):
    same = many_methods.equals(many_methods.one_place(data["curves"]))
    assert same[SAME[0]] == [SAME[1]]
    assert same["hogwild"] == []
    assert "1 with the same values to the bit" in method_errors.finding(data["curves"])


def test_a_missed_target_is_a_hollow_mark_and_no_time(data):
    curves = data["curves"].copy(deep=True)
    curves["test_metric"].loc[{"method": "asynchronous"}] = 0.1
    frame = method_times.rows(curves, data["targets"])
    assert list(frame.loc[~frame["reached"], "method"]) == ["asynchronous"]
    table = figures.table("method_times", curves, data["targets"]).set_index("method")
    assert np.isnan(table.loc["asynchronous", "seconds"])
    assert table.loc["asynchronous", "ended_after"] > 0
    drawn = figures.panels("method_times", curves, data["targets"])
    panel = next(one for one in drawn if one.title == method_groups.GROUPS["server"].name)
    hollow = [layer for layer in panel.spec["layer"] if layer["mark"].get("filled") is False]
    assert len(hollow) == 1


def test_the_best_of_each_group_is_chosen_on_validation_data(data):
    curves = data["curves"].copy(deep=True)
    curves["test_metric"][:] = 0.5
    assert method_curves.best_of_groups(curves) == method_curves.best_of_groups(data["curves"])
    curves["validation_metric"].loc[{"method": "hogwild"}] = 1.0
    assert method_curves.best_of_groups(curves)["memory"] == "hogwild"


def test_a_curve_ends_where_its_first_run_diverged(data):
    curves = data["curves"].copy(deep=True)
    curves["test_loss"].loc[{"method": "greedy", "seed": 0, "point": slice(8, None)}] = np.nan
    frame = method_curves.rows(curves)
    method, point, last = (np.asarray(frame[name]) for name in ("method", "point", "last"))
    assert point[last & (method == "greedy")].tolist() == [7]
    assert set(point[last & (method != "greedy")]) == {curves.sizes["point"] - 1}


def test_one_choice_drives_all_panels_of_the_curves(drawn):
    spec = join_specs(drawn["method_curves"])
    assert [each["name"] for each in spec["params"]] == [method_curves.CHOICE]
    bound = spec["params"][0]["bind"]
    assert set(LABELS) | set(method_groups.GROUPS) | {method_curves.BEST} <= set(bound["options"])
    assert len(bound["labels"]) == len(bound["options"])
    assert not any("params" in part for part in spec["concat"])


def test_the_frontier_is_what_nothing_beats():
    cost, error = np.array([3.0, 1.0, 2.0, 2.0, 4.0]), np.array([0.2, 0.5, 0.6, 0.3, 0.2])
    assert trade_off.frontier(cost, error).tolist() == [True, True, False, True, False]


def test_nothing_lies_below_the_frontier(data):
    frame = trade_off.rows(data["curves"], data["summaries"])
    cost, error, best = (np.asarray(frame[name]) for name in (trade_off.SPEED, "mean", "best"))
    assert best.any()
    for one_cost, one_error in zip(cost, error, strict=True):
        assert error[best & (cost <= one_cost)].min() <= one_error


def test_who_diverged_at_every_rate_is_listed(data):
    found = method_rates.outcome(data["tuning"])
    assert found["every"] == [NEVER]
    assert naming.in_text(NEVER) in method_rates.finding(data["tuning"])
    frame = method_rates.rows(data["tuning"])
    assert np.isfinite(frame["drawn"]).all()


def test_a_name_stands_apart_from_a_number_and_a_phrase_stays_a_phrase():
    assert theme.words("local_sgd H=4 post=50.0") == "local SGD, H = 4, post = 50"
    assert (
        naming.in_text("local_sgd H=4 post=50") == "local SGD (4 local updates, after 50 synchronous updates)"
    )
    assert naming.in_text("local_sgd") == "local SGD"
    assert theme.words("practical settings, one sample") == "practical settings, one sample"


def test_names_say_what_sets_a_variant_apart():
    short = many_methods.short_names(LABELS)
    assert short["gpipe m=4"] == ["GPipe", "m = 4"]
    assert short["local_sgd H=4"] == ["local SGD"]
    assert short["local_sgd H=4 post=50"] == ["local SGD", "post = 50"]
    assert short["one_sided atomic=false"] == ["one-sided access", "not atomic"]
    assert short["continuous_propagation form=stash mitigation=spike"][1] == "stash, spike"
    long = many_methods.short_names(
        ["continuous_propagation_momentum a=1", "continuous_propagation_momentum a=2"]
    )
    assert [*long.values()] == [["continuous propagation", f"with momentum, a = {a}"] for a in (1, 2)]
    assert len({tuple(lines) for lines in short.values()}) == len(LABELS)
