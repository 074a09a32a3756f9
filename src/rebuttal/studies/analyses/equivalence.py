"""The weights of layer-wise and delayed forms beside those of mini-batch SGD.

The values are computed by the oracle
(rebuttal.replaying.weight_distance), so nothing that makes a study fast takes part.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.update_rules import Momentum
from rebuttal.machines import machine
from rebuttal.machines.costs import Costs
from rebuttal.methods import METHODS, Method, method
from rebuttal.simulation.simulate import rehearse
from rebuttal.studies.analyses.analysis_record import Analysis
from rebuttal.studies.params.engine_choice import LOCAL
from rebuttal.studies.params.expansion import label
from rebuttal.studies.runs.pool import run_all

Form = tuple[str, dict[str, Any]]  # a method's name, with options
NODES, BATCH = 2, 4  # few and small: every node's gradient is computed for itself, one layer at a time
RATE, RULE, UPDATES = 0.02, Momentum(0.9), (1, 5, 20)
DTYPES = ("float32", "float64")
VARIABLES = ("largest_difference", "relative_difference")
CLOCK = "paper_cluster"  # its seconds are stated, so that no model need be profiled
WORKER = "rebuttal.replaying.weight_distance"  # what computes: it brings torch
LAYER_WISE: Form = ("layer_wise_asynchronous", {"lazy": False})
DELAYED: Form = ("delayed_layer_wise", {"k": 1})
FORMS: tuple[Form, ...] = (
    ("all_reduce", {}),
    ("layer_wise", {}),
    ("layer_wise_overlapped", {"channels": 2}),
    ("bucketed", {"cap_mib": 0.02, "first_mib": 0.01}),
    LAYER_WISE,
    ("layer_wise_asynchronous", {"lazy": True}),
    ("delayed_all_reduce", {"k": 1}),
    DELAYED,
)
#: On which workloads, which forms: a Transformer's gradient takes long, so that it is for the main ones.
WORKLOADS: dict[str, tuple[Form, ...]] = {
    "digits_deep": FORMS,
    "digits_cnn": FORMS,
    "pydoc_transformer": (LAYER_WISE, DELAYED),
}


def equivalence(
    seeds: Sequence[int], workloads: Mapping[str, tuple[Form, ...]], engine: str = LOCAL
) -> xr.Dataset:
    """How far weights are from those of mini-batch SGD, over (form, workload, dtype, seed, update).

    `largest_difference` is that of any weight, `relative_difference` the same over the largest change of any weight
    since the start. NaN where a form is not run.
    """
    found = blank(seeds, workloads)
    tasks = [(some, workload, dtype, seed) for workload, some in workloads.items()
             for dtype in DTYPES for seed in seeds]  # fmt: skip
    pairs = run_all(_distances, tasks, "equivalence", preload=[WORKER], engine=engine)
    for (some, workload, dtype, seed), pair in zip(tasks, pairs, strict=True):
        place = {"form": [label(*form) for form in some], "workload": workload, "dtype": dtype, "seed": seed}
        for name, values in zip(VARIABLES, pair, strict=True):
            found[name].loc[place] = values
    return found


def blank(seeds: Sequence[int], workloads: Mapping[str, tuple[Form, ...]]) -> xr.Dataset:
    """The dataset before anything is computed. `bound`: half of a precision's digits, the root of its smallest step."""
    forms = {label(*form): form for some in workloads.values() for form in some}
    coords: dict[str, Any] = {"form": list(forms), "workload": list(workloads), "dtype": list(DTYPES),
                              "seed": list(seeds), "update": list(UPDATES)}  # fmt: skip
    empty = np.full([len(labels) for labels in coords.values()], np.nan)
    found = xr.Dataset({name: (tuple(coords), empty.copy()) for name in VARIABLES}, coords)
    found.coords["form_about"] = ("form", [_first_line(name) for name, _ in forms.values()])
    found.coords["bound"] = ("dtype", [float(np.sqrt(np.finfo(dtype).eps)) for dtype in DTYPES])
    return ANALYSES["equivalence"].annotated(
        found, clock="modelled", nodes=NODES, batch=BATCH, learning_rate=RATE, momentum=RULE.momentum
    )


def _distances(some: tuple[Form, ...], workload: str, dtype: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    # Imported here because it brings torch: in the workers only.
    from rebuttal.replaying.weight_distance import Values, distances  # noqa: PLC0415

    values = Values(workload, dtype, seed, BATCH, RATE, RULE)
    others = [_rehearsal(method(name, **options), NODES, workload, seed) for name, options in some]
    reference = _rehearsal(method("mini_batch", shards=NODES), 1, workload, seed)
    return distances(reference, others, UPDATES, values)


def _rehearsal(program: Method, workers: int, workload: str, seed: int) -> Callable[[Any, Any], None]:
    """What runs the method with a task of tensors, on a clock whose seconds are stated: nothing here rests on them."""

    def run(task: Any, on_report: Any) -> None:
        rehearse(program, task, on_report, machine=machine(CLOCK), costs=_even_costs(workload, task.layer_bytes),
                 workers=workers, seed=seed, updates=max(UPDATES))  # fmt: skip

    return run


def _even_costs(workload: str, layer_bytes: Sequence[int]) -> Costs:
    """Costs of a model whose layers all take equally long."""
    n, sizes = len(layer_bytes), tuple(size // 4 for size in layer_bytes)
    names = tuple(f"layer{number}" for number in range(n))
    return Costs(workload, sum(sizes), sum(layer_bytes), BATCH, BATCH, names, {BATCH: (1.0,) * n}, {BATCH: (2.0,) * n},
                 0.0, layer_parameters=sizes, layer_outputs=(1,) * n)  # fmt: skip


def _first_line(name: str) -> str:
    """What a method is, from its docstring."""
    return (METHODS[name].__doc__ or name).strip().splitlines()[0].rstrip(".")


EQUIVALENCE = Analysis(
    ANALYSES["equivalence"],
    lambda given: equivalence(given.grid.seeds, WORKLOADS, given.params.engine),
    pooled=True,
)
