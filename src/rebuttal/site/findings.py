"""What a figure of the analyses shows, as a sentence that is made from its data: no number in it is typed."""

from collections.abc import Callable
from typing import Any

import xarray as xr

from rebuttal.figures import chart_rows
from rebuttal.figures.theme import words
from rebuttal.site.html import number

WORTH = 1.5  # a speed-up that is called large


def where_time_is(data: xr.Dataset) -> str:
    """The model whose fully connected layers hold most of it: of its parameters, operations and seconds."""
    linear = data.kind == "linear"
    parts = {"parameters": data.parameters, "operations": data.flops}
    shares = {name: _share(values, linear) for name, values in parts.items()}
    model = str(shares["parameters"].idxmax("model").item())
    seconds = _share(data.compute_s, linear).sel(model=model)
    first, *last = _ends(data.machine)
    ends = f"{_percent(seconds.sel(machine=first))} of the computing time on {_words(first)}"
    ends += "".join(f" and {_percent(seconds.sel(machine=m))} on {_words(m)}" for m in last)
    return (
        f"The fully connected layers of {words(model)} hold {_percent(shares['parameters'].sel(model=model))} of its "
        f"parameters and {_percent(shares['operations'].sel(model=model))} of its operations; they take {ends}."
    )


def layer_ratios(data: xr.Dataset) -> str:
    """The dearest layer, and how many layers take longer to send than to compute."""
    nodes = chart_rows.middle(data.nodes)
    ratio = data.ratio.sel(nodes=nodes).isel(layer=data.parameters.values > 0)
    at = _largest(ratio)
    dearer = (ratio > 1).mean("layer")
    low, high = dearer.idxmin().item(), dearer.idxmax().item()
    return (
        f"On {nodes} nodes the message of {at['name'].item()} in {_words(at.model)} takes {number(at.item())} times as "
        f"long as its passes on {_words(at.machine)}, the most of all. From {_percent(dearer.min())} of the layers "
        f"({words(low)}) to {_percent(dearer.max())} ({words(high)}) take longer to send than to compute."
    )


def overlap_delay_server(data: xr.Dataset) -> str:
    """Where overlap and delay can gain most, and how often a server is worth it."""
    nodes = chart_rows.middle(data.nodes)
    some = data.sel(nodes=nodes)
    overlap, delay = _largest(some.overlap_ceiling), _largest(some.delay_ceiling)
    slower = some.server_speedup < 1
    return (
        f"On {nodes} nodes overlap can gain most for {_place(overlap)}, {number(overlap.item())} times at best; a "
        f"delay for {_place(delay)}, {number(delay.item())} times. A parameter server is slower than one all-reduce in "
        f"{int(slower.sum())} of {slower.size} places."
    )


def layer_wise_speedups(data: xr.Dataset) -> str:
    """The claim: the largest speed-up with and without staleness, against what is claimed and what is possible."""
    delayed = [str(form) for form in data.form.values if str(form).startswith("delayed")]
    fresh = data.speedup.drop_sel(form=[*delayed, data.attrs["baseline"]])
    best, stale, claimed = _largest(fresh), _largest(data.speedup.sel(form=delayed)), data.attrs["claimed"]
    top = fresh.max("form")
    side = "at least" if best.item() >= claimed else "below"
    return (
        f"Without staleness the largest speed-up is {number(best.item())} times ({_words(best.form)}, {_grid(best)}), "
        f"{side} the reported {number(claimed)}; overlap is bounded by {number(float(data.overlap_bound.max()))}. The "
        f"best form gains {number(WORTH)} times or more in {int((top >= WORTH).sum())} of {top.size} places, and "
        f"{number(float(top.median()))} times in the middle one. With gradients one update old, {_grid(stale)} gains "
        f"{number(stale.item())} times."
    )


def batch_latency_map(data: xr.Dataset) -> str:
    """How often each of the drawn forms is worth it on the map of the first model."""
    first = data.isel(model=0)
    parts = []
    for form in ("layer_wise_overlapped", "bucketed"):
        speedup = first.speedup.sel(form=form)
        low, high = (number(float(end)) for end in (speedup.min(), speedup.max()))
        parts.append(
            f"{words(form)} in {int((speedup > 1).sum())} of {speedup.size} places ({low} to {high} times)"
        )
    start = (
        f"For {_words(first.model)} on {data.attrs['nodes']} nodes, these are faster than one communication"
    )
    return f"{start}: {', '.join(parts)}."


def scaling(data: xr.Dataset) -> str:
    """What is left at the largest number of nodes with one communication."""
    last = data.efficiency.sel(form="all_reduce").isel(nodes=-1)
    parts = []
    for kind in ("weak", "strong"):
        some = last.sel(scaling=kind)
        if bool(some.notnull().any()):
            worst, best = _smallest(some), _largest(some)
            parts.append(f"{kind} scaling keeps from {_percent(worst)} ({_place(worst)}) to {_percent(best)} "
                         f"({_place(best)})")  # fmt: skip
    return f"On {int(last.nodes)} nodes with one communication, {'; '.join(parts)} of a node's throughput."


def memory(data: xr.Dataset) -> str:
    """From the leanest to the fullest method on the first model, and how often activations are most of it."""
    first = data.isel(model=0)
    low, high = _smallest(first.total_peak_bytes), _largest(first.total_peak_bytes)
    ends = " to ".join(f"{number(end.item() / 1e9)} GB ({_words(end.method)})" for end in (low, high))
    most = data.peak_bytes.idxmax("kind") == "activations"
    return (
        f"For {_words(first.model)} the fullest node holds from {ends} at a time. Activations are the largest part for "
        f"{int(most.sum())} of {most.size} pairs of a variant and a model."
    )


def throughput(data: xr.Dataset) -> str:
    """How far throughput grows with the batch, and where half of the speed is reached."""
    first, last = data.isel(samples=0), data.isel(samples=-1)
    gain = last.samples_per_s / first.samples_per_s
    low, high = _smallest(gain), _largest(gain)
    half = data.half_batch
    grown = " to ".join(
        f"{number(gain_of.item())} times ({_words(gain_of.workload)})" for gain_of in (low, high)
    )
    batches = f"{number(float(half.min()))} to {number(float(half.max()))} samples"
    return (
        f"From {int(first.samples)} to {int(last.samples)} samples at once, throughput grows {grown}. Half of the "
        f"speed of an endless batch takes {batches}, by a straight line through the times."
    )


FINDINGS: dict[str, Callable[..., str]] = {
    "where_time_is": where_time_is,
    "layer_ratios": layer_ratios,
    "overlap_delay_server": overlap_delay_server,
    "layer_wise_speedups": layer_wise_speedups,
    "batch_latency_map": batch_latency_map,
    "scaling": scaling,
    "memory": memory,
    "throughput": throughput,
}


def _share(values: xr.DataArray, chosen: xr.DataArray) -> xr.DataArray:
    """The share of the chosen layers in each model's sum."""
    plain = values.reset_coords(drop=True).assign_coords(model=values.model)
    return plain.where(chosen.values, 0).groupby("model").sum() / plain.groupby("model").sum()


def _largest(values: xr.DataArray) -> xr.DataArray:
    """The largest value, with its labels."""
    return values.isel(values.argmax(...))  # pyright: ignore[reportArgumentType] - a dict, for all dims


def _smallest(values: xr.DataArray) -> xr.DataArray:
    """The smallest value, with its labels."""
    return values.isel(values.argmin(...))  # pyright: ignore[reportArgumentType] - a dict, for all dims


def _ends(machines: xr.DataArray) -> list[Any]:
    return list(dict.fromkeys([machines.values[0], machines.values[-1]]))


def _percent(share: xr.DataArray) -> str:
    return f"{100 * float(share):.3g} %"


def _words(label: Any) -> str:
    return words(str(label.item() if hasattr(label, "item") else label))


def _place(value: xr.DataArray) -> str:
    return f"{_words(value.model)} on {_words(value.machine)}"


def _grid(value: xr.DataArray) -> str:
    return f"{_place(value)}, {int(value.nodes)} nodes, {int(value.batch)} samples on each"
