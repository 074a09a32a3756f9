"""An analysis: what computes one file of results, and what that rests on. What the file holds is in its schema."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.core.schemas import Schema
from rebuttal.machines.full_size_costs import read_models
from rebuttal.studies.analyses.grids import Models
from rebuttal.studies.params import Analyses, Params
from rebuttal.studies.runs.provenance import attributes
from rebuttal.workloads import full_size

Origin = Callable[[Params, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Given:
    """What analyses are computed from: the parameters, results of other analyses, and models at full size."""

    params: Params

    @property
    def grid(self) -> Analyses:
        """The section `analyses` of the parameters."""
        return self.params.analyses

    @property
    def folder(self) -> Path:
        """Where the files of the analyses are."""
        return paths.results("analyses")

    def result(self, name: str) -> xr.Dataset:
        """What another analysis found."""
        return results.load_analysis(name, self.folder)

    @cached_property
    def models(self) -> Models:
        """The layers of every model at full size, as models.json has them, which is written first."""
        path = self.folder / "models.json"
        full_size.write(list(full_size.MODELS), path)
        return read_models(path)


def of_section(params: Params, clock: str) -> Mapping[str, Any]:
    """Attributes of what rests on the section `analyses` of the parameters."""
    return attributes(params.analyses, clock=clock)


def of_some(*names: str) -> Origin:
    """Attributes of what rests on a few parameters of that section."""

    def origin(params: Params, clock: str) -> Mapping[str, Any]:
        given = {"profile": params.profile, **{name: getattr(params.analyses, name) for name in names}}
        return attributes(params.analyses, clock=clock) | {"parameters": json.dumps(given)}

    return origin


def of_study(name: str) -> Origin:
    """Attributes of what rests on the parameters of a study."""
    return lambda params, clock: attributes(params.study(name), clock=clock)


@dataclass(frozen=True)
class Analysis:
    """One analysis, of the name in its schema: a module of this package that has such a record is run by its stage.

    compute: the dataset. needs: the names of analyses whose results that reads. pooled: whether it uses all cores by
    itself; the others are computed side by side. origin: the attributes that say what it rests on, from the parameters
    and the clock of its seconds.
    """

    schema: Schema
    compute: Callable[[Given], xr.Dataset]
    needs: tuple[str, ...] = ()
    pooled: bool = False
    origin: Origin = of_section

    def write(self, given: Given) -> None:
        """Compute and write the file. Raises InputError."""
        data = self.compute(given)
        origin = self.origin(given.params, data.attrs.get("clock", "modelled"))
        results.save(data.assign_attrs(origin), given.folder / self.schema.pattern)
