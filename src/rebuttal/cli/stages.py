"""Stages that check, measure, simulate and train. Each imports what it needs when it runs, so that help is quick."""

import argparse
import functools
import importlib

from rebuttal.cli.starting import started


def check(given: argparse.Namespace) -> None:
    """Check the parameters, the papers' files and the data."""
    from rebuttal import papers, params, paths
    from rebuttal.studies.pool import engine_of

    loaded = params.load()
    engine_of(loaded.engine)
    for file in sorted((paths.root() / "papers").glob("*/paper.yaml")):
        papers.load(file)
    sizes = ", ".join(f"{len(study.variants)} variants in {study.name}" for study in loaded.studies.values())
    print(f"parameters and papers: sound; profile {loaded.profile}: {sizes}")


def simulate(given: argparse.Namespace) -> None:
    """Run the virtual clock for every run of a method."""
    from rebuttal import params
    from rebuttal.studies.estimate import say_what_is_left
    from rebuttal.studies.simulating import simulate_method

    loaded = started(params.load)()
    say_what_is_left(loaded.study(given.study), "simulate", given.method)
    simulate_method(loaded.study(given.study), given.method, loaded.engine)


def tune(given: argparse.Namespace) -> None:
    """Find the learning rate of each variant of a method."""
    from rebuttal import params
    from rebuttal.studies.estimate import say_what_is_left
    from rebuttal.studies.tuning import tune_method

    loaded = started(params.load)()
    say_what_is_left(loaded.study(given.study), "tune", given.method)
    tune_method(loaded, loaded.study(given.study), given.method)


def train(given: argparse.Namespace) -> None:
    """Execute the notebook that trains a method."""
    from rebuttal import params, paths
    from rebuttal.execution import execute
    from rebuttal.studies.estimate import say_what_is_left

    loaded = started(params.load)()
    say_what_is_left(loaded.study(given.study), "train", given.method)
    notebook = paths.root() / "notebooks" / "train.ipynb"
    executed = paths.results(given.study) / "notebooks" / f"train_{given.method}.ipynb"
    execute(notebook, executed, {"study": given.study, "method": given.method})


def study(given: argparse.Namespace) -> None:
    """Simulate, tune and train every method of a study."""
    from rebuttal import params
    from rebuttal.studies.whole import run_study

    loaded = started(params.load)()
    run_study(loaded, loaded.study(given.name))


def stragglers(given: argparse.Namespace) -> None:
    """Write the order statistics of every straggler model."""
    from rebuttal import params
    from rebuttal.studies.stragglers import write_order_statistics

    write_order_statistics(started(params.load)().study(given.study))


def with_params(module: str, function: str, _: argparse.Namespace) -> None:
    """A stage that needs params.yaml and nothing else: `function` of `module`."""
    from rebuttal import params

    getattr(importlib.import_module(module), function)(started(params.load)())


def calibrate(given: argparse.Namespace) -> None:
    """Measure real processes of this host, and the virtual clock against them."""
    from rebuttal import params
    from rebuttal.calibration.campaign import write_calibration

    started(write_calibration)(params.load(), given.nodes)


def of_calibrate(parser: argparse.ArgumentParser) -> None:
    """What a calibration can be given."""
    about = "numbers of processes (default: the profile's); with more than cores, seconds support no claim"
    parser.add_argument("--nodes", type=int, nargs="+", default=(), metavar="N", help=about)


PROFILE = functools.partial(with_params, "rebuttal.studies.profiling", "profile_studies")
THROUGHPUT = functools.partial(with_params, "rebuttal.studies.throughput", "measure_throughput")
ANALYSES = functools.partial(with_params, "rebuttal.studies.analyses", "write_analyses")
DELAYS = functools.partial(with_params, "rebuttal.studies.delays", "write_delays")
MEMORY = functools.partial(with_params, "rebuttal.studies.memory", "write_memory")
RATES = functools.partial(with_params, "rebuttal.studies.rates", "write_rates")
WORKER_COUNTS = functools.partial(with_params, "rebuttal.studies.worker_counts", "write_worker_counts")
ADVERSARIAL = functools.partial(with_params, "rebuttal.studies.adversarial", "write_adversarial")
RECORDED = functools.partial(with_params, "rebuttal.studies.recorded", "write_recorded")
EQUIVALENCE = functools.partial(with_params, "rebuttal.studies.equivalence", "write_equivalence")
