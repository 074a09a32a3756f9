"""One figure: what it is called, what it is drawn from, how it is read, and the functions that draw it and say it.

A module of `rebuttal.figures` that holds a figure ends with its record, FIGURE, and has a line in
`rebuttal.core.figure_list`. Nothing about a figure stands anywhere else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd
import xarray as xr

from rebuttal.figures.chart_rows import need
from rebuttal.figures.panel import Panel
from rebuttal.figures.sentences import Compared

TIMELINES = ("gantt", "layer_gantt")  # files of events, which come as tables
#: What is read for the targets, and for figures of times to them.
TARGETS = {"tuning": ("validation_metric", "best_learning_rate")}
TIMES = {"curves": ("test_metric", "seconds", "update"), **TARGETS}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure. Its functions take its data in the order of `needs`; `draw` the definitions of methods after them.

    title: what it shows. how_to_read: without any result. reads: kind of data -> the variables that are drawn.
    needs: the kinds of data that the functions take: curves, tuning, summaries, stragglers, calibration (see
    `rebuttal.core.results`), targets (`rebuttal.evidence.datasets.targets`), gantt and layer_gantt (`stored` of
    `rebuttal.figures.time_lines` and `layer_timeline`), replay (`rebuttal.replaying`), or an analysis
    (`rebuttal.core.analysis_schemas.ANALYSES`). Default: what it reads.
    draw: the plots. table: their numbers, at most some forty rows; `attrs['rows']` says how many there would be.
    finding: what the data say, in a sentence or two. of_paper: whether it also takes `compared`, what a paper compares,
    and speaks of that.
    suits: a variable that only its data hold, which makes it their default figure.
    baseline: the label against which it draws all others; draw, table and finding take it by name.
    across: panels side by side on a wide page (0: by their number). stacked: panels of unequal height fill one
    column after the other.
    """

    title: str
    how_to_read: str
    reads: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...] = ()
    draw: Callable[..., Iterable[Panel]]
    table: Callable[..., pd.DataFrame]
    finding: Callable[..., str] | None = None
    of_paper: bool = False
    suits: str = ""
    baseline: str | None = None
    across: int = 0
    stacked: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", self.needs or tuple(self.reads))

    def against(self, baseline: str) -> "Figure":
        """The same figure against another baseline."""
        draw, table = (partial(one, baseline=baseline) for one in (self.draw, self.table))
        finding = self.finding and partial(self.finding, baseline=baseline)
        return replace(self, draw=draw, table=table, finding=finding, baseline=baseline)

    def panels(self, *data: Any, definitions: Mapping[str, str] | None = None) -> list[Panel]:
        """The plots. `definitions`: label or method -> one line. Raises InputError for data that lack a variable."""
        self.check(*data)
        return list(self.draw(*data, definitions))

    def check(self, *data: Any) -> None:
        """Refuse datasets without a variable that the figure reads."""
        for kind, given in zip(self.needs, data, strict=False):
            if kind not in TIMELINES and isinstance(given, xr.Dataset):
                need(given, self.title, self.reads.get(kind, ()))

    def says(self, *data: Any, compared: Compared | None = None) -> str:
        """What the data say, about what is compared where it can; empty without a finding."""
        if self.finding is None:
            return ""
        return self.finding(*data, compared=compared) if self.of_paper else self.finding(*data)
