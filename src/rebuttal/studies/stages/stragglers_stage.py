"""The stage that needs no method at all: order statistics of every straggler model, closed form and simulated."""

from rebuttal.base import paths
from rebuttal.core import results
from rebuttal.machines import order_statistics
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.studies.params import Params

WORKERS = (8, 16, 32, 64, 100)  # 100 is the paper's
BACKUPS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 50, 64)
ITERATIONS = 20_000


def write_order_statistics(params: Params) -> None:
    """Write analyses/stragglers.nc. Raises InputError."""
    dataset = order_statistics.study(STRAGGLERS, WORKERS, BACKUPS, ITERATIONS, seed=params.analyses.seeds[0])
    results.save(dataset, paths.results("analyses") / "stragglers.nc")
