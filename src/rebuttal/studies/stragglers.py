"""The stage that needs no method at all: order statistics of every straggler model, closed form and simulated."""

from rebuttal import paths, results
from rebuttal.params import Study
from rebuttal.stats import order_statistics
from rebuttal.stragglers import STRAGGLERS

WORKERS = (4, 8, 16, 32, 64, 100)  # 100 is the paper's
BACKUPS = (0, 1, 2, 4, 8, 16)
ITERATIONS = 4000


def write_order_statistics(study: Study) -> None:
    """Write results/<study>/stragglers.nc."""
    workers = sorted({*WORKERS, study.workers})
    dataset = order_statistics.study(STRAGGLERS, workers, BACKUPS, ITERATIONS, seed=study.seeds[0])
    results.save(dataset, paths.results(study.name) / "stragglers.nc")
