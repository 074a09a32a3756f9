"""Charts: pure functions from datasets to Altair charts, one module for each figure.

`chart(curves)` gives an Altair chart, `chart(curves, figure="convergence")` a named one, and `table("convergence",
curves)` its numbers as a data frame; `figure("convergence")` is all that is said of it. `rebuttal.core.figure_list`
lists the figures. Names are fetched when they are first used: whoever only wants the colours and words of `theme` need
not load Altair.
"""

import importlib
from typing import Any

import rebuttal.base.quick_imports  # noqa: F401 - before altair

#: Public name -> the module that has it.
WHERE = {
    "Figure": "rebuttal.figures.figure_record",
    "Panel": "rebuttal.figures.panel",
    "chart": "rebuttal.figures.by_name",
    "figure": "rebuttal.figures.by_name",
    "figure_of": "rebuttal.figures.by_name",
    "panels": "rebuttal.figures.by_name",
    "table": "rebuttal.figures.by_name",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'rebuttal.figures' has no attribute {name!r}")
    return getattr(importlib.import_module(WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(WHERE)
