"""netCDF-4 files read whole, at once: what `xarray.load_dataset` gives, in a tenth of its time.

A netCDF-4 file is an HDF5 file whose datasets name their dimensions by HDF5's dimension scales (netCDF-4 format
specification, "Dimensions without HDF5 dimension scales" excepted, which these files never have). xarray asks for the
shape of every variable many times over, for a file that it may read in part; result files are small and are read once.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

HIDDEN = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Coordinates", "_Netcdf4Dimid",
          "_NCProperties", "_nc3_strict"}  # fmt: skip  # how the format itself keeps its dimensions
MOST_BYTES = 2**29  # of all variables of a file: some hundred times the largest of ours
NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"


def load(path: Path) -> xr.Dataset:
    """Every variable of the file's root group, decoded (NaN for the fill value, flags as booleans, texts as str).

    Nothing outside of the file is read, and no more than MOST_BYTES.

    Raises what h5py and xarray raise on a file that is cut short or is no netCDF: OSError, ValueError, KeyError,
    RuntimeError, TypeError.
    """
    with h5py.File(path, "r") as file:
        datasets = _datasets(file)
        variables = {name: _variable(file, data) for name, data in datasets.items() if _is_variable(data)}
        whole = xr.Dataset(attrs=_attributes(file))
        return xr.decode_cf(whole.assign(variables), decode_times=False)


def _datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """What lies in the file itself. Raises ValueError for links, for data kept elsewhere, and for too much of it."""
    found = {}
    for name in file:
        link = file.get(name, getlink=True)
        dataset = file[name] if isinstance(link, h5py.HardLink) else None
        if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
            raise ValueError(f"{name} is no dataset of the file itself")
        found[name] = dataset
    size = sum(dataset.size * dataset.dtype.itemsize for dataset in found.values() if dataset.size)
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} bytes; at most {MOST_BYTES:,}")
    return found


def _is_variable(dataset: Any) -> bool:
    return not bytes(dataset.attrs.get("NAME", b"")).startswith(NO_VARIABLE)


def _variable(file: h5py.File, dataset: Any) -> xr.Variable:
    text = h5py.check_string_dtype(dataset.dtype)
    values = np.asarray(dataset.asstr()[()], dtype=str) if text else dataset[()]
    return xr.Variable(_dims(file, dataset), values, _attributes(dataset))


def _dims(file: h5py.File, dataset: Any) -> list[str]:
    """The names of a dataset's dimensions: those of the scales that it points to, or its own if it is a scale."""
    if "DIMENSION_LIST" not in dataset.attrs:
        return [dataset.name.lstrip("/")] if dataset.shape else []
    scales = [references[0] for references in dataset.attrs["DIMENSION_LIST"]]
    return [h5py.h5r.get_name(scale, file.id).decode().lstrip("/") for scale in scales]


def _attributes(holder: Any) -> dict[str, Any]:
    """The attributes that a user wrote; of one number, the number."""
    kept = {name: holder.attrs[name] for name in holder.attrs if name not in HIDDEN}
    return {
        name: value[0] if getattr(value, "shape", None) == (1,) else value for name, value in kept.items()
    }
