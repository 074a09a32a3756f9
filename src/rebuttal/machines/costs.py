"""Measured costs of workloads on a named device, read from reference/devices/NAME.json. No torch."""

import bisect
import contextlib
import functools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rebuttal.base import paths
from rebuttal.base.errors import InputError, nearest, refuse
from rebuttal.core import division
from rebuttal.core.partition import cut, groups

LONGEST = 80  # characters of a wrong value that an error shows
ADVICE = (
    "`rebuttal profile` measures this machine (reference/devices/here.json; params.yaml: device_costs: here), "
    "`rebuttal profile --paper ID` the workloads of a paper's own (papers/ID/own/costs.json)"
)
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Some = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # seconds of what is chosen by its speed
Files = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Costs:
    """The seconds of a gradient and of an update of `workload` on the profiled device.

    parameters: P. weight_bytes: of one set of weights. batch: samples in one batch. training_size: samples of an
    epoch. layer_names: in order. forward_s, backward_s: median seconds of each layer, by batch size measured.
    update_s: of one SGD update. layer_parameters, layer_outputs: parameters of each layer, and values that it gives
    for one sample; without them the model counts as one layer.
    """

    workload: str
    parameters: int
    weight_bytes: int
    batch: int
    training_size: int
    layer_names: tuple[str, ...]
    forward_s: Mapping[int, tuple[float, ...]]
    backward_s: Mapping[int, tuple[float, ...]]
    update_s: float
    layer_parameters: tuple[int, ...] = ()
    layer_outputs: tuple[int, ...] = ()

    @classmethod
    def read(cls, path: Files, workload: str, batch: int) -> "Costs":
        """The costs of `workload` at `batch` samples a batch, from the first of some files that has it.

        Raises:
            InputError: a file is missing or broken, or they lack the workload or the batch size.
        """
        entry = entry_of(path, workload)
        costs = cls(
            workload=workload,
            parameters=entry.parameters,
            weight_bytes=entry.weight_bytes,
            batch=batch,
            training_size=entry.training_size,
            layer_names=tuple(layer.name for layer in entry.layers),
            forward_s={size: _medians(entry.batches[size], "forward_s") for size in sorted(entry.batches)},
            backward_s={size: _medians(entry.batches[size], "backward_s") for size in sorted(entry.batches)},
            update_s=entry.update_s.median,
            layer_parameters=tuple(layer.parameters for layer in entry.layers),
            layer_outputs=tuple(layer.outputs for layer in entry.layers),
        )
        costs.gradient_s(1)  # refuses an unmeasured batch size here, not in the middle of a simulation
        return costs

    def gradient_s(self, batches: int) -> float:
        """Seconds of one gradient over `batches` x `batch` samples: forward and backward of all layers.

        Raises:
            InputError: as `layers_s`.
        """
        forward_s, backward_s = self.layers_s(batches)
        return sum(forward_s) + sum(backward_s)

    def layers_s(self, batches: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Forward and backward seconds of each layer, linearly interpolated between measured batch sizes.

        Raises:
            InputError: fewer samples than the smallest measured batch, or more than the largest.
        """
        samples, sizes = batches * self.batch, list(self.forward_s)
        if samples in self.forward_s:
            return self.forward_s[samples], self.backward_s[samples]
        above = bisect.bisect(sizes, samples)
        if above in (0, len(sizes)):
            measured = f"{sizes[0]} to {sizes[-1]} samples of {self.workload}, the sizes that were measured"
            raise refuse("batch size", samples, measured)
        low, high = sizes[above - 1], sizes[above]
        share = (samples - low) / (high - low)
        return (
            _between(self.forward_s[low], self.forward_s[high], share),
            _between(self.backward_s[low], self.backward_s[high], share),
        )

    def stages(self, n: int) -> tuple[range, ...]:
        """The layers of each of n stages."""
        return cut(self.layer_parameters or (self.parameters,) + (0,) * (len(self.layer_names) - 1), n)

    def stage_parameters(self, l: int, n: int) -> int:
        """How many parameters stage l of n has."""
        if n == 1:
            return self.parameters
        return sum(self.layer_parameters[layer] for layer in self.stages(n)[l])

    def stage_s(self, l: int, n: int, batches: int) -> tuple[float, float]:
        """Forward and backward seconds of stage l of n on `batches` x `batch` samples.

        Raises:
            InputError: as `layers_s`.
        """
        forward_s, backward_s = self.layers_s(batches)
        layers = self.stages(n)[l]
        return sum(forward_s[layer] for layer in layers), sum(backward_s[layer] for layer in layers)

    def stage_outputs(self, l: int, n: int) -> int:
        """Values that stage l of n gives for one sample: what the next stage is sent."""
        return self.layer_outputs[self.stages(n)[l].stop - 1] if self.layer_outputs else 0

    def stage_saved(self, l: int, n: int) -> int:
        """Values of one sample that stage l of n keeps for its backward pass: what goes into its layers, and comes out.

        The data at the first stage are not counted: they are there without the stage.
        """
        if not self.layer_outputs:
            return 0
        layers = self.stages(n)[l]
        below = self.layer_outputs[layers.start - 1] if layers.start else 0
        return below + sum(self.layer_outputs[layer] for layer in layers)

    @property
    def layer_bytes(self) -> tuple[int, ...]:
        """Bytes of the gradient of each layer that has parameters."""
        count = len(groups(self.layer_parameters)) if self.layer_parameters else 1
        return tuple(
            self.weight_bytes * self.stage_parameters(layer, count) // self.parameters
            for layer in range(count)
        )


#: Seconds of one gradient, as the probe found them: samples of it -> executor -> replicas per call -> seconds.
Executors = dict[Count, dict[str, dict[Count, Some]]]


class _Strict(BaseModel):
    """A part of the file: unknown and missing keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(_Strict):
    """Seconds of one thing, measured `repeats` times."""

    median: Seconds
    q25: Seconds
    q75: Seconds
    repeats: Count


class LayerCosts(_Strict):
    """Seconds of one layer at one batch size."""

    forward_s: Spread
    backward_s: Spread


class BatchCosts(_Strict):
    """Seconds at one batch size: layer by layer, and of the whole gradient measured as one."""

    layers: list[LayerCosts]
    gradient_s: Spread


class LayerIdentity(_Strict):
    """A layer's name, kind, number of parameters, and how many values it gives for one sample."""

    name: str
    kind: str
    parameters: Annotated[int, Field(ge=0)]
    outputs: Count


class WorkloadCosts(_Strict):
    """One workload's part of the file; what is said of its metric is said in its `Target`."""

    metric: str = "accuracy"
    lower_is_better: bool = False
    large_error: bool = False
    parameters: Count
    training_size: Count
    weight_bytes: Count
    layers: Annotated[list[LayerIdentity], Field(min_length=1)]
    batches: Annotated[dict[Count, BatchCosts], Field(min_length=1)]
    update_s: Spread

    @model_validator(mode="after")
    def _every_layer_measured(self) -> "WorkloadCosts":
        for size, batch in self.batches.items():
            if len(batch.layers) != len(self.layers):
                raise ValueError(f"{len(self.layers)} layers in batches.{size}, not {len(batch.layers)}")
        return self


class Profile(_Strict):
    """The whole file: what a device costs. executors: of each workload, which one serves how many replicas best."""

    version: Literal[3] = Field(alias="schema")
    name: Annotated[str, Field(min_length=1)]
    date: str  # UTC
    device: dict[str, object]
    versions: dict[str, str]
    repeats: Count
    workloads: Annotated[dict[str, WorkloadCosts], Field(min_length=1)]
    executors: dict[str, Executors]

    @model_validator(mode="after")
    def _the_loop_is_there(self) -> "Profile":
        for name, by_samples in self.executors.items():
            for samples, rows in by_samples.items():
                if 1 not in rows.get("loop", {}):
                    raise ValueError(f"no seconds of the loop in executors.{name}.{samples}")
        return self


def entry_of(path: Files, workload: str) -> WorkloadCosts:
    """A workload's part of the first of some files that has it. Raises InputError as `Costs.read` does."""
    workload = division.base(workload)
    files = [path] if isinstance(path, str | Path) else list(path)
    known: list[str] = []
    for file in files:
        profiled = read_profile(file).workloads
        if workload in profiled:
            return profiled[workload]
        known += profiled
    places = " and ".join(map(_shown, files))
    raise InputError(
        f"costs: got workload {workload!r}; allowed: one that {places} has; {ADVICE}{nearest(workload, known)}"
    )


def read_profile(path: str | Path) -> Profile:
    """The checked content of a device's file.

    Raises:
        InputError: one line that names the file, the key and what is wrong with it.
    """
    path = Path(path)
    if not path.is_file():
        there = sorted(file.stem for file in path.parent.glob("*.json"))
        known = f"one of {', '.join(there)}" if there else "a file that is there"
        raise InputError(
            f"costs: got no file {_shown(path)}; allowed: {known}; {ADVICE}{nearest(path.stem, there)}"
        )
    try:
        return _parsed(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "content"
        given = "nothing" if first["type"] == "missing" else textwrap.shorten(repr(first["input"]), LONGEST)
        message = f"costs {_shown(path)}: {key}: got {given}; allowed: {first['msg']}"
        raise InputError(" ".join(message.split())) from error


def check_evidence(path: str | Path) -> None:
    """Refuse costs that were measured while others used the device too.

    Raises:
        InputError: one line with the reasons; also as `read_profile`.
    """
    timing = read_profile(path).device.get("timing")
    if isinstance(timing, dict) and not timing.get("supports_timing"):
        reasons = "; ".join(map(str, timing.get("why_not", []))) or "not said"
        allowed = "seconds of a machine with nothing else to do: measure again, `rebuttal profile`"
        raise InputError(
            f"costs {_shown(path)}: got seconds that support no claim ({reasons}); allowed: {allowed}"
        )


@functools.lru_cache(maxsize=8)
def _parsed(content: bytes) -> Profile:
    """The content of a file, which many runs read."""
    return Profile.model_validate_json(content)


def _shown(path: str | Path) -> str:
    """A path as a reader knows it: from the project's root, if it is below."""
    with contextlib.suppress(ValueError):  # InputError is one: there may be no project
        return Path(path).resolve().relative_to(paths.root()).as_posix()
    return str(path)


def _medians(batch: BatchCosts, which: Literal["forward_s", "backward_s"]) -> tuple[float, ...]:
    """The median seconds of every layer."""
    return tuple(getattr(layer, which).median for layer in batch.layers)


def _between(low: tuple[float, ...], high: tuple[float, ...], share: float) -> tuple[float, ...]:
    """Layer by layer, the point a `share` of the way from `low` to `high`."""
    return tuple(a + share * (b - a) for a, b in zip(low, high, strict=True))
