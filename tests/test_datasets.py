"""The rows of charts: spelt out once, as Altair itself would spell them."""

import altair as alt
import numpy as np
import pandas as pd
import pytest

from rebuttal.figures import chart_data

FRAME = pd.DataFrame(
    {
        "method": ["a", None, "c"],
        "seconds": [0.5, np.nan, np.inf],
        "n": [1, 2, 3],
        "standard": [True, False, True],
    }
)


def layered(frame):
    base = alt.Chart(frame)
    return alt.LayerChart(
        layer=[
            base.mark_line().encode(x="seconds:Q", y="n:Q"),
            base.mark_point().encode(x="seconds:Q", y="n:Q", tooltip="method"),
        ]
    )


def test_rows_are_those_that_altair_writes():
    (own,) = layered(FRAME).to_dict()["datasets"].values()
    assert chart_data.rows_of(FRAME) == own
    assert own[1] == {"method": None, "seconds": None, "n": 2, "standard": False}


def test_layers_share_a_dataset_and_the_rest_is_altairs_specification():
    ours, own = chart_data.specification(layered(FRAME)), layered(FRAME).to_dict()
    (name,) = ours["datasets"]
    assert ours["layer"][1]["encoding"]["tooltip"]["type"] == "nominal"  # read off the frame, as ever
    assert str(ours).count(f"'name': '{name}'") == str(own).count(f"'name': '{next(iter(own['datasets']))}'")
    assert [one["mark"] for one in ours["layer"]] == [one["mark"] for one in own["layer"]]
    assert alt.data_transformers.active == "default"  # what a user's own charts go through


def test_a_column_of_anything_else_is_refused():
    with pytest.raises(TypeError, match="when: got Timestamp; allowed: numbers, truths and texts"):
        chart_data.rows_of(pd.DataFrame({"when": [pd.Timestamp(0)]}))
