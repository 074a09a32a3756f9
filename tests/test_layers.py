"""The architecture as a table: which room of the package may import which. Arrows point down only."""

import ast
import os
import subprocess
import sys
import time
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from rebuttal.base import code
from rebuttal.cli import rooms
from rebuttal.cli.serving import PAGES

SOURCE = Path(__file__).resolve().parents[1] / "src"
PACKAGE = SOURCE / "rebuttal"

# Room -> the rooms that it may import, from the ground up. A room is a module or a package directly in rebuttal.
LAYERS = {
    "base": set(),
    # what methods, clusters and replay share
    "core": {"base"},
    # methods and clusters never meet but in simulation
    "machines": {"base", "core"},
    "methods": {"base", "core"},
    "simulation": {"base", "core", "machines", "methods"},
    # values
    "workloads": {"base", "core"},
    "replaying": {"base", "core", "simulation", "workloads"},
    # real processes, which compute as they go
    "processes": {"base", "core", "machines", "methods", "replaying", "simulation", "workloads"},
    # what is read off results
    "evidence": {"base", "core", "machines", "workloads"},
    "figures": {"base", "core", "evidence", "machines", "methods", "simulation"},
    # what is run
    "studies": {
        "base", "core", "evidence", "machines", "methods", "processes", "replaying", "simulation", "workloads",
    },
    "site": {
        "base", "core", "evidence", "figures", "machines", "methods", "replaying", "simulation", "studies", "workloads",
    },
    # the doors
    "cli": {
        "base", "core", "evidence", "figures", "machines", "processes", "replaying", "site", "studies", "workloads",
    },
    "__init__": {
        "base", "core", "evidence", "figures", "machines", "methods", "processes", "replaying", "simulation", "site",
        "studies",
    },
}  # fmt: skip
MOST_ROOMS, MOST_FLOORS = 14, 9
TORCH = ("rebuttal.workloads", "rebuttal.replaying", "rebuttal.processes", "rebuttal.studies.calibration")
TORCH_WHEN_CALLED = ("rebuttal.base.devices",)  # imports it inside functions only
OF_METHODS = (
    "rebuttal.methods",
    "rebuttal.core",
    "rebuttal.base.arguments",
    "rebuttal.base.errors",
    "rebuttal.base.listing",
    "rebuttal.base.own_classes",
    "rebuttal.base.own_code",
)
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


def lies_in(module, places):
    """Whether a module is one of some packages, or in one."""
    return any(f"{module}.".startswith(f"{place}.") for place in places)


@every_module
def test_imports_point_down(module):
    here = room(module)
    assert here in LAYERS, f"a new room: give {here!r} a line in LAYERS"
    allowed = LAYERS[here] | {here}
    wrong = {name for name in inside(module) if room(name) not in allowed}
    assert not wrong, f"{here} may import only {sorted(allowed)}"


def test_the_table_itself_points_down_and_is_low():
    floors = {}
    for here in TopologicalSorter(LAYERS).static_order():
        floors[here] = 1 + max((floors[below] for below in LAYERS[here]), default=0)
    assert max(floors.values()) <= MOST_FLOORS
    assert {target for targets in LAYERS.values() for target in targets} <= set(LAYERS)


def test_rooms_are_few_and_all_are_in_the_table():
    assert {room(module) for module in MODULES} == set(LAYERS)
    there = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert len(there) == len(LAYERS) <= MOST_ROOMS


def test_no_two_modules_have_one_name():
    names = Counter(module.rpartition(".")[2] for module in MODULES)
    assert [name for name, count in names.items() if count > 1 and name != "__main__"] == []


def test_no_two_classes_have_one_name():
    names = Counter(
        node.name
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_no_modules_import_each_other_in_a_circle():
    list(TopologicalSorter({module: inside(module) for module in MODULES}).static_order())


def test_methods_and_clusters_never_import_each_other():
    for module in MODULES:
        if lies_in(module, ["rebuttal.simulation.cluster"]):
            assert not any(lies_in(name, ["rebuttal.methods"]) for name in inside(module))
        if lies_in(module, ["rebuttal.methods"]):
            assert all(lies_in(name, OF_METHODS) for name in inside(module)), module


@every_module
def test_torch_is_imported_only_where_values_are_computed(module):
    if lies_in(module, TORCH):
        return
    deep = not lies_in(module, TORCH_WHEN_CALLED)
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
    runpy.run_module("rebuttal.cli", run_name="__main__", alter_sys=True)
except SystemExit as ended:
    assert not ended.code, ended.code
"""


@pytest.mark.parametrize("code", ["import rebuttal", HELP], ids=["import", "help"])
def test_import_and_help_are_quick_and_load_no_torch(code):
    tries = [loaded_by(code) for _ in range(3)]  # the quickest of three: the machine may be busy
    assert tries[0][0].isdisjoint({"torch", "torchvision", "papermill", "dvc", "xarray", "altair"})
    assert min(seconds for _, seconds in tries) < 1


def test_simulation_statistics_charts_and_pages_load_no_torch():
    without = (*TORCH, "rebuttal.cli.__main__", "rebuttal.studies.runs", "rebuttal.studies.stages",
               "rebuttal.studies.analyses")  # fmt: skip
    modules = [name for name in MODULES if not lies_in(name, without)]
    loaded, _ = loaded_by("\n".join(f"import {name}" for name in [*modules, *PAGES, "rebuttal.workloads"]))
    assert "torch" not in loaded


def test_the_picture_of_the_rooms_is_current():
    text = (SOURCE.parent / "docs" / "design.md").read_text(encoding="utf-8")
    assert rooms.drawn_again(text) == text, "run `python -m rebuttal.cli.rooms`"
    assert {here: below for here, below in code.arrows().items() if below} == {
        here: below for here, below in LAYERS.items() if below and here != "__init__"
    }


def test_a_picture_leaves_out_what_follows():
    drawn = rooms.picture({"a": {"b", "c"}, "b": {"c"}, "c": set(), "__init__": {"a"}})
    assert drawn.splitlines() == ["flowchart TD", "  a --> b", "  b --> c"]
