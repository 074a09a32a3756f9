"""What every method must do, whoever wrote it: one list, one suite. A new method needs one line in runs.METHODS."""

import inspect
import statistics
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from runs import METHODS, machine, run

from rebuttal.base.errors import InputError
from rebuttal.core.timeline import Timeline
from rebuttal.machines.stragglers import Lognormal
from rebuttal.methods import METHODS as LISTED
from rebuttal.methods import method
from rebuttal.simulation.timeline_metrics import gradients, progress, summary, utilisation
from rebuttal.simulation.timeline_metrics.staleness import uses

NAMES = list(METHODS)


def test_every_listed_method_is_in_the_suite():
    assert {program for program, _ in METHODS.values()} == set(LISTED)


@pytest.mark.parametrize("name", NAMES)
def test_is_a_frozen_dataclass_that_says_what_it_is(name):
    program, options = METHODS[name]
    made: Any = method(program, **options)
    assert is_dataclass(made)
    with pytest.raises(FrozenInstanceError):
        made.anything = 1  # pyright: ignore[reportAttributeAccessIssue]
    text = sys.modules[LISTED[program].__module__].__doc__ or ""
    assert text.count("\n") > 3
    assert any(year in text for year in ("(19", "(20")), "cites no source"
    assert f"docs/methods/{program}.md" in text


@pytest.mark.parametrize("name", NAMES)
def test_has_a_page(name, root):
    page = (root / "docs" / "methods" / f"{METHODS[name][0]}.md").read_text()
    for part in ("## Source", "## Pseudo-code", "## Timeline", "## Differences from the paper"):
        assert part in page
    assert f"{METHODS[name][0]}.svg" in page


def test_every_file_is_short_enough_to_read_and_most_are_shorter():
    lines = {
        name: len(inspect.getsource(sys.modules[program.__module__]).splitlines())
        for name, program in LISTED.items()
    }
    assert max(lines.values()) <= 120
    assert statistics.median(lines.values()) < 60


@pytest.mark.parametrize("name", NAMES)
def test_makes_the_updates_it_was_asked_for(name):
    timeline = run(*METHODS[name], updates=17)
    assert len(timeline.updates["value"]) == 18
    assert (np.diff(timeline.updates["time_s"]) >= 0).all()
    assert len(set(timeline.updates["value"].tolist())) == 18


@pytest.mark.parametrize("name", NAMES)
def test_ends_when_enough_batches_went_into_updates(name):
    timeline = run(*METHODS[name], updates=None, batches=60)
    applied = progress(timeline)["batches_applied"].values
    assert applied[-1] >= 60 > applied[-2]


@pytest.mark.parametrize("name", NAMES)
def test_uses_no_gradient_twice_and_none_from_the_future(name):
    timeline = run(*METHODS[name], updates=30)
    taken = [(use.source, use.l) for use in uses(timeline)]  # by each part of the weights once
    assert len(set(taken)) == len(taken) > 0
    table = gradients(timeline)
    used = table.isel(gradient=np.flatnonzero(table["update"] >= 0))
    assert (used["staleness"] >= 0).all()
    assert (used["end_s"] >= used["start_s"]).all()
    made = list(zip(used["node"].values.tolist(), used["value"].values.tolist(), strict=True))
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("name", NAMES)
def test_counts_add_up(name):
    timeline = run(*METHODS[name], updates=30)
    found = summary(timeline)
    assert found["gradients_applied"] + found["gradients_dropped"] <= found["gradients_computed"]
    assert 0 < found["utilisation"] <= 1 + 1e-9
    assert all(0 <= share <= 1 + 1e-9 for share in utilisation(timeline).values())


@pytest.mark.parametrize("name", NAMES)
def test_no_node_computes_two_things_at_once(name):
    timeline = run(*METHODS[name], updates=30, machine=machine(Lognormal(0.5), update_s=0.05))
    computes = timeline.computes
    on_the_wire = [code for code, name in enumerate(timeline.names) if name.startswith("all_reduce")]
    own = ~np.isin(computes["operation"], on_the_wire)  # collectives may run beside a node's own work
    for node in np.unique(computes["node"]):
        rows = own & (computes["node"] == node)
        begin, end = computes["start_s"][rows], computes["end_s"][rows]
        order = np.lexsort((end, begin))
        assert (begin[order][1:] >= end[order][:-1] - 1e-12).all()


@pytest.mark.parametrize("name", NAMES)
def test_survives_being_saved_and_loaded(name, tmp_path):
    timeline = run(*METHODS[name])
    timeline.save(tmp_path / "run.npz")
    again = Timeline.load(tmp_path / "run.npz")
    assert again.order.key == timeline.order.key
    assert again.about == timeline.about
    assert summary(again) == pytest.approx(summary(timeline), nan_ok=True)


@pytest.mark.parametrize("name", NAMES)
def test_refuses_options_it_does_not_have(name):
    with pytest.raises(InputError, match="option"):
        method(METHODS[name][0], no_such_option=1)


@pytest.mark.parametrize(
    ("name", "options", "workers"),
    [
        ("backup_workers", {"b": -1}, 4),
        ("backup_workers", {"b": 4}, 4),
        ("k_sync", {"b": 4}, 4),
        ("softsync", {"n": 0}, 4),
        ("softsync", {"n": 5}, 4),
        ("softsync_aware", {"n": 5}, 4),
        ("asynchronous_clipped", {"c": 0.0}, 4),
        ("delayed", {"k": -1}, 4),
        ("mini_batch", {"shards": 0}, 4),
        ("synchronous", {}, 0),
        ("asynchronos", {}, 4),
    ],
)
def test_refuses_impossible_values_in_one_line(name, options, workers):
    with pytest.raises(InputError) as refusal:
        run(name, options, workers=workers)
    text = str(refusal.value)
    assert "\n" not in text
    assert "got" in text
    assert "allowed" in text


def test_options_say_what_they_are():
    for program in LISTED.values():
        kinds = [kind for kind in program.__mro__ if kind.__module__.startswith("rebuttal.methods.")]
        source = "".join(map(inspect.getsource, kinds))
        for field in fields(program):
            line = next(line for line in source.splitlines() if line.strip().startswith(f"{field.name}:"))
            assert "#" in line, f"{program.__name__}.{field.name} has no comment with its meaning"
