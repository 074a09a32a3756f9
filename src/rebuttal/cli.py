"""The command line: one command for each stage of the pipeline. Bad input is one line on stderr and exit status 2."""

import argparse
import contextlib
import functools
import importlib
import sys
from collections.abc import Callable, Sequence

from rebuttal import warm
from rebuttal.certificates import arguments as of_certificates
from rebuttal.errors import InputError, RunError
from rebuttal.processes import arguments as of_processes

STUDY = "backup_workers"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    given = _parser().parse_args(arguments)
    try:
        _run(given)
    except InputError as error:
        print(f"rebuttal: {error}", file=sys.stderr)
        return 2
    except (RunError, warm.GoneError) as error:
        print(f"rebuttal: {error}", file=sys.stderr)
        return 1
    return 0


def _run(given: argparse.Namespace) -> None:
    """Run a command in a warm process if there is one, here if not."""
    served = given.command not in (_warm, _pages) and warm.offered()
    worker = _started(warm.connect)() if served else None
    if worker is None:
        given.command(given)
    else:
        with contextlib.closing(worker):
            worker(given.command, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rebuttal", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command, about, takes in COMMANDS:
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(command=command)
        if callable(takes):
            takes(sub)
            continue
        for argument, meaning in takes:
            sub.add_argument(argument, help=meaning, nargs=argparse.REMAINDER if argument == "run" else None)
        sub.add_argument("--study", default=STUDY, help=f"a study of the parameters (default: {STUDY})")
    return parser


# Each command imports what it needs when it runs, so that `rebuttal --help` imports nothing heavy.


def _check(given: argparse.Namespace) -> None:
    from rebuttal import papers, params, paths
    from rebuttal.studies.pool import engine_of

    loaded = params.load()
    engine_of(loaded.engine)
    for file in sorted((paths.root() / "papers").glob("*/paper.yaml")):
        papers.load(file)
    sizes = ", ".join(f"{len(study.variants)} variants in {study.name}" for study in loaded.studies.values())
    print(f"parameters and papers: sound; profile {loaded.profile}: {sizes}")


def _simulate(given: argparse.Namespace) -> None:
    from rebuttal import params
    from rebuttal.studies.estimate import say_what_is_left
    from rebuttal.studies.simulating import simulate_method

    loaded = _started(params.load)()
    say_what_is_left(loaded.study(given.study), "simulate", given.method)
    simulate_method(loaded.study(given.study), given.method, loaded.engine)


def _tune(given: argparse.Namespace) -> None:
    from rebuttal import params
    from rebuttal.studies.estimate import say_what_is_left
    from rebuttal.studies.tuning import tune_method

    loaded = _started(params.load)()
    say_what_is_left(loaded.study(given.study), "tune", given.method)
    tune_method(loaded, loaded.study(given.study), given.method)


def _train(given: argparse.Namespace) -> None:
    from rebuttal import params, paths
    from rebuttal.execution import execute
    from rebuttal.studies.estimate import say_what_is_left

    loaded = _started(params.load)()
    say_what_is_left(loaded.study(given.study), "train", given.method)
    notebook = paths.root() / "notebooks" / "train.ipynb"
    executed = paths.results(given.study) / "notebooks" / f"train_{given.method}.ipynb"
    execute(notebook, executed, {"study": given.study, "method": given.method})


def _study(given: argparse.Namespace) -> None:
    from rebuttal import params
    from rebuttal.studies.whole import run_study

    loaded = _started(params.load)()
    run_study(loaded, loaded.study(given.name))


def _stragglers(given: argparse.Namespace) -> None:
    from rebuttal import params
    from rebuttal.studies.stragglers import write_order_statistics

    write_order_statistics(_started(params.load)().study(given.study))


def _with_params(module: str, function: str, _: argparse.Namespace) -> None:
    # a stage that needs params.yaml and nothing else
    from rebuttal import params

    getattr(importlib.import_module(module), function)(_started(params.load)())


def _reviews(_: argparse.Namespace) -> None:
    from rebuttal.report.all_pages import write_pages
    from rebuttal.studies.pool import run_all

    made = _started(write_pages)(run_all)
    print(f"made: {', '.join(made) if made else 'nothing, every page stands as its inputs would make it'}")


def _calibrate(given: argparse.Namespace) -> None:
    from rebuttal import params
    from rebuttal.calibration.campaign import write_calibration

    _started(write_calibration)(params.load(), given.nodes)


def _of_calibrate(parser: argparse.ArgumentParser) -> None:
    about = "numbers of processes (default: the profile's); with more than cores, seconds support no claim"
    parser.add_argument("--nodes", type=int, nargs="+", default=(), metavar="N", help=about)


def _machines(_: argparse.Namespace) -> None:
    from rebuttal.report.site import write_machines

    _started(write_machines)()


def _calibration(_: argparse.Namespace) -> None:
    from rebuttal.report.site import write_calibration

    _started(write_calibration)()


def _review(given: argparse.Namespace) -> None:
    from rebuttal.report.site import write_review

    _started(write_review)(given.paper)


def _compare(given: argparse.Namespace) -> None:
    from rebuttal.report.site import write_comparison

    _started(write_comparison)(given.name)


def _measured(_: argparse.Namespace) -> None:
    from rebuttal.report.site import write_measured

    _started(write_measured)()


def _site(_: argparse.Namespace) -> None:
    from rebuttal.report.readme import write_readme
    from rebuttal.report.site import write_site

    _started(write_site)()
    write_readme()


def _run_processes(given: argparse.Namespace) -> None:
    from rebuttal.processes.command import run

    said = _started(run)(given)
    if said is not None:
        print(said)


def _verify(given: argparse.Namespace) -> None:
    from rebuttal.processes.command import check

    print(_started(check)(given))


def _certify(given: argparse.Namespace) -> None:
    if given.check:
        from rebuttal.certificates.checking import check

        print(_started(check)(given.check))
    elif given.write_reference:
        from rebuttal.references.reference import write

        print(f"wrote {_started(write)(given.write_reference)}")
    else:
        from rebuttal.certificates.certificate import certify, summary

        content = _started(certify)(given.reference)
        if content["outcome"] != "reproduced":
            raise RunError(summary(content))
        print(summary(content))


def _warm(given: argparse.Namespace) -> None:
    from rebuttal.warm.command import run

    sys.exit(run(given.run, PRELOADED))


def _pages(_: argparse.Namespace) -> None:
    from rebuttal.warm.command import run

    sys.exit(run(("dvc", "repro"), PAGES))


def _started(then: Callable) -> Callable:
    """`then`, once this process is tied to the one that started it, so that a killed pipeline leaves no orphan."""
    from rebuttal.lifeline import tie_to_parent

    tie_to_parent()
    return then


PROFILE = functools.partial(_with_params, "rebuttal.studies.profiling", "profile_studies")
THROUGHPUT = functools.partial(_with_params, "rebuttal.studies.throughput", "measure_throughput")
ANALYSES = functools.partial(_with_params, "rebuttal.studies.analyses", "write_analyses")
DELAYS = functools.partial(_with_params, "rebuttal.studies.delays", "write_delays")
MEMORY = functools.partial(_with_params, "rebuttal.studies.memory", "write_memory")
RATES = functools.partial(_with_params, "rebuttal.studies.rates", "write_rates")
WORKER_COUNTS = functools.partial(_with_params, "rebuttal.studies.worker_counts", "write_worker_counts")
ADVERSARIAL = functools.partial(_with_params, "rebuttal.studies.adversarial", "write_adversarial")
RECORDED = functools.partial(_with_params, "rebuttal.studies.recorded", "write_recorded")
EQUIVALENCE = functools.partial(_with_params, "rebuttal.studies.equivalence", "write_equivalence")
METHOD = ("method", "a method of the study: a key of its `methods` in params/STUDY.yaml")
NAME = ("name", "a study: a section of the parameters with methods")
PAPER = ("paper", "a folder of papers/")
RUN = ("run", "a command and its arguments, such as dvc repro")
#: What stages of pages import, and their notebooks' kernels: no torch.
PAGES = (
    "rebuttal.execution",
    "rebuttal.report.comparison",
    "rebuttal.report.all_pages",
    "rebuttal.studies.pool",
    "rebuttal.report.on_machines",
    "rebuttal.report.paper_review",
    "rebuttal.report.site",
    "rebuttal.report.site_index",
    "dask.array",  # xarray looks for it wherever it is installed, in every notebook
    "ipykernel.kernelapp",  # notebooks are executed in processes of the server
    "ipykernel.ipkernel",
)
#: What stages import: a warm server does so once.
PRELOADED = (
    "rebuttal.studies.simulating",
    "rebuttal.studies.tuning",
    "rebuttal.studies.training",
    "rebuttal.studies.profiling",
    "rebuttal.studies.stragglers",
    "rebuttal.studies.throughput",
    "rebuttal.studies.memory",
    "rebuttal.studies.rates",
    "rebuttal.studies.adversarial",
    "rebuttal.studies.worker_counts",
    "rebuttal.studies.equivalence",
    "rebuttal.studies.delays",
    "rebuttal.studies.whole",
    "rebuttal.studies.estimate",
    "rebuttal.replaying.workers",
    *PAGES,
)
COMMANDS = (
    ("check", _check, "check the parameters, the papers' files and the data, and start nothing", ()),
    ("profile", PROFILE, "measure this device: costs of each layer, and the fastest executors", ()),
    ("simulate", _simulate, "run the virtual clock for every run of a method", (METHOD,)),
    ("tune", _tune, "find the learning rate of each variant of a method", (METHOD,)),
    ("train", _train, "execute notebooks/train.ipynb for a method", (METHOD,)),
    ("study", _study, "simulate, tune and train every method of a study at once", (NAME,)),
    ("stragglers", _stragglers, "order statistics of every straggler model", ()),
    ("throughput", THROUGHPUT, "time workloads on this device over few and over many samples", ()),
    ("analyses", ANALYSES, "what needs no training: full-size models on every machine", ()),
    ("memory", MEMORY, "memory of every method on full-size models, from their time lines", ()),
    ("rates", RATES, "rates of convergence beside their bounds, and the map of where smoothing pays", ()),
    (
        "adversarial",
        ADVERSARIAL,
        "adversarial perturbations of a trained network, with and without smoothing",
        (),
    ),
    (
        "worker_counts",
        WORKER_COUNTS,
        "synchronous with a backup beside asynchronous, on few and more workers",
        (),
    ),
    ("recorded", RECORDED, "pipelines on real processes of this host, recorded and verified", ()),
    (
        "equivalence",
        EQUIVALENCE,
        "weights of layer-wise and delayed forms beside those of mini-batch SGD",
        (),
    ),
    ("delays", DELAYS, "small problems whose gradients are late, in discrete and in continuous time", ()),
    (
        "reviews",
        _reviews,
        "make every page that a notebook makes and whose inputs have changed, side by side",
        (),
    ),
    ("machines", _machines, "execute notebooks/machines.ipynb and render its page", ()),
    (
        "calibrate",
        _calibrate,
        "measure real processes of this host, and the virtual clock against them",
        _of_calibrate,
    ),
    ("calibration", _calibration, "execute notebooks/calibrate.ipynb and render its page", ()),
    ("review", _review, "execute a paper's review notebook and render its page", (PAPER,)),
    (
        "compare",
        _compare,
        "execute the notebook that compares a study's methods and render its page",
        (NAME,),
    ),
    ("measured", _measured, "write the page on how everything was measured, and what was not", ()),
    ("site", _site, "assemble the site in reports/", ()),
    (
        "run",
        _run_processes,
        "run a method on real processes of this host, and record it",
        of_processes.of_run,
    ),
    (
        "verify",
        _verify,
        "compute a recorded run again, and compare the weights to the bit",
        of_processes.of_verify,
    ),
    (
        "certify",
        _certify,
        "hold the results against committed reference results, and write a certificate",
        of_certificates.of_certify,
    ),
    (
        "pages",
        _pages,
        "dvc repro after a change to charts, papers or docs: what pages need is loaded, and no torch",
        (),
    ),
    ("warm", _warm, "run a command whose stages share one start-up: warm dvc repro", (RUN,)),
)
