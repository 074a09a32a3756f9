"""The page on the virtual clock against the real one: its figures, what this host costs, and how it was measured."""

import itertools
import json
import math
from dataclasses import dataclass
from html import escape
from pathlib import Path

import xarray as xr

from rebuttal.base import paths
from rebuttal.base.errors import refuse
from rebuttal.core import results
from rebuttal.core.figure_list import ON_CALIBRATION
from rebuttal.core.schemas import CALIBRATION
from rebuttal.figures.clock_runs import support
from rebuttal.site import definitions, html, report_figures
from rebuttal.site.figure import PageFigure
from rebuttal.site.files import files, files_table
from rebuttal.site.settings import flat, versions
from rebuttal.site.verdict import Html

MEANING = {
    "request": "any request of a method, beside what it asks for: the driver, names and notes",
    "gradient": "a gradient of the whole model",
    "oversleep": "what an injected wait is too long",
    "sending": "for which a message holds its sender",
    "hop": "from a message's sending until its receiver's next computation begins at full speed",
    "exchange": "an all-reduce between computations, in all",
    "reducing": "the sum of an all-reduce",
    "reading": "reading a cell of memory that processes share",
    "writing": "writing one",
}
EACH_BYTE = ", each byte"


@dataclass(frozen=True, repr=False)
class OnCalibration:
    """The results of the calibration; every method gives a piece of a page."""

    folder: Path
    data: xr.Dataset

    def costs(self) -> Html:
        """Medians over repetitions of what this host costs, by number of processes and workload."""
        both = itertools.product(self.data.workload.values, self.data.nodes.values)
        places = [(int(n), str(name)) for name, n in both if self._cost("gradient", n, name) > 0]
        head = ("Cost", "Of what", *(f"{nodes} processes, {workload} messages" for nodes, workload in places))
        cells = [
            (escape(name), escape(about), *(self._cell(name, *place) for place in places))
            for name, about in (MEANING | self._layers()).items()
        ]
        return Html(html.table(head, cells, "Costs of this host, medians over repetitions", "cards"), "costs")

    def figure(self, name: str) -> PageFigure:
        """One figure, with its finding, its data table and its source. Raises InputError."""
        if name not in ON_CALIBRATION:
            raise refuse("figure", name, ON_CALIBRATION)
        return report_figures.build(name, {"calibration": self.data}, self.folder.name, definitions.methods())

    def settings(self) -> Html:
        """Machine, sizes and versions, read from the result file."""
        attrs = self.data.attrs
        pairs = {"whether seconds support claims": escape(support(self.data))}
        pairs |= flat(json.loads(attrs["device"]), "device") | versions(json.loads(attrs["versions"]))
        pairs |= flat(json.loads(attrs.get("lease", "{}")), "lease")
        for name in ("profile", "cores", "threads", "batch", "updates", "pace_s"):
            pairs[name.replace("_", " ")] = escape(str(attrs[name]))
        return Html(html.facts(pairs), "settings of the calibration")

    def provenance(self) -> Html:
        """The result file that the page rests on, with its hash."""
        return Html(
            files_table(files(self.folder, (CALIBRATION.pattern,), within=self.folder)), "result files"
        )

    def _layers(self) -> dict[str, str]:
        """The passes of each layer that has parameters."""
        names = [str(name) for name in self.data.cost.values if " of layer " in str(name)]
        return dict.fromkeys(sorted(names, reverse=True), "as a stage of its own")

    def _cost(self, name: str, nodes: int, workload: str) -> float:
        return float(self.data.cost_s.sel(cost=name, nodes=nodes, workload=workload).median("repetition"))

    def _cell(self, name: str, nodes: int, workload: str) -> str:
        cost = self._cost(name, nodes, workload)
        fixed = html.number(cost) if math.isnan(cost) else f"{html.number(1e6 * cost)} µs"
        if name + EACH_BYTE not in self.data.cost.values:
            return fixed
        return f"{fixed} + {html.number(1e9 * self._cost(name + EACH_BYTE, nodes, workload))} µs per kB"


def calibration(folder: str | Path | None = None) -> OnCalibration:
    """The page's pieces from results/calibration.nc. Raises InputError naming what is missing or broken."""
    place = paths.results() if folder is None else Path(folder)
    return OnCalibration(place, results.load_calibration(place))
