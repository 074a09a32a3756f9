"""Which code made this: what modules lead to, held against what interpreters load, and what changes a hash."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rebuttal.base import code
from rebuttal.base.errors import InputError
from rebuttal.studies.runs import units

ROOT = Path(__file__).resolve().parents[1]
EVERY = sorted(code.everything())
#: Imported in one fresh interpreter, each as if it were the first.
ENTRIES = [name for name in (*EVERY[::24], "rebuttal.replaying.workers") if not name.endswith("__main__")]
CELLS = {
    "names": "import rebuttal\nrebuttal.METHODS, rebuttal.MACHINES",
    "a run": "import rebuttal as r\nr.simulate('backup_workers', options={'b': 1}, workers=3)",
    "a chart": "import rebuttal\nrebuttal.chart(rebuttal.simulate('all_reduce', updates=2, workers=2))",
    "curves": "import rebuttal\nline = rebuttal.simulate('delayed', workload='quadratic', updates=2, workers=2)\n"
    "rebuttal.replay(line, learning_rates=[0.1], points=2)",
    "inside": "def load():\n    from rebuttal import workloads\n    return workloads.load('digits_few')\nload()",
    "a report": "from rebuttal import site\nsite.special_cases()",
}
LOADED = """
import importlib, json, sys
for title, source in json.loads(sys.stdin.read()):
    for name in [name for name in sys.modules if name.partition(".")[0] == "rebuttal"]:
        del sys.modules[name]
    exec(source, {"__name__": "cell"})
    print("LOADED", json.dumps([title, [name for name in sys.modules if name.partition(".")[0] == "rebuttal"]]))
"""


@pytest.fixture(scope="module")
def loaded():
    """Title of a source -> the modules of the package that a fresh interpreter has loaded after it."""
    sources = [(name, f"import {name}") for name in ENTRIES] + list(CELLS.items())
    command = [sys.executable, "-W", "ignore", "-c", LOADED]
    done = subprocess.run(command, input=json.dumps(sources), capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("LOADED "))


def notebook(path, *sources):
    cells = [{"cell_type": "code", "source": [source]} for source in sources]
    path.write_text(
        json.dumps({"cells": [{"cell_type": "markdown", "source": "import rebuttal.cli"}, *cells]})
    )
    return path


def test_what_an_import_loads_is_in_the_closure(loaded):
    assert len(ENTRIES) > 15
    missed = {entry: set(loaded[entry]) - code.closure(entry) for entry in ENTRIES}
    assert {entry: names for entry, names in missed.items() if names} == {}


@pytest.mark.parametrize("title", CELLS)
def test_what_running_cells_loads_is_in_the_closure_of_what_they_use(loaded, tmp_path, title):
    entries = code.notebook_entries(notebook(tmp_path / "n.ipynb", CELLS[title]))
    assert len(loaded[title]) > 5
    assert set(loaded[title]) <= code.closure(*entries)
    assert len(code.closure(*entries)) < len(EVERY) * 0.75


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A made-up package of the same name, in the place of the real one."""
    fetching = "\n\ndef __getattr__(name):\n    return WHERE[name]\n"
    sources = {
        "__init__": 'WHERE = {"run": "rebuttal.running", "bar": "rebuttal.charts"}' + fetching,
        "running": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from rebuttal.types_only import T\n"
        "else:\n    import rebuttal.other\n\n\ndef run(): # noqa\n    from rebuttal.tools import saw\n",
        "types_only": "", "other": "", "late": 'FILE = "beside.py"\n', "beside": "", "errors": "", "alone": "",
        "tools/__init__": "", "tools/saw": 'LATER = {"a": "rebuttal.late", "b": "rebuttal.none", "c": "late.py"}\n',
        "tools/unused": "", "charts/__init__": 'WHERE = {"bar": "rebuttal.charts.bar"}' + fetching,
        "charts/bar": "", "charts/line": "WIDTH = 1\n", "user": "import rebuttal as r\n\nr.charts.line.WIDTH\n",
        "twice": "import rebuttal\n\nrebuttal.bar\n",
        "fetches": "from rebuttal import charts\n\ncharts.bar()\n", "names": "from rebuttal import charts, run\n",
        "passes_on": "from rebuttal import charts\n\nprint(charts)\n", "all": "from rebuttal.charts import *\n",
        "relative": "from . import alone\nfrom .tools.saw import LATER\n",
        "any": 'ANY = "rebuttal.tools.*"\n',
        "says": '"""Nothing of rebuttal.alone, or `import rebuttal.alone`."""\n# import rebuttal.alone\n',
    }  # fmt: skip
    folder = tmp_path / "src" / "rebuttal"
    for name, source in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(source)
    hidden = ("tools/__pycache__/saw.pyc", "charts/.hidden")
    for name in ("tools/blades.json", "tools/shapes/round/a.svg", "x.md", *hidden):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    monkeypatch.setattr(code, "PACKAGE", folder)
    return folder


def reached(*entries, without=()):
    """The modules of a closure, without the package's name and but for the package itself."""
    return {name.partition(".")[2] for name in code.closure(*entries, without=without)} - {""}


@pytest.mark.parametrize(
    ("entry", "modules"),
    [
        ("rebuttal", set()),
        ("rebuttal.running", {"running", "other", "tools", "tools.saw", "late", "beside"}),
        ("rebuttal.late", {"late", "beside"}),
        ("rebuttal.user", {"user", "charts", "charts.line"}),
        ("rebuttal.fetches", {"fetches", "charts", "charts.bar"}),
        ("rebuttal.twice", {"twice", "charts", "charts.bar"}),
        ("rebuttal.passes_on", {"passes_on", "charts", "charts.bar"}),
        ("rebuttal.all", {"all", "charts", "charts.bar"}),
        ("rebuttal.relative", {"relative", "alone", "tools", "tools.saw", "late", "beside"}),
        ("rebuttal.any", {"any", "late", "beside", "tools", "tools.saw", "tools.unused"}),
        ("rebuttal.says", {"says"}),
        ("rebuttal.tools.unused", {"tools", "tools.unused"}),
    ],
)
def test_what_a_module_leads_to(package, entry, modules):
    assert reached(entry) == modules


def test_a_name_that_the_package_fetches_brings_its_module_and_not_the_others(package):
    assert reached("rebuttal.names") == {"names", "charts"} | reached("rebuttal.running")


def test_what_is_left_out_is_not_followed_and_an_entry_is_never_left_out(package):
    assert reached("rebuttal.running", without=["rebuttal.tools"]) == {"running", "other"}
    assert reached("rebuttal.tools.saw", without=["rebuttal.tools"]) == {"tools.saw", "late", "beside"}
    with pytest.raises(InputError, match=r"did you mean 'rebuttal\.running'"):
        code.closure("rebuttal.runing")
    with pytest.raises(InputError, match="json"):
        code.closure("json.tool")


def test_rooms_and_files_of_modules(package):
    modules = code.closure("rebuttal.tools.unused", "rebuttal.late")
    names = ["__init__.py", "beside.py", "late.py", "tools"]
    assert code.rooms(modules) == [f"src/rebuttal/{name}" for name in names]
    found = [path.relative_to(package).as_posix() for path in code.files(modules)]
    lying = ["tools/__init__.py", "tools/blades.json", "tools/shapes/round/a.svg", "tools/unused.py", "x.md"]
    assert found == [*names[:-1], *lying]
    assert code.files(["rebuttal.late"]) == [package / "late.py"]


def test_of_a_folder_that_holds_only_packages_each_is_a_room(package):
    for name in ("floor", "floor/one", "floor/two"):
        (package / name).mkdir()
        (package / name / "__init__.py").touch()
    found = code.rooms(["rebuttal.floor", "rebuttal.floor.one", "rebuttal.tools.saw"])
    assert found == [f"src/rebuttal/{name}" for name in ("floor/__init__.py", "floor/one", "tools")]
    (package / "floor" / "plain.py").touch()
    assert code.rooms(["rebuttal.floor.one"]) == ["src/rebuttal/floor"]


def test_the_cells_of_a_notebook(package, tmp_path):
    path = notebook(
        tmp_path / "n.ipynb", "import rebuttal", "x = rebuttal.run(1)", "from rebuttal import charts"
    )
    assert code.notebook_entries(path) == ("rebuttal", "rebuttal.charts", "rebuttal.running")
    path = notebook(path, "from rebuttal import charts as c\nc.bar().mark()", "import json")
    assert code.notebook_entries(path) == ("rebuttal", "rebuttal.charts", "rebuttal.charts.bar")
    with pytest.raises(InputError, match="plain Python"):
        code.notebook_entries(notebook(path, "%matplotlib inline"))


def test_a_hash_is_of_what_code_does_or_of_all_that_it_says(package):
    file, modules = package / "charts" / "line.py", ["rebuttal.charts.line", "rebuttal.late"]

    def hashed(text):
        file.write_text(text)
        return code.digest(modules), code.digest(modules, meaning=True)

    bytes_then, meaning_then = hashed('"""Says."""\nWIDTH = 1\n\n\nasync def f():\n    """Says."""\n')
    bytes_now, meaning_now = hashed('"""Says more."""\n\nWIDTH = 1  # why\n\n\nasync def f():\n    """."""\n')
    assert bytes_now != bytes_then
    assert meaning_now == meaning_then
    assert hashed('"""Says."""\nWIDTH = 2\n\n\nasync def f():\n    """Says."""\n')[1] != meaning_then


def test_a_hash_is_of_names_and_of_what_lies_beside_code_too(package):
    modules = code.closure("rebuttal.tools.saw")
    seen = {code.digest(modules), code.digest(modules - {"rebuttal.tools.saw"})}
    (package / "tools" / "shapes" / "round" / "a.svg").write_text("[]")
    seen.add(code.digest(modules, meaning=True))
    (package / "alone.py").write_text(name := "WIDTH = 1\n")
    (package / "other.py").write_text(name)
    seen |= {code.digest(["rebuttal.alone"]), code.digest(["rebuttal.other"])}
    assert len(seen) == 5


def test_a_listing_changes_with_any_file(package):
    first = code.listing()
    assert {Path(name).name for name, *_ in first} >= {"saw.py", "blades.json", "x.md"}
    assert not any("__pycache__" in name or ".hidden" in name for name, *_ in first)
    (package / "x.md").write_text("more")
    assert code.listing() != first


def test_the_store_of_values_rests_on_what_computes_them():
    computing = code.closure(units.WORKERS, without=units.NO_PART)
    names = ("update_rules", "schedules", "graph", "partition", "value_operations", "own_rules", "division")
    shared = {f"rebuttal.core.{name}" for name in names}
    ground = {f"rebuttal.base.{name}" for name in ("seeding", "own_code", "own_files", "own_classes")}
    assert {
        "rebuttal.replaying.kernels",
        "rebuttal.replaying.batch_merging",
        "rebuttal.workloads.digits",
    } <= computing
    rooms = {"rebuttal", "rebuttal.core", "rebuttal.base"}
    rest = {name for name in computing if not name.startswith(("rebuttal.replaying", "rebuttal.workloads"))}
    assert shared | ground <= rest <= shared | ground | rooms


def test_no_study_rests_on_commands_figures_or_pages():
    entries = [name for name in EVERY if name.startswith("rebuttal.studies")]
    rooms = {name.split(".")[1] for name in code.closure(*entries) if "." in name}
    assert rooms.isdisjoint({"cli", "figures", "site"})


def test_looking_through_the_whole_package_is_quick():
    timed = "import time\nfrom rebuttal.base import code\nb = time.process_time()\ncode.closure(*code.everything())\n"
    command = [sys.executable, "-c", f"{timed}print(time.process_time() - b)"]
    seconds = [float(subprocess.check_output(command, cwd=ROOT)) for _ in range(2)]
    assert min(seconds) < 3  # about one, on a machine with nothing else to do
