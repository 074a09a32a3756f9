"""netCDF-4 files read whole, at once: what `xarray.load_dataset` gives, in a tenth of its time.

A netCDF-4 file is an HDF5 file whose datasets name their dimensions by HDF5's dimension scales (netCDF-4 format
specification, "Dimensions without HDF5 dimension scales" excepted, which these files never have). xarray asks for the
shape of every variable many times over, for a file that it may read in part; result files are small and are read once.

A result file ends with a seal, the SHA-256 of all bytes before it. HDF5 reads nothing behind the end that its first
block names, so every reader of netCDF-4 opens the file as if the seal were not there.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

HIDDEN = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Coordinates", "_Netcdf4Dimid",
          "_NCProperties", "_nc3_strict"}  # fmt: skip  # how the format itself keeps its dimensions
HDF5 = b"\x89HDF\r\n\x1a\n"  # how a file begins that has nothing before its first block
SEAL = b"sha256 of this: "  # and the 32 bytes of the digest
SEAL_BYTES = len(SEAL) + hashlib.sha256().digest_size
#: Version of a file's first block -> where that says at which byte the file ends (HDF5 format specification, II.A).
END_STANDS_AT = {0: 40, 1: 44, 2: 28, 3: 28}
MOST_BYTES = 2**27  # of a file, and of all its variables: far more than any of ours has
NUMBER_BYTES, LETTER_BYTES = 8, 4  # of what is read, once it is decoded
NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"


def load(path: Path) -> xr.Dataset:
    """Every variable of the file's root group, decoded (NaN for the fill value, flags as booleans, texts as str).

    Nothing outside of the file is read, and no more than MOST_BYTES of it or of what it holds.

    Raises what h5py and xarray raise on a file that is cut short or is no netCDF: OSError, ValueError, KeyError,
    RuntimeError, TypeError. ValueError too for a seal that does not fit.
    """
    _at_most(path.stat().st_size, "bytes")
    _check_seal(path.read_bytes())
    with h5py.File(path, "r") as file:
        datasets = _datasets(file)
        variables = {name: _variable(file, data) for name, data in datasets.items() if _is_variable(data)}
        whole = xr.Dataset(attrs=_attributes(file))
        return xr.decode_cf(whole.assign(variables), decode_times=False)


def held_bytes(path: Path) -> int:
    """How many bytes the variables of a file have once they are read; none is. Raises as `load`."""
    _at_most(path.stat().st_size, "bytes")
    with h5py.File(path, "r") as file:
        return _size(_datasets(file).values())


def seal(path: Path) -> None:
    """Add the seal to a file that was just written."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    with path.open("ab") as file:
        file.write(SEAL + digest)


def _check_seal(content: bytes) -> None:
    """Refuse a file that is not as it was sealed, and one with anything else behind its end. One that never was passes.

    So a flipped bit is seen wherever it is: within the seal's own name it leaves bytes that are no seal.
    """
    body, end = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    if end.startswith(SEAL):
        if hashlib.sha256(body).digest() != end[len(SEAL) :]:
            raise ValueError("its bytes are not those that were written")
        return
    place = END_STANDS_AT.get(content[len(HDF5)]) if content[:-1].startswith(HDF5) else None
    if place is not None and int.from_bytes(content[place : place + 8], "little") != len(content):
        raise ValueError("it is cut short, or has other bytes behind its end")


def _datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """What lies in the file itself. Raises ValueError for links, for data kept elsewhere, and for too much of it."""
    found = {}
    for name in file:
        link = file.get(name, getlink=True)
        dataset = file[name] if isinstance(link, h5py.HardLink) else None
        if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
            raise ValueError(f"{name} is no dataset of the file itself")
        found[name] = dataset
    _at_most(_size(found.values()), "bytes")
    return found


def _size(datasets: Iterable[h5py.Dataset]) -> int:
    """What is read of datasets, in bytes, but for texts, whose lengths are not known before."""
    return sum(one.size * max(one.dtype.itemsize, NUMBER_BYTES) for one in datasets if one.size)


def _at_most(size: int, of: str) -> None:
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} {of}; at most {MOST_BYTES:,}")


def _texts(dataset: Any) -> np.ndarray:
    """An array of texts, read one by one where they could be large: many may stand at one place of the file."""
    count, texts = dataset.size, dataset.asstr()
    if count * dataset.file.id.get_filesize() <= MOST_BYTES:
        return np.asarray(texts[()], dtype=str)
    found, longest = np.empty(dataset.shape, dtype=object), 0
    for place in np.ndindex(dataset.shape):
        found[place] = texts[place]
        longest = max(longest, len(found[place]))
        _at_most(longest * count * LETTER_BYTES, "bytes of texts")
    return found.astype(str)


def _is_variable(dataset: Any) -> bool:
    return not bytes(dataset.attrs.get("NAME", b"")).startswith(NO_VARIABLE)


def _variable(file: h5py.File, dataset: Any) -> xr.Variable:
    text = h5py.check_string_dtype(dataset.dtype)
    values = _texts(dataset) if text else dataset[()]
    return xr.Variable(_dims(file, dataset), values, _attributes(dataset))


def _dims(file: h5py.File, dataset: Any) -> list[str]:
    """The names of a dataset's dimensions: those of the scales that it points to, or its own if it is a scale."""
    if "DIMENSION_LIST" not in dataset.attrs:
        return [dataset.name.lstrip("/")] if dataset.shape else []
    scales = [references[0] for references in dataset.attrs["DIMENSION_LIST"]]
    return [h5py.h5r.get_name(scale, file.id).decode().lstrip("/") for scale in scales]


def _attributes(holder: Any) -> dict[str, Any]:
    """The attributes that a user wrote; of one number, the number."""
    names = [name for name in holder.attrs if name not in HIDDEN]
    count = sum(int(np.prod(holder.attrs.get_id(name).shape, dtype=object)) for name in names)
    if count > len(names):  # an array of texts, as those of a dataset: none of ours has one
        _at_most(count * holder.file.id.get_filesize(), "bytes of attributes")
    kept = {name: holder.attrs[name] for name in names}
    return {
        name: value[0] if getattr(value, "shape", None) == (1,) else value for name, value in kept.items()
    }
