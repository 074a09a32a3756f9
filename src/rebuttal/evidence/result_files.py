"""The result files of a study, read and checked as a whole: what verdicts, figures and tables are computed from."""

from dataclasses import dataclass, field
from pathlib import Path

import xarray as xr

from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.core import results
from rebuttal.core.schemas import STRAGGLERS


@dataclass(frozen=True)
class Runs:
    """What every study has: the curves, the tuning and the summaries of its runs, loaded."""

    folder: Path
    curves: xr.Dataset
    tuning: xr.Dataset
    summaries: xr.Dataset


@dataclass(frozen=True)
class Results(Runs):
    """The result files of one study, loaded.

    stragglers: None where no order statistics have been made. known: what `quantities.quantity` has found already, by
    its arguments; None where the data may still change.
    """

    stragglers: xr.Dataset | None = None
    known: dict[tuple, xr.Dataset] | None = field(default=None, repr=False, compare=False)

    def order_statistics(self) -> xr.Dataset:
        """Those of every straggler model. Raises InputError if there are none."""
        if self.stragglers is None:
            raise InputError(
                f"{self.folder.parent / 'analyses'}: no stragglers.nc; allowed: analyses with order statistics"
            )
        return self.stragglers


def read_runs(study: str | Path) -> Runs:
    """The runs of a study, checked. Raises InputError naming the file that is missing or broken."""
    return Runs(
        paths.study(study),
        results.load_curves(study),
        results.load_tuning(study),
        results.load_summaries(study),
    )


def read(study: str | Path) -> Results:
    """Every result file of a study, checked. Raises InputError naming the file that is missing or broken."""
    runs = read_runs(study)
    analyses = runs.folder.parent / "analyses"
    stragglers = results.load_stragglers(analyses) if (analyses / STRAGGLERS.pattern).is_file() else None
    return Results(runs.folder, runs.curves, runs.tuning, runs.summaries, stragglers)


def without_runs(folder: Path | None = None) -> Results:
    """What a paper without a study rests on: the analyses in a folder of results (default: the project's)."""
    nothing = xr.Dataset()
    return Results((folder or paths.results()) / "none", nothing, nothing, nothing)
