"""The statistics of `rebuttal.evidence.arrays` on datasets with named dims: what charts and verdicts are made of.

A run is there where its learning rate is a number. A run that diverged is kept: it has reached no target, and at
its end it is worth what the untrained model was.
"""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from rebuttal.base.errors import refuse
from rebuttal.core.metrics import falling, in_steps
from rebuttal.evidence import arrays, student

MULTIPLES = (4.0, 3.0, 2.0, 1.5, 1.25, 1.0)  # of the baseline's validation error: the sweep of targets
LAST = 3  # points at the end of a curve whose mean is its end
SMALLEST_ERROR = 1e-3  # a perfect validation score would leave no room below it
FALLING_STEP = (
    0.1  # of a metric that falls, as bits do, m times stands for this share of m - 1 above the best
)
AXES = {"seconds": "seconds", "updates": "update", "epochs": "epoch", "samples": "samples_computed"}
PARTS = ("total", "updates", "seconds_per_update")


def family(data: xr.Dataset, prefix: str) -> list[str]:
    """The labels of `method` that are `prefix` or one of its variants. Raises InputError if there is none."""
    labels = [str(label) for label in data.method.values]
    found = [label for label in labels if label == prefix or label.startswith((f"{prefix} ", f"{prefix}="))]
    if not found:
        raise refuse("method", prefix, labels)
    return found


def at_best_rate(tuning: xr.Dataset) -> xr.DataArray:
    """The validation metric at each method's chosen learning rate: dims method, workload, machine, seed."""
    best = xr.apply_ufunc(np.isclose, tuning.learning_rate, tuning.best_learning_rate)
    return tuning.validation_metric.where(best).mean("learning_rate")


def over_tuning_seeds(tuning: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Validation loss and metric of every learning rate: the means over the tuning seeds that it was tried on.

    The loss is infinite where a run diverged, and NaN where a method was not tuned.
    """
    loss = tuning.validation_loss.where(tuning.diverged != 1, np.inf)
    return loss.mean("seed"), tuning.validation_metric.mean("seed")


def targets(
    tuning: xr.Dataset,
    baseline: str = "mini_batch",
    multiples: Sequence[float] = MULTIPLES,
    curves: xr.Dataset | None = None,
) -> xr.DataArray:
    """The sweep of target metrics (workload, target), from the baseline's tuning runs alone.

    The best variant's mean validation accuracy over the tuning seeds has an error e; the target called m is the
    accuracy 1 - m e. Of a metric that falls to e, it is e (1 + FALLING_STEP (m - 1)): bits for each symbol are
    never few enough to be multiplied. So it is, as an error, where errors stay large. Neither a test set, nor a
    trained reported run, nor any other method is looked at.

    curves: whose untrained models say what chance is. A target nearer to it than half-way to the baseline's error is
    raised to half-way: an untrained model, or its first few updates, could meet it.
    """
    scores = at_best_rate(tuning.sel({"method": family(tuning, baseline)})).mean(["seed", "machine"])
    least = error(scores, tuning).min("method")
    steps = xr.DataArray(list(multiples), dims="target", coords={"target": list(multiples)})
    above, times = least * (1 + FALLING_STEP * (steps - 1)), least.clip(min=SMALLEST_ERROR) * steps
    allowed = xr.where(_asked(scores, tuning, in_steps), above, times)
    if curves is not None:
        allowed = np.minimum(allowed, half_way(least, curves))
    found = xr.where(_falls(scores, tuning), allowed, 1 - allowed).transpose("workload", "target")
    return found.assign_attrs(units="that of the metric", baseline=baseline)


def half_way(least: xr.DataArray, curves: xr.Dataset) -> xr.DataArray:
    """Half-way from the error of the untrained model to the baseline's (workload); infinite where nothing was run."""
    start = curves.reset_coords().validation_metric.isel(point=0, drop=True).where(ran(curves))
    untrained = error(start, curves).mean([dim for dim in start.dims if dim != "workload"])
    return ((untrained + least) / 2).fillna(np.inf)


def error(values: xr.DataArray, data: xr.Dataset) -> xr.DataArray:
    """Values of a metric as errors, of which less is better: 1 - accuracy, or a metric that falls as it is.

    data: whose attributes say which workloads' metrics fall; the values have `workload` as a dim or a coordinate.
    """
    return xr.where(_falls(values, data), values, 1 - values).transpose(*values.dims)


def _falls(values: xr.DataArray, data: xr.Dataset) -> xr.DataArray:
    """Whether each workload's metric falls: over the dim workload, or a scalar."""
    return _asked(values, data, falling)


def _asked(values: xr.DataArray, data: xr.Dataset, question: Callable[..., list[bool]]) -> xr.DataArray:
    """What is true of each workload's metric: over the dim workload, or a scalar."""
    name = values.coords.get("workload", xr.DataArray(data.attrs.get("workload", "")))
    answers = np.reshape(question(data.attrs, np.atleast_1d(name.values)), name.shape)
    return xr.DataArray(answers, dims=name.dims, coords={dim: name[dim] for dim in name.dims})


def ran(curves: xr.Dataset) -> xr.DataArray:
    """Whether each run is there: dims method, workload, machine, rate, seed."""
    flat = curves.reset_coords()  # variables only, so that no coordinate of a point rides along
    return flat.learning_rate.notnull() & flat.seconds.isel(point=-1, drop=True).notnull()


def time_to_target(
    curves: xr.Dataset,
    targets: xr.DataArray,
    variable: str = "test_metric",
    axes: Sequence[str] = tuple(AXES),
) -> xr.Dataset:
    """seconds, updates, epochs and samples until each target: dims method, workload, machine, rate, seed, target.

    Infinite where the run ended or diverged before; NaN where nothing was run. The variables `seconds_end` etc.
    (without target) say where each run ended: a lower bound for a miss. axes: which of the four are wanted.
    """
    flat = curves.reset_coords()
    there, diverged = ran(curves), flat.diverged_at.notnull()
    sign = 1 - 2 * _falls(flat[variable], curves)  # a metric that falls reaches its target from above
    found = xr.Dataset()
    for name in axes:
        coordinate = AXES[name]
        times = xr.apply_ufunc(
            _reach,
            flat[variable] * sign,
            flat[coordinate],
            targets * sign,
            input_core_dims=[["point"], ["point"], []],
        )
        found[name] = times.where(~diverged, np.inf).where(there)
        found[f"{name}_end"] = flat[coordinate].isel(point=-1, drop=True)
    return found


def _reach(metric: np.ndarray, axis: np.ndarray, target: np.ndarray) -> np.ndarray:
    metric, axis, target = np.broadcast_arrays(metric, axis, target[..., None])
    return arrays.reach(metric, axis, target)


def final(curves: xr.Dataset, variable: str = "test_metric") -> xr.DataArray:
    """The variable at the end of each run: the mean of its last LAST points, the untrained model not among them.

    Iterates at a constant learning rate jump about their mean; their mean does so less. A diverged run counts as the
    untrained model that it began with.
    """
    values = curves.reset_coords()[variable]
    first = values.isel(point=0, drop=True)
    last = values.isel(point=slice(1, None) if values.sizes["point"] > 1 else slice(None))
    last = last.isel(point=slice(-LAST, None)).mean("point", skipna=False, keep_attrs=True)
    return last.where(curves.reset_coords().diverged_at.isnull(), first).where(ran(curves))


def speed_up(
    curves: xr.Dataset, method: str | Sequence[str], baseline: str, targets: xr.DataArray, rate: str = "tuned"
) -> xr.Dataset:
    """The split speed-up of a method over a baseline: dims workload, machine, target, part.

    estimate, low, high for each part (total, updates, seconds_per_update; total is the product), and the counts n,
    missed and baseline_missed of seeds. Of several methods: the same with the dim method first.
    """
    labels = [method] if isinstance(method, str) else list(method)
    chosen = curves.sel({"method": [*labels, baseline], "rate": rate})
    times = time_to_target(chosen, targets, axes=("seconds", "updates"))[["seconds", "updates"]]
    one, other = times.isel(method=slice(-1)), times.isel(method=-1, drop=True)
    values, counts = xr.apply_ufunc(
        _split,
        *(side[name] for side in (one, other) for name in ("seconds", "updates")),
        input_core_dims=[["seed"]] * 4,
        output_core_dims=[["part", "bound"], ["count"]],
        vectorize=True,
    )
    data = {name: values.isel(bound=i) for i, name in enumerate(("estimate", "low", "high"))}
    data |= {name: counts.isel(count=i) for i, name in enumerate(("n", "missed", "baseline_missed"))}
    found = xr.Dataset(data).assign_coords(part=list(PARTS))
    return found.isel(method=0, drop=True) if isinstance(method, str) else found


def _split(*pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = arrays.speed_up(*pair)
    return np.array([found.total, found.updates, found.seconds_per_update]), np.array(
        [found.n, found.missed, found.baseline_missed]
    )


def over_seeds(values: xr.DataArray) -> xr.Dataset:
    """Mean effect, low and high over the dim `seed` (runs that are not there left out), and n."""
    found = xr.apply_ufunc(_rows, values, input_core_dims=[["seed"]], output_core_dims=[["bound"]])
    data = {name: found.isel(bound=i) for i, name in enumerate(("estimate", "low", "high"))}
    return xr.Dataset(data | {"n": values.notnull().sum("seed")})


def _rows(values: np.ndarray) -> np.ndarray:
    return student.rows(values.reshape(-1, values.shape[-1])).reshape(*values.shape[:-1], 3)


def by_parameter(values: xr.DataArray, prefix: str) -> xr.DataArray:
    """The variants "<prefix><number>" of `method` as a numeric dim `parameter`, in rising order."""
    labels = [str(label) for label in values.method.values if str(label).startswith(prefix)]
    numbers = [float(label.removeprefix(prefix)) for label in labels]
    if len(numbers) < 2:
        raise refuse("of", prefix, "the beginning of at least two labels that end in a number")
    chosen = values.sel({"method": labels}).rename({"method": "parameter"})
    return chosen.assign_coords(parameter=numbers).sortby("parameter")


def slopes(values: xr.DataArray) -> xr.DataArray:
    """Least-squares slope along `parameter`, per run; runs with a gap have none."""
    x = values.parameter - values.parameter.mean()
    return (x * values).sum("parameter", skipna=False) / (x**2).sum()
