"""What a rule can compare: one number per run, read from the result files of a study."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.core.metrics import metric_of
from rebuttal.evidence import arrays, datasets
from rebuttal.evidence.result_files import Results
from rebuttal.workloads import NAMES

# Compared as a ratio; everything else as a difference.
RATIOS = {
    "seconds_to_target",
    "updates_to_target",
    "epochs_to_target",
    "samples_to_target",
    "seconds_per_update",
    "bytes_sent",
}
HIGHER_IS_BETTER = {"final_test_metric", "utilisation"}
UNITS = {"final_test_metric": "fraction", "final_test_error": "fraction", "final_test_loss": "nat",
         "staleness_mean": "updates", "utilisation": "fraction", "dropped_share": "fraction"}  # fmt: skip


def quantity(data: Results, what: str, rate: str, target: float, split: str = "test") -> xr.Dataset:
    """`what` of every run: `value` (method, workload, machine, seed), NaN where nothing was run.

    Times to the target (`datasets.targets`: `target` times the error of the tuned mini-batch baseline) are
    infinite where it was missed, and have `end`, where the run ended. split: which part of the data the accuracy or
    loss is of, "test" or "validation".
    """
    given = (what, rate, target, split)
    if data.known is None:
        return _quantity(data, *given)
    if given not in data.known:
        data.known[given] = _quantity(data, *given)
    return data.known[given]


def _quantity(data: Results, what: str, rate: str, target: float, split: str) -> xr.Dataset:
    if what.startswith("final_"):
        return xr.Dataset({"value": _final(data, what, rate, split)})
    if what.endswith("_to_target"):
        return _times(data, what.removesuffix("_to_target"), rate, target, split)
    summaries = data.summaries.reset_coords(drop=True)
    if what == "dropped_share":
        return xr.Dataset({"value": summaries.gradients_dropped / summaries.gradients_computed})
    return xr.Dataset({"value": summaries[what]})


def _final(data: Results, what: str, rate: str, split: str) -> xr.DataArray:
    variable = f"{split}_loss" if what == "final_test_loss" else f"{split}_metric"
    ends = datasets.final(data.curves, variable).sel(rate=rate, drop=True)
    return datasets.error(ends, data.curves) if what == "final_test_error" else ends


def _times(data: Results, name: str, rate: str, target: float, split: str) -> xr.Dataset:
    found = _times_to(data, name, rate, [target], split)
    return found.isel(target=0, drop=True)


def raised(data: Results, target: float, named: Sequence[str] | None) -> list[str]:
    """The workloads on which a target would lie nearer to an untrained model than half-way to the baseline's end."""
    plain, higher = (
        datasets.targets(data.tuning, multiples=[target], curves=one) for one in (None, data.curves)
    )
    moved = (plain != higher).any("target")
    known = present(data.curves, named) if named else data.curves.workload.values.tolist()
    return [name for name in known if bool(moved.sel(workload=name))]


def times_over_sweep(data: Results, what: str, rate: str, target: float) -> xr.Dataset:
    """A time to the target of every run, as `quantity`, with the dim `target`: its own first, then the whole sweep.

    Targets of the sweep that lie nearer to chance than half-way are all the one that lies there.
    """
    given = ("sweep", what, rate, target)
    known = {} if data.known is None else data.known
    if given not in known:
        multiples = [target, *(one for one in datasets.MULTIPLES if one != target)]
        known[given] = _times_to(data, what.removesuffix("_to_target"), rate, multiples, "test")
    return known[given]


def _times_to(data: Results, name: str, rate: str, multiples: Sequence[float], split: str) -> xr.Dataset:
    """No run reaches a target in less than one update, whatever a straight line between two points says."""
    goal = datasets.targets(data.tuning, multiples=multiples, curves=data.curves)
    axes = dict.fromkeys((name, "updates"))
    at_rate = data.curves.sel(rate=[rate])
    found = datasets.time_to_target(at_rate, goal, f"{split}_metric", list(axes)).isel(rate=0, drop=True)
    value, end, updates = found[name], found[f"{name}_end"], found.updates_end
    one = (end / updates.where(updates > 0)).fillna(0.0)
    return xr.Dataset({"value": value.where(~((value > 0) & (value < one)), one), "end": end, "goal": goal})


def workloads_of(data: Results, what: str, named: Sequence[str] | None) -> list[str]:
    """Those of the workloads a rule names that the results have, or all; of accuracies, without those that have none.

    Raises:
        InputError: as `present`, or `what` is about accuracies and a workload is named whose metric is another.
    """
    attributes, known = data.curves.attrs, [str(name) for name in data.curves.workload.values]
    named = present(data.curves, named) if named else None
    if what not in ("final_test_metric", "final_test_error"):
        return list(named or known)
    accurate = [name for name in known if not metric_of(attributes, name).lower_is_better]
    for name in named or []:
        if name not in accurate:
            other = f"final_test_loss or a time to the target, for {metric_of(attributes, name).name}"
            raise refuse(f"rule.what on {name}", what, other)
    return list(named or accurate)


def epochs(data: Results, what: str, named: Sequence[str] | None) -> str:
    """How long the runs of a rule on `what` were trained: '3 epochs', or '2 to 100 epochs' over workloads."""
    trained = data.curves.epoch.isel(point=-1)
    each = [float(trained.sel(workload=name).median()) for name in workloads_of(data, what, named)]
    ends = list(dict.fromkeys(f"{round(count, 1):g}" for count in (min(each), max(each))))
    return f"{' to '.join(ends)} epoch{'' if ends == ['1'] else 's'}"


def present(data: xr.Dataset, named: Sequence[str]) -> list[str]:
    """The workloads of `named` that the results have: a rule names one for each profile, and no run has them all.

    Raises:
        InputError: a name that no workload has, or none of them in the results.
    """
    known = [str(name) for name in data.workload.values]
    for name in named:
        if name not in known and name not in NAMES:
            raise refuse("rule.workloads", name, [*known, *NAMES])
    found = [name for name in named if name in known]
    if not found:
        raise refuse("rule.workloads", ", ".join(named), f"at least one that was run: {', '.join(known)}")
    return found


def is_trained(what: str) -> bool:
    """Whether it needs training; the other quantities are read off timelines, whatever the learning rate."""
    return what.startswith("final_") or what.endswith("_to_target")


def is_better_high(what: str) -> bool:
    """Whether more of it is good."""
    return what in HIGHER_IS_BETTER


def check_labels(data: xr.Dataset, key: str, labels: Sequence[str], dim: str) -> None:
    """Refuse a label that the results do not have, with the nearest one that they have."""
    known = [str(label) for label in data[dim].values]
    for label in labels:
        if label not in known:
            raise refuse(key, label, known)


def expand(data: xr.Dataset, key: str, names: Sequence[str]) -> list[str]:
    """The labels of `names`: a label stands for itself, a method's name for all of its variants."""
    known = [str(label) for label in data.method.values]
    found: list[str] = []
    for name in names:
        variants = [name] if name in known else [label for label in known if label.startswith(f"{name} ")]
        if not variants:
            raise refuse(key, name, known)
        found += variants
    return found


def best_of(data: Results, labels: Sequence[str], what: str, rate: str, target: float) -> xr.DataArray:
    """The best of `labels` at each (workload, machine), chosen on validation data, never on the test set.

    Accuracies and losses by their mean over seeds, times by their median; quantities of timelines, which no data
    enter, by their own mean. Where none was run, the first label stands.
    """
    if len(labels) == 1:
        places = data.curves[["workload", "machine"]]
        return xr.DataArray(
            np.full(tuple(places.sizes.values()), labels[0], dtype=object), places.coords, places.dims
        )
    what = (
        "final_test_error" if what == "final_test_metric" else what
    )  # of which less is better on any workload
    scores = quantity(data, what, rate, target, split="validation").value.sel({"method": list(labels)})
    if what.endswith("_to_target"):  # a miss is infinite: the median orders runs without dropping it
        score = xr.apply_ufunc(arrays.median_time, scores, input_core_dims=[["seed"]], vectorize=True)
    else:
        score = scores.mean("seed")
    sign = -1.0 if is_better_high(what) else 1.0
    order = (sign * score).fillna(np.inf).argmin("method")
    return xr.apply_ufunc(lambda index: np.asarray(list(labels), dtype=object)[index], order)


def file_name(data: Results, name: str) -> str:
    """A result file's name as the project knows it: results/STUDY/..."""
    return f"results/{data.folder.name}/{name}"


def files(data: Results, what: str, labels: Sequence[str]) -> tuple[str, ...]:
    """The files that `what` of these methods is read from; a target also rests on the baseline's tuning."""
    sources = [(data.curves if is_trained(what) else data.summaries, labels)]
    if what.endswith("_to_target"):
        sources.append((data.tuning, datasets.family(data.tuning, "mini_batch")))
    names = [str(source.file.sel({"method": label}).item()) for source, some in sources for label in some]
    return tuple(file_name(data, name) for name in dict.fromkeys(names))
