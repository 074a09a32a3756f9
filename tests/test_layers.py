"""The architecture as a table: which room of the package may import which. Arrows point down only."""

import ast
import os
import subprocess
import sys
import time
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from rebuttal.cli.serving import PAGES

SOURCE = Path(__file__).resolve().parents[1] / "src"
PACKAGE = SOURCE / "rebuttal"

# Room -> the rooms that it may import, from the ground up. A room is a module or a package directly in rebuttal.
LAYERS = {
    # the ground: known to every room above it
    "errors": set(),
    "paths": {"errors"},
    "code": {"errors"},
    "seeding": set(),
    "lifeline": set(),
    "leases": set(),
    "own_code": set(),
    # words that methods, clusters and replay share
    "verbs": set(),
    "orders": set(),
    "graph": set(),
    "cut": set(),
    "task": {"graph", "rules", "task_local", "verbs"},
    "task_local": {"graph", "verbs"},
    "rules": {"graph"},
    "timeline": {"graph"},
    "readings": {"clusters", "costs", "graph", "rules", "timeline"},
    "tracing": {"readings", "timeline"},
    # what a machine is
    "distributions": set(),
    "stragglers": {"distributions"},
    "straggler_fit": {"stragglers"},
    "costs": {"cut"},
    "machines": {"stragglers"},
    "models_at_size": {"costs", "machines"},
    # methods and clusters never meet but in simulation and studies
    "methods": {"orders", "own_code", "rules", "verbs"},
    "clusters": {"costs", "graph", "machines", "rules", "timeline", "verbs"},
    "simulation": {"clusters", "costs", "graph", "machines", "methods", "own_code", "task", "timeline"},
    "analyses": {
        "costs", "cut", "graph", "machines", "methods", "models_at_size", "readings", "rules", "simulation",
        "stragglers", "task", "timeline", "verbs",
    },
    # values
    "devices": set(),
    "workloads": {"cut", "own_code"},
    "profiling": {"costs", "devices", "workloads"},
    "replaying": {"cut", "devices", "graph", "metrics", "readings", "rules", "task", "timeline", "workloads"},
    # real processes, which compute as they go
    "processes": {
        "clusters", "cut", "graph", "methods", "own_code", "readings", "replaying", "rules", "stragglers", "task",
        "timeline", "verbs", "workloads",
    },
    "calibration": {
        "clusters", "costs", "cut", "devices", "graph", "machines", "methods", "params", "processes", "results",
        "rules", "schemas", "stats", "stragglers", "task", "timeline", "verbs", "workloads",
    },
    # what is run
    "workload_table": {"params", "workloads"},
    "params": {"graph", "machines", "methods", "rules", "task", "workloads"},
    "verdict_rules": set(),
    "papers": {"params", "verdict_rules"},
    "quick_imports": set(),
    "warm": set(),
    "execution": {"warm"},
    "netcdf": set(),
    "schemas": set(),
    "metrics": set(),
    "results": {"metrics", "netcdf", "schemas"},
    "studies": {
        "analyses", "clusters", "costs", "devices", "distributions", "execution", "graph", "machines", "methods",
        "metrics", "models_at_size", "params", "processes", "profiling", "readings", "replaying", "results", "rules",
        "simulation", "stats", "stragglers", "timeline", "tracing", "warm", "workloads",
    },
    # what is read off it
    "stats": {"distributions", "metrics", "papers", "results", "schemas", "stragglers", "verdict_rules", "workloads"},
    "charts": {"graph", "metrics", "readings", "results", "stats", "timeline"},
    "predicting": {
        "charts", "costs", "machines", "methods", "models_at_size", "readings", "simulation", "stragglers", "timeline",
    },
    "references": {"netcdf", "papers", "params", "stats"},
    "report": {
        "charts", "execution", "machines", "methods", "papers", "params", "references", "results", "schemas", "stats",
    },
    "certificates": {"netcdf", "papers", "references", "report", "stats"},
    "watching": set(),
    "checking": {"charts", "costs", "papers", "params", "report", "studies", "workloads"},
    "new_paper": {"params"},
    "pipeline": {"calibration", "report", "studies"},
    "dvc_command": set(),
    "pictures": {"costs", "machines", "methods", "readings", "simulation", "stragglers", "timeline"},
    "method_table": {
        "costs", "graph", "machines", "methods", "pictures", "readings", "replaying", "simulation", "stragglers",
        "timeline",
    },
    # the doors
    "__init__": {
        "charts", "machines", "methods", "predicting", "processes", "readings", "replaying", "report", "results",
        "simulation", "stats", "studies", "timeline", "tracing", "watching",
    },
    "cli": {
        "calibration", "certificates", "checking", "dvc_command", "execution", "new_paper", "papers", "params",
        "processes", "references", "replaying", "report", "studies", "warm",
    },
    "__main__": {"cli"},
}  # fmt: skip
GROUND = {"code", "errors", "paths", "seeding", "lifeline", "leases", "quick_imports"}
TORCH = {"workloads", "replaying", "processes", "profiling", "calibration"}
TORCH_WHEN_CALLED = {"devices"}  # imports it inside functions only
NOT_IN_METHODS = {"datetime", "logging", "os", "pathlib", "random", "simpy", "time", "torch", "yaml"}

MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def room(module):
    """The room of a module of the package; `rebuttal` itself is the room __init__."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(module, *, deep=True):
    """The full names that a module imports, wherever in the file (or at its top only)."""
    tree = ast.parse(MODULES[module].read_text())
    found = set()
    for node in ast.walk(tree) if deep else top_level(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
        elif isinstance(node, ast.Constant) and node.value in MODULES and node.value != "rebuttal":
            found.add(node.value)  # a module's name in a table of modules to import later
    return found - {module}


def top_level(tree):
    """Every node that runs on import: not the bodies of functions, nor what only type checkers see."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for child in ast.iter_child_nodes(node):
            types_only = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not types_only:
                waiting.append(child)


def inside(module):
    return {name for name in imported(module) if name.partition(".")[0] == "rebuttal"}


every_module = pytest.mark.parametrize("module", MODULES)


@every_module
def test_imports_point_down(module):
    here = room(module)
    assert here in LAYERS, f"a new room: give {here!r} a line in LAYERS"
    allowed = LAYERS[here] | {here} | (GROUND if here not in GROUND else set())
    wrong = {name for name in inside(module) if room(name) not in allowed}
    assert not wrong, f"{here} may import only {sorted(allowed)}"


def test_the_table_itself_points_down():
    list(TopologicalSorter(LAYERS).static_order())
    assert {target for targets in LAYERS.values() for target in targets} <= set(LAYERS)


def test_no_modules_import_each_other_in_a_circle():
    list(TopologicalSorter({module: inside(module) for module in MODULES}).static_order())


def test_methods_and_clusters_never_import_each_other():
    for module in MODULES:
        if room(module) in ("methods", "clusters"):
            assert {room(name) for name in inside(module)}.isdisjoint(
                {"methods", "clusters"} - {room(module)}
            )


@every_module
def test_torch_is_imported_only_where_values_are_computed(module):
    if room(module) in TORCH:
        return
    deep = room(module) not in TORCH_WHEN_CALLED
    assert {name.partition(".")[0] for name in imported(module, deep=deep)}.isdisjoint(
        {"torch", "torchvision"}
    )


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) == "methods"])
def test_methods_measure_print_and_read_nothing(module):
    assert {name.partition(".")[0] for name in imported(module)}.isdisjoint(NOT_IN_METHODS)
    calls = [
        node.func for node in ast.walk(ast.parse(MODULES[module].read_text())) if isinstance(node, ast.Call)
    ]
    assert {call.id for call in calls if isinstance(call, ast.Name)}.isdisjoint({"print", "open", "input"})


def loaded_by(code):
    """The packages that a fresh interpreter has loaded after `code`, and the seconds that it took in all."""
    start = time.perf_counter()
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint('LOADED', *sys.modules)"]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, cwd=SOURCE)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == "LOADED"
    return {name.partition(".")[0] for name in last[1:]}, time.perf_counter() - start


HELP = """
import runpy, sys
sys.argv = ["rebuttal", "--help"]
try:
    runpy.run_module("rebuttal", run_name="__main__", alter_sys=True)
except SystemExit as ended:
    assert not ended.code, ended.code
"""


@pytest.mark.parametrize("code", ["import rebuttal", HELP], ids=["import", "help"])
def test_import_and_help_are_quick_and_load_no_torch(code):
    tries = [loaded_by(code) for _ in range(3)]  # the quickest of three: the machine may be busy
    assert tries[0][0].isdisjoint({"torch", "torchvision", "papermill", "dvc", "xarray", "altair"})
    assert min(seconds for _, seconds in tries) < 1


def test_simulation_statistics_charts_and_pages_load_no_torch():
    modules = [name for name in MODULES if room(name) not in TORCH | {"__main__", "studies"}]
    loaded, _ = loaded_by("\n".join(f"import {name}" for name in [*modules, *PAGES, "rebuttal.workloads"]))
    assert "torch" not in loaded
