"""Several replays as one dataset: each at its own best rate, chosen on validation data."""

import numpy as np
import pytest
import xarray as xr

import rebuttal
from rebuttal.base.errors import InputError

RATES = [0.1, 0.2, 0.4]


def replayed(validation, *, points=4, diverged=(), workload="digits_mlp", seeds=2):
    """What `replay` gives, with these validation accuracies at the end, by learning rate."""
    shape = (seeds, len(RATES), points)
    rising = np.linspace(0.1, 1, points) * np.array(validation)[None, :, None] * np.ones(shape)
    at = np.full(shape[:2], np.nan)
    at[0, list(diverged)] = 3.0
    names = [f"{split}_{what}" for split in ("training", "validation", "test") for what in ("loss", "metric")]
    dims = ("seed", "learning_rate", "point")
    return xr.Dataset(
        dict.fromkeys(names, (dims, rising)) | {"diverged_at": (dims[:2], at)},
        coords={
            "seed": range(seeds), "learning_rate": RATES, "update": ("point", np.arange(points)),
            "epoch": (("seed", "point"), np.tile(np.arange(points) / 2, (seeds, 1))),
            "seconds": (("seed", "point"), np.tile(np.arange(points) * 2.0, (seeds, 1))),
        },
        attrs={"clock": "modelled", "method": "mine", "machine": "ideal", "workload": workload, "metrics": "{}"},
    )  # fmt: skip


def test_each_is_taken_at_its_own_best_rate_among_those_that_did_not_diverge():
    found = rebuttal.side_by_side(
        {"a": replayed([0.8, 0.9, 0.7]), "b": replayed([0.8, 0.9, 0.95], diverged=[2])}
    )
    assert found.learning_rate.squeeze().values.tolist() == [0.2, 0.2]
    assert found.method.values.tolist() == ["a", "b"]
    ends = found.validation_metric.isel(point=-1).mean("seed").squeeze().values
    np.testing.assert_allclose(ends, 0.9)


def test_ends_stay_ends_where_one_has_fewer_points():
    found = rebuttal.side_by_side(
        {"long": replayed([0.5] * 3, points=6), "short": replayed([0.5] * 3, points=3)}
    )
    short = found.sel({"method": "short", "seed": 0}).squeeze()
    assert np.isnan(short["update"].values[:3]).all()
    assert short["update"].values[-1] == 2
    assert short.seconds.values[-1] == 4.0


def test_a_chart_draws_them_in_one_figure():
    chart = rebuttal.chart(rebuttal.side_by_side({"a": replayed([0.5] * 3), "b": replayed([0.6] * 3)}))
    titles = str(chart.to_dict())
    assert "error against seconds" in titles
    assert "2 seeds" in titles


def test_what_cannot_stand_side_by_side_is_refused():
    with pytest.raises(InputError, match=r"replays: got \{\}"):
        rebuttal.side_by_side({})
    with pytest.raises(InputError, match="workload of 'b': got 'digits_deep'; allowed: that of the others"):
        rebuttal.side_by_side({"a": replayed([0.5] * 3), "b": replayed([0.5] * 3, workload="digits_deep")})
    with pytest.raises(InputError, match="a: diverged at every learning rate"):
        rebuttal.side_by_side({"a": replayed([0.5] * 3, diverged=[0, 1, 2])})
