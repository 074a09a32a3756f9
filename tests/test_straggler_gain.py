"""What backups gain on real processes: bounded by the draws from below, and beside what order statistics say."""

import json
from dataclasses import replace

import pytest

from rebuttal.site import real_runs
from rebuttal.studies.calibration.both_clocks import WARM_UP
from rebuttal.studies.calibration.straggler_gain import (
    GainSetting,
    _drawn,
    drawn_gain,
    gain,
    on_processes,
    predicted_gain,
)

WIDE = GainSetting(needed=2, stragglers="lognormal_wide", pace_s=0.02, updates=25, seeds=(0,))


def test_many_draws_give_what_order_statistics_predict():
    for needed in (2, 3, 4):
        many = replace(WIDE, needed=needed, updates=40_000 + WARM_UP, seeds=(0, 1, 2))
        assert drawn_gain(many) == pytest.approx(predicted_gain(many, 0.0), rel=0.02)
    assert predicted_gain(WIDE, overhead_s=1e6) == pytest.approx(1.0, abs=1e-3)


def test_seconds_of_known_draws_are_judged_rightly():
    """The clock of sleeping alone: the gain is that of the draws, and no overhead is found."""

    def seconds(workers, b, stragglers, updates, seed, pace_s):
        setting = replace(WIDE, needed=workers - b, stragglers=stragglers, updates=updates)
        return pace_s * _drawn(setting, b, seed)

    row = gain(replace(WIDE, updates=400, seeds=tuple(range(8))), seconds)
    assert row["gain"] == pytest.approx(row["drawn"])
    assert row["overhead_s"] == pytest.approx(0, abs=1e-12)
    assert row["low"] < row["predicted"] < row["high"]
    assert row["agrees"]
    half = gain(replace(WIDE, updates=400, seeds=tuple(range(8))), lambda **given: 1.0 + given["seed"])
    assert not half["agrees"]


def test_a_backup_helps_real_processes_that_straggle():
    alone_s, backed_s = (
        on_processes(2 + b, b, WIDE.stragglers, WIDE.updates, seed=0, pace_s=WIDE.pace_s) for b in (0, 1)
    )
    assert alone_s >= WIDE.pace_s * _drawn(WIDE, 0, 0)
    assert backed_s >= WIDE.pace_s * _drawn(WIDE, 1, 0)
    assert alone_s > backed_s  # the draws themselves are twice as fast


def test_the_page_is_what_the_benchmarks_measured(root):
    runs, *series = (
        json.loads((root / "reference" / f"{name}.json").read_text()) for name in real_runs.FILES
    )
    assert (root / "docs" / "real_runs.md").read_text() == real_runs.page(runs, *series)
    assert sum(row["runs"] for row in runs["methods"]) == len(runs["runs"]) >= 50
    assert all(row["to_the_bit"] for row in runs["runs"])
    for row in (row for gains in series for row in gains["rows"]):
        setting = replace(WIDE, needed=row["needed"], stragglers=row["stragglers"])
        assert row["predicted"] == pytest.approx(predicted_gain(setting, 0.0))
        assert row["agrees"] == (row["low"] <= row["predicted"] <= row["high"])
