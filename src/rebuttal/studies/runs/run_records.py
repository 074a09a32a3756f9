"""What training needs of a run: the order that is computed, and what the curves are drawn against.

It is read off a timeline by the process that ran the clock, and kept under the timeline's content and the code that
read it, so that the process that hands out the units of a study reads no timeline. What is not there any more is read
off again.
"""

import functools
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from rebuttal.base import code, paths
from rebuttal.base.errors import RunError
from rebuttal.core import content_store
from rebuttal.core.graph import Order, flat, from_flat
from rebuttal.core.timeline import Timeline
from rebuttal.core.value_operations import is_own
from rebuttal.replaying.batch_merging import merged
from rebuttal.simulation.timeline_metrics import progress
from rebuttal.studies.runs.pool import run_all

Arrays = Mapping[str, np.ndarray]
AXES = ("seconds", "batches_applied", "batches_computed")
READING = (
    "rebuttal.core.timeline",
    "rebuttal.replaying.batch_merging",
    "rebuttal.simulation.timeline_metrics",
)


@dataclass(frozen=True)
class PackedOrder:
    """An order as it is computed, in the form in which it is kept and sent.

    key: `Order.key`. content: what `unpacked` reads. batches: of each gradient, how many it is over; a pass of one
    stage is over one.
    """

    key: str
    content: bytes
    batches: np.ndarray

    @staticmethod
    def of(order: Order) -> "PackedOrder":
        """An order that was merged, packed."""
        nodes = zip(order.operations, order.arguments, strict=True)
        batches = [
            len(arguments) // 2 if operation == "gradient" else 1
            for operation, arguments in nodes
            if operation in ("gradient", "forward")
        ]
        packed = io.BytesIO()
        states = np.asarray(order.states, dtype=np.int32)
        np.savez_compressed(packed, allow_pickle=False, **flat(order), states=states)
        return PackedOrder(order.key, packed.getvalue(), np.asarray(batches, dtype=np.int32))

    def has_own_operations(self) -> bool:
        """Whether code of a user's own computes some of it."""
        with np.load(io.BytesIO(self.content), allow_pickle=False) as arrays:
            return any(is_own(str(name)) for name in arrays["graph.names"])

    def unpacked(self) -> Order:
        """The order."""
        with np.load(io.BytesIO(self.content), allow_pickle=False) as arrays:
            operations, inputs, arguments = from_flat(arrays)
            states = tuple(arrays["states"].tolist())
        return Order(tuple(operations), tuple(inputs), tuple(arguments), states)


@dataclass(frozen=True)
class RunRecord:
    """One run. axes: `progress` of its timeline, each an array [version]."""

    order: PackedOrder
    axes: Arrays

    @property
    def updates(self) -> int:
        """Of the run: the last version's number."""
        return len(self.axes["seconds"]) - 1


def record(timeline: Timeline, table: xr.Dataset | None = None) -> RunRecord:
    """What training needs of a timeline. table: what `gradients` says of it, where it was asked for before."""
    read = progress(timeline, table)
    return RunRecord(_packed(timeline.order), {name: read[name].values for name in AXES})


@functools.lru_cache(
    maxsize=2
)  # runs that differ in their seed alone follow each other, and their order may be equal
def _packed(order: Order) -> PackedOrder:
    """The order that is computed in the place of one that was run."""
    return PackedOrder.of(merged(order))


def keep(found: RunRecord, timeline_file: Path, by: str) -> None:
    """Write what was read off the timeline in a file, by the code that `reading` names."""
    order, place = found.order, _place(timeline_file, by)
    arrays = {"key": np.asarray(order.key), "batches": order.batches, **found.axes}
    content = np.frombuffer(order.content, dtype=np.uint8)
    content_store.write(place, place.stem, arrays | {"order": content})


def records(timeline_files: Sequence[Path], title: str) -> list[RunRecord]:
    """What was read off the timelines in some files; off those of which nothing is kept, it is read now.

    Raises:
        InputError: a file is missing or damaged.
    """
    by = reading()
    places = {path: _place(path, by) for path in timeline_files}
    kept = {path: _kept(place) for path, place in places.items()}
    missing = [(path, by) for path, found in kept.items() if found is None]
    run_all(_read_off, missing, f"{title}, timelines", preload=[__name__])
    return [kept[path] or _written(path, places[path]) for path in timeline_files]


@functools.cache
def reading() -> str:
    """A hash of the code that reads a timeline."""
    return code.digest({__name__, *code.closure(*READING)})


def _read_off(path: Path, by: str) -> None:
    keep(record(Timeline.load(path)), path, by)


def _kept(place: Path) -> RunRecord | None:
    stored = content_store.read(place, place.stem)
    if stored is None:
        return None
    order = PackedOrder(str(stored["key"]), stored["order"].tobytes(), stored["batches"])
    return RunRecord(order, {name: stored[name] for name in AXES})


def _written(timeline_file: Path, place: Path) -> RunRecord:
    """What was read off a timeline a moment ago."""
    found = _kept(place)
    if found is None:
        raise RunError(f"{place}: what was read off {timeline_file} cannot be read again; is the disk full?")
    return found


def _place(timeline_file: Path, by: str) -> Path:
    """Where the record of a timeline is kept, or would be: what is no file has none."""
    content = timeline_file.read_bytes() if timeline_file.is_file() else b""
    name = hashlib.sha256(by.encode() + content).hexdigest()
    return paths.root() / ".cache" / "run_records" / name[:2] / f"{name}.npz"
