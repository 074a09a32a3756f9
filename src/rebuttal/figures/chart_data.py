"""The rows of a chart, spelt out once however many of its layers draw them.

Altair's own way goes over a frame with care once for each layer, and hashes what comes out; a report has hundreds of
layers. The frames of this package are plain: numbers, truths and texts, in columns with names.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

Row = dict[str, Any]
WAY = "rebuttal"


def specification(chart: alt.LayerChart) -> dict[str, Any]:
    """The Vega-Lite specification, rows under `datasets`, without Altair's validation: it is slow, and tests validate.

    Raises TypeError for a column that holds anything else.
    """
    found: dict[str, list[Row]] = {}
    known: dict[int, tuple[pd.DataFrame, str]] = {}  # the frame too: while it is held, its id stays its own

    def named(data: Any = None, **_: Any) -> Any:
        if not isinstance(data, pd.DataFrame):
            return data
        if id(data) not in known:
            rows = rows_of(data)
            name = f"data-{hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]}"
            found[name], known[id(data)] = rows, (data, name)
        return {"name": known[id(data)][1]}

    alt.data_transformers.register(WAY, named)
    with alt.data_transformers.enable(WAY):
        spec = chart.to_dict(validate=False)
    return spec | {"datasets": spec.get("datasets", {}) | found}


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame as JSON has them: what is missing or no finite number is null."""
    columns = {str(name): _values(frame[name].tolist(), str(name)) for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(column: Sequence[Any], name: str) -> list[Any]:
    """The values of a column in plain Python."""
    if wrong := {type(one).__name__ for one in column if not isinstance(one, str | float | int | None)}:
        raise TypeError(f"column {name}: got {', '.join(sorted(wrong))}; allowed: numbers, truths and texts")
    return [None if isinstance(one, float) and not math.isfinite(one) else one for one in column]
