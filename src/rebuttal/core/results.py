"""The result files of a study: written atomically and byte-stable, read back checked against one schema.

A study's folder holds tuning/METHOD.nc, summaries/METHOD.nc and training/METHOD/curves.nc. The
loaders join the METHOD files along `method`, whose labels name variants ("backup_workers b=2"); a combination that
was not run is NaN, and the coordinate `file` tells which file each method came from. The folder analyses holds one
file for each analysis.
"""

from collections.abc import Hashable
from pathlib import Path

import numpy as np
import xarray as xr

from rebuttal.base import netcdf, paths
from rebuttal.base.atomic_write import replacing
from rebuttal.base.errors import InputError, nearest, refuse
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.metrics import falling
from rebuttal.core.schemas import CALIBRATION, CURVES, STRAGGLERS, SUMMARIES, TUNING, Schema

# What h5py, h5netcdf and xarray raise on a file that is cut short or is no netCDF.
UNREADABLE = (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError)


def save(dataset: xr.Dataset, path: Path) -> None:
    """Write `dataset` to `path`, sealed (`rebuttal.base.netcdf`), whole or not at all; equal ones give equal bytes."""
    with replacing(Path(path)) as partial:
        dataset.to_netcdf(partial, engine="h5netcdf")
        netcdf.seal(partial)


def load_curves(study: str | Path) -> xr.Dataset:
    """The training curves of every method of a study (its name, or the path of its folder)."""
    return _load(CURVES, study)


def load_tuning(study: str | Path) -> xr.Dataset:
    """Validation results against learning rate; `diverged` and `at_edge` are 0, 1 or NaN (not run)."""
    return _load(TUNING, study)


def load_summaries(study: str | Path) -> xr.Dataset:
    """Summaries of the timelines of every method; no training is involved.

    A staleness that only other methods saw has the count 0.
    """
    data = _load(SUMMARIES, study)
    counts = data.staleness_count
    return data.assign(staleness_count=counts.fillna(0).where(counts.notnull().any("staleness")))


def load_stragglers(folder: str | Path = "analyses") -> xr.Dataset:
    """Order statistics of every straggler model: dims straggler, workers, backups."""
    path, data = _read_one(STRAGGLERS, folder)
    possible = data.backups < data.workers
    for name in ("iteration_seconds_simulated", "iteration_seconds_stderr"):
        if bool((data[name].isnull() & possible).any()):
            raise InputError(f"{path}: {name}: got NaN; allowed: numbers wherever backups < workers")
    return data


def load_calibration(folder: str | Path) -> xr.Dataset:
    """Every run on both clocks, and what this host costs; NaN where nothing was run."""
    return _read_one(CALIBRATION, folder)[1]


def load_analysis(name: str, folder: str | Path = "analyses") -> xr.Dataset:
    """One of the analyses; `rebuttal.core.analysis_schemas.ANALYSES` lists them, and what each holds."""
    if not isinstance(name, str) or name not in ANALYSES:
        raise refuse("analysis", name, ANALYSES)
    return _read_one(ANALYSES[name], folder)[1]


def _read_one(schema: Schema, study: str | Path) -> tuple[Path, xr.Dataset]:
    """The one file of this kind in a folder of results."""
    path = paths.study(study) / schema.pattern
    if not path.is_file():
        raise InputError(f"{path}: no such file; allowed: a study folder with {schema.pattern}")
    return path, _read(path, schema)


def _load(schema: Schema, study: str | Path) -> xr.Dataset:
    folder = paths.study(study)
    files = sorted(folder.glob(schema.pattern))
    if not files:
        raise InputError(
            f"{folder}: no {schema.pattern}; allowed: a study folder with at least one such file"
        )
    parts = []
    for path in files:
        data = _read(path, schema)
        if schema is CURVES:
            _check_curves(path, data)
        name = path.relative_to(folder).as_posix()
        parts.append(data.assign_coords(file=("method", [name] * data.sizes["method"])))
    return _join(parts, files)


def _read(path: Path, schema: Schema) -> xr.Dataset:
    """One file, loaded whole, with its dims in the schema's order and flags as 0.0 and 1.0."""
    try:
        data = netcdf.load(path)
    except UNREADABLE as error:
        raise InputError(f"{path}: cannot be read as netCDF ({_why(error)}); make it again") from error
    found = {name: _checked(path, data, name, dims) for name, dims in schema.variables.items()}
    for name in schema.fractions:
        shares = found[name]
        if name.endswith("_metric"):  # one that falls, such as bits for each symbol, is no fraction
            shares = shares.isel(workload=~np.asarray(falling(data.attrs, data.workload.values)))
        if bool(((shares.values < 0) | (shares.values > 1)).any()):
            raise InputError(f"{path}: {name}: got a value outside [0, 1]; allowed: a fraction")
    for dim in {dim for dims in schema.variables.values() for dim in dims}:
        _check_labels(path, data, dim)
    return data.assign(found)


def _why(error: Exception) -> str:
    """A ValueError says it itself; what HDF5 says of a broken file is no help to a reader."""
    return str(error) if type(error) is ValueError else type(error).__name__


def _checked(path: Path, data: xr.Dataset, name: str, dims: tuple[str, ...]) -> xr.Variable:
    if name not in data.variables:
        raise InputError(
            f"{path}: {name}: missing; allowed: a variable{nearest(name, map(str, data.variables))}"
        )
    variable = data.variables[name]
    if set(variable.dims) != set(dims):
        raise InputError(f"{path}: {name}: got dims {variable.dims}; allowed: {dims}")
    if variable.dtype.kind not in "fiub":
        raise InputError(f"{path}: {name}: got type {variable.dtype}; allowed: numbers")
    if bool(np.isneginf(variable.values).any()):
        raise InputError(f"{path}: {name}: got -inf; allowed: numbers, and NaN where nothing was run")
    return variable.transpose(*dims).astype(np.float64)


def _check_labels(path: Path, data: xr.Dataset, dim: str) -> None:
    labels = data[dim].values.tolist()
    if dim not in data.coords or not labels:
        raise InputError(f"{path}: {dim}: got no labels; allowed: a coordinate with at least one")
    repeated = sorted({str(label) for label in labels if labels.count(label) > 1})
    if repeated:
        raise InputError(f"{path}: {dim}: got {repeated[0]!r} twice; allowed: each label once")


def _check_curves(path: Path, data: xr.Dataset) -> None:
    """A run has numbers everywhere unless it diverged, and time does not run backwards."""
    if data.attrs.get("clock") not in ("modelled", "measured"):
        raise InputError(f"{path}: clock: got {data.attrs.get('clock')!r}; allowed: modelled, measured")
    values = {name: data[name].values for name in CURVES.variables}
    ran = np.isfinite(values["learning_rate"])[..., None]
    whole = np.expand_dims(ran & np.isnan(values["diverged_at"]), -1)
    for name in ("test_metric", "validation_metric", "training_loss", "test_loss", "validation_loss"):
        if (~np.isfinite(values[name]) & whole).any():
            raise InputError(
                f"{path}: {name}: got a gap in a run that did not diverge; allowed: finite numbers"
            )
    ran_at_all = np.expand_dims(ran.any(axis=3), -1)
    for name in ("update", "epoch", "samples_computed", "samples_applied", "seconds"):
        if (~np.isfinite(values[name]) & ran_at_all).any():
            raise InputError(f"{path}: {name}: got NaN or inf in a run; allowed: finite numbers")
        if (np.diff(values[name], axis=-1) < 0).any():
            raise InputError(f"{path}: {name}: got a falling value along point; allowed: never falling")


def _join(parts: list[xr.Dataset], files: list[Path]) -> xr.Dataset:
    """Along `method`, keeping every other label in the order in which it first appears."""
    _check_methods(parts, files)
    labels = {dim: list(dict.fromkeys(label for part in parts for label in part[dim].values.tolist()))
              for dim in parts[0].dims if dim != "method"}  # fmt: skip
    numeric = {dim: sorted(values) for dim, values in labels.items() if not isinstance(values[0], str)}
    whole = [_reindexed(part, labels | numeric) for part in parts]
    return xr.concat(whole, "method", data_vars="minimal", coords="minimal", compat="override",
                     join="exact", combine_attrs="drop_conflicts")  # fmt: skip


def _reindexed(part: xr.Dataset, labels: dict[Hashable, list]) -> xr.Dataset:
    """With these labels along each dim, NaN where it had none; most files have them already."""
    missing = {dim: wanted for dim, wanted in labels.items() if part[dim].values.tolist() != wanted}
    return part.reindex(missing) if missing else part


def _check_methods(parts: list[xr.Dataset], files: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for part, path in zip(parts, files, strict=True):
        for label in part.method.values.tolist():
            if label in seen:
                raise InputError(
                    f"{path}: method: got {label!r}, which is in {seen[label]} too; allowed: once"
                )
            seen[label] = path
