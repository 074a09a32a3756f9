"""The names of lines at their ends: clear of each other, those that stand out first, and only for a few."""

import altair as alt
import pandas as pd
import pytest

from rebuttal.figures.line_ends import CLEAR, DATA, MOST, with_names
from rebuttal.figures.marks import marks
from rebuttal.figures.panel import axis, emphasised, method_key, panel


def drawn(ends, own=(), log=False):
    """The specification of a chart of two points for each line, which ends at the value given for it."""
    rows = [{"method": name, "n": n, "mean": value} for name, value in ends.items() for n in (1, 2)]
    key = method_key(list(ends), None)
    m = marks(pd.DataFrame(rows), axis(alt.X, "n", "n"), axis(alt.Y, "mean", "mean", log=log), key)
    one = emphasised(panel([m.band(), m.line()], "title", "about", "said", key), own)
    return one.spec, one.key


def named(spec):
    return [row["name"] for row in spec["datasets"].get(DATA, [])]


def test_lines_that_end_apart_have_their_names_at_their_last_points():
    spec, key = drawn({"bucketed": 1.0, "downpour": 5.0, "softsync": 10.0})
    made = with_names(spec, key)
    assert sorted(named(made)) == ["bucketed", "downpour", "softsync"]
    assert all(row["n"] == 2 for row in made["datasets"][DATA])
    assert {row["mean"] for row in made["datasets"][DATA]} == {1.0, 5.0, 10.0}
    assert made["layer"][:-1] == spec["layer"]
    assert made["padding"]["right"] > len("softsync") * 5
    assert DATA not in spec["datasets"]


@pytest.mark.parametrize(("own", "first"), [((), "downpour"), (("bucketed",), "bucketed")])
def test_of_names_that_would_touch_the_one_that_stands_out_is_kept(own, first):
    near = 1.0 + 0.9 * CLEAR / 200 * 9.0
    spec, key = drawn({"bucketed": 1.0, "downpour": near, "softsync": 10.0}, own)
    assert sorted(named(with_names(spec, key))) == sorted(["softsync", first])


def test_a_line_that_ends_before_the_others_has_no_name():
    spec, key = drawn({"bucketed": 1.0, "downpour": 5.0, "softsync": 10.0})
    (rows,) = spec["datasets"].values()
    rows.remove(next(row for row in rows if row["method"] == "downpour" and row["n"] == 2))
    assert sorted(named(with_names(spec, key))) == ["bucketed", "softsync"]


def test_many_lines_and_charts_without_lines_have_no_names():
    many, key = drawn({f"own_{at}": float(at) for at in range(MOST + 1)})
    assert with_names(many, key) == many
    spec, key = drawn({"bucketed": 1.0, "downpour": 5.0})
    points = spec | {"layer": [layer for layer in spec["layer"] if layer["mark"]["type"] != "line"]}
    assert with_names(points, key) == points


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("test error", "test error (%)"),
        ("test error, log scale", "test error (%), log scale"),
        (["test error at the end", "log scale"], ["test error at the end (%)", "log scale"]),
    ],
)
def test_an_axis_of_shares_is_read_off_in_per_cent(title, said):
    one, other = (axis(alt.Y, "mean", title, share=share).to_dict() for share in (True, False))
    assert one["title"] == said
    assert one["axis"]["labelExpr"].startswith("format(100 * datum.value")
    assert other["title"] == title
    assert "axis" not in other
