"""Charts: pure functions from datasets to Altair charts, one module per kind of figure.

`chart(curves)` gives an Altair chart, `chart(curves, figure="convergence")` a named one, and `table("convergence",
curves)` its numbers as a data frame; `rebuttal.figures.catalogue` lists the figures and what each is drawn from. Names
are fetched when they are first used: whoever only wants the colours and words of `theme` need not load Altair.
"""

import importlib
from typing import Any

import rebuttal.base.quick_imports  # noqa: F401 - before altair

#: Public name -> the module that has it.
WHERE = {
    "DRAWINGS": "rebuttal.figures.catalogue",
    "Drawing": "rebuttal.figures.catalogue",
    "Panel": "rebuttal.figures.panel",
    "chart": "rebuttal.figures.catalogue",
    "drawing": "rebuttal.figures.catalogue",
    "figure_of": "rebuttal.figures.catalogue",
    "panels": "rebuttal.figures.catalogue",
    "table": "rebuttal.figures.catalogue",
}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module 'rebuttal.figures' has no attribute {name!r}")
    return getattr(importlib.import_module(WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(WHERE)
