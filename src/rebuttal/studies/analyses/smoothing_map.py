"""Where PPRS beats GPipe: a map over depth, samples, dimension, smoothness and accuracy, and where practice lies on it.

*Measured*: the constants of the rates, from runs of the methods (`analyses.rates`). *Modelled*: everything else. To
bring the error of a convex function of slope L and distance R to ε takes, in updates, with A = R L/ε,

    PPRS  T = c₁ d^(1/4) A, K = ⌈(T + 1)/√d⌉ samples each;   sub-gradients  T = (c₂ A)²;   accelerated, where the
    curvature is bounded by β = s L/R,  T = √(c₃ s A)

and an update takes 2 (m K + Δ − 1) passes of a stage at depth Δ with m micro-batches, K = 1 without smoothing: the
virtual clock's own count, which `clock` compares. Messages cost nothing; `steps` says what they cost elsewhere.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.partition import groups
from rebuttal.machines.costs import Costs
from rebuttal.machines.full_size_costs import costs_on
from rebuttal.machines.hardware import Machine
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.simulation.simulate import simulate
from rebuttal.studies.analyses.analysis_record import Analysis, Given
from rebuttal.studies.analyses.grids import Models, found, modelled_on
from rebuttal.studies.analyses.rates import RESTS_ON

DEPTHS = (2, 8, 20, 64, 200, 1000)
SAMPLES = (1, 2, 8, 32, 128, 512)
DIMENSIONS = (100, 10_000, 1_000_000, 100_000_000)
ACCURACIES = (10, 30, 100, 300, 1000)
#: Of the loss: βR/L. Kinks have no bound.
SMOOTHNESS = {"kinks": math.inf, "curvature 10000": 1e4, "curvature 100": 1e2}
FULL = 4  # micro-batches for each stage that keep GPipe busy, as its authors recommend (Huang et al. 2019, section 2.2)
DEEPER = (20, 200)  # stages: depths that the paper's experiments are remembered to have
CLOCK_DEPTHS, CLOCK_SAMPLES = (1, 2, 8, 20), (1, 4, 12)
STAGES, BATCHES, SMOOTHED = 8, 8, 4  # of the steps at full size: stages, micro-batches, smoothing samples
MACHINES, BATCH = ("sandy_bridge_infiniband", "h100_box"), 4  # of these steps: samples of a micro-batch
METHODS = {
    "gpipe": ("gpipe", {"m": BATCHES}),
    "pprs": ("pprs", {"K": SMOOTHED, "gamma": 0.01, "m": BATCHES}),
}


def constants(rates: xr.Dataset) -> xr.Dataset:
    """The constants of the rates, by seed: the least c for which c d^(1/4)/T, c/√T, c/T² bound the measured errors."""
    T = rates.horizon
    scales = {
        "pprs": (T + 1) / rates.attrs["dimension_of_cases"] ** 0.25,
        "sub_gradient": np.sqrt(T),
        "smooth_nesterov": (T + 1) ** 2,
    }
    found = [(rates.error.sel(case=name, drop=True) * scale).max("horizon") for name, scale in scales.items()]
    return xr.Dataset({"constant": xr.concat(found, "rate").assign_coords(rate=list(scales))})


def gain(
    constant: xr.DataArray, depth: xr.DataArray, samples: xr.DataArray, dimension: xr.DataArray,
    smoothness: xr.DataArray, accuracy: xr.DataArray,
) -> xr.Dataset:  # fmt: skip
    """GPipe's time over that of PPRS, by seed: above 1 PPRS is faster.

    over_gradient: GPipe that makes (sub-)gradient steps. over_best: the better of these and of accelerated ones.
    """
    updates, K = _of_pprs(constant, dimension, accuracy)
    smoothed = updates * (samples * K + depth - 1)
    plain = (constant.sel(rate="sub_gradient", drop=True) * accuracy) ** 2
    fast = np.sqrt(constant.sel(rate="smooth_nesterov", drop=True) * smoothness * accuracy)
    step = samples + depth - 1
    gradient, best = (np.ceil(each).clip(min=1) * step for each in (plain, np.minimum(plain, fast)))
    return xr.Dataset({"over_gradient": gradient / smoothed, "over_best": best / smoothed})


def deeper(constant: xr.DataArray, dimension: xr.DataArray, accuracy: xr.DataArray) -> xr.DataArray:
    """How many times longer PPRS takes with one sample when DEEPER[0] stages become DEEPER[1], by seed."""
    _, K = _of_pprs(constant, dimension, accuracy)
    few, many = DEEPER
    return (K + many - 1) / (K + few - 1)


def _of_pprs(
    constant: xr.DataArray, dimension: xr.DataArray, accuracy: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray]:
    """Updates of PPRS, and smoothing samples of each."""
    exact = constant.sel(rate="pprs", drop=True) * dimension**0.25 * accuracy
    updates = xr.apply_ufunc(np.ceil, exact).clip(min=1)
    return updates, xr.apply_ufunc(np.ceil, (updates + 1) / dimension**0.5)


def smoothing_map(rates: xr.Dataset, models: Models) -> xr.Dataset:
    """`over_gradient` and `over_best` on the whole grid and in practical settings, and in what share PPRS is faster.

    Practical settings are the models at full size, cut into one stage for each layer with parameters, with the losses'
    kinks: dims model, samples, accuracy.
    """
    known = constants(rates)
    constant = known.constant
    axes = [
        xr.DataArray(list(values), dims=name, coords={name: list(labels)})
        for name, values, labels in (
            ("depth", DEPTHS, DEPTHS), ("samples", SAMPLES, SAMPLES), ("dimension", DIMENSIONS, DIMENSIONS),
            ("smoothness", SMOOTHNESS.values(), SMOOTHNESS), ("accuracy", ACCURACIES, ACCURACIES),
        )
    ]  # fmt: skip
    data = gain(constant, *axes)
    data["deeper"] = deeper(constant, axes[2], axes[4])
    sizes = {
        name: (_layers(layers), sum(one.parameters for one in layers)) for name, layers in models.items()
    }
    depth, dimension = (
        xr.DataArray([size[place] for size in sizes.values()], dims="model", coords={"model": list(sizes)})
        for place in (0, 1)
    )
    kinks = axes[3].sel(smoothness="kinks", drop=True)
    practical = gain(constant, depth, axes[1], dimension, kinks, axes[4])
    data["practical"], data["practical_depth"] = practical.over_best, depth
    data["practical_dimension"] = dimension
    shares = {
        "map, against gradient steps": data.over_gradient,
        "map, against the better of both": data.over_best,
        "practical settings": data.practical,
        "practical settings, one sample": data.practical.sel(samples=1, drop=True),
        "practical settings, a full pipeline": data.practical.where(data.samples >= FULL * depth),
    }
    won = [_share(each) for each in shares.values()]
    data["share"] = xr.concat(won, "place", coords="minimal").assign_coords(place=list(shares))
    return data.merge(known)


def _share(values: xr.DataArray) -> xr.DataArray:
    """In what share of the places PPRS is faster, by seed; places without a number do not count."""
    others = [dim for dim in values.dims if dim != "seed"]
    return (values > 1).sum(others) / values.notnull().sum(others)


def _layers(layers: Sequence) -> int:
    """Layers with parameters: the most stages that a model can be cut into."""
    return len(groups(tuple(one.parameters for one in layers)))


def clock(machine: str | Machine = "ideal") -> xr.Dataset:
    """An update of PPRS on the virtual clock, in passes of a stage that take a second each, and by the formula."""
    (where,) = found([machine]).values()
    seconds = [[_update_s(where, depth, samples) for samples in CLOCK_SAMPLES] for depth in CLOCK_DEPTHS]
    data = xr.Dataset(
        {"clock_units": (("clock_depth", "clock_samples"), np.array(seconds))},
        {"clock_depth": list(CLOCK_DEPTHS), "clock_samples": list(CLOCK_SAMPLES)},
    )
    data["formula_units"] = 2 * (data.clock_samples + data.clock_depth - 1)
    data["of_formula"] = data.clock_units / data.formula_units
    return data


def unit_costs(depth: int) -> Costs:
    """Of a model of so many equal layers, each of whose passes takes a second."""
    layers, ones = tuple(f"layer{number}" for number in range(depth)), (1,) * depth
    seconds = {1: (1.0,) * depth}
    return Costs("unit passes", depth, 4 * depth, 1, 1, layers, seconds, seconds, 0.0, ones, ones)


def _update_s(where: Machine, depth: int, samples: int) -> float:
    costs = unit_costs(depth)
    run = simulate(
        "pprs", machine=where, workers=depth, updates=1, batch=1, costs=costs, options={"K": samples}
    )
    return float(run.updates["time_s"][-1])


def steps(models: Models, machines: Mapping[str, Machine], batch: int) -> xr.Dataset:
    """Seconds of an update of GPipe and of PPRS with full-size models: messages cost what the machine's links cost.

    `of_units`: how many times longer PPRS takes than GPipe, over what the passes alone say.
    """
    labels = {name: layers for name, layers in models.items() if _layers(layers) >= STAGES}
    seconds = [
        [[_step_s(method, costs_on(layers, where, batch, name), where, batch) for where in machines.values()]
         for name, layers in labels.items()]
        for method in METHODS.values()
    ]  # fmt: skip
    data = xr.Dataset(
        {"step_s": (("method", "step_model", "machine"), np.array(seconds))},
        {"method": list(METHODS), "step_model": list(labels), "machine": list(machines)},
    )
    units = (BATCHES * SMOOTHED + STAGES - 1) / (BATCHES + STAGES - 1)
    plain, smoothed = (data.step_s.sel({"method": name}, drop=True) for name in METHODS)
    data["of_units"] = smoothed / plain / units
    return data


def _step_s(method: tuple[str, dict], costs: Costs, where: Machine, batch: int) -> float:
    name, options = method
    run = simulate(name, machine=where, workers=STAGES, updates=1, batch=batch, costs=costs, options=options)
    return float(run.updates["time_s"][-1])


def _of_rates(given: Given) -> xr.Dataset:
    """From the measured rates, with the models at full size."""
    machines = {name: SCALED_MACHINES[name] for name in MACHINES}
    drawn = smoothing_map(given.result("rates"), given.models).merge(clock())
    drawn = drawn.merge(steps(given.models, machines, BATCH))
    return ANALYSES["smoothing_map"].annotated(
        drawn, **modelled_on(machines.values()),
        batch=BATCH, stages=STAGES, micro_batches=BATCHES, smoothing_samples=SMOOTHED,
    )  # fmt: skip


SMOOTHING_MAP = Analysis(ANALYSES["smoothing_map"], _of_rates, needs=("rates",), origin=RESTS_ON)
