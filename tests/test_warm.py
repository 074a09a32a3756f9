"""Stages forked from a warm server do what cold ones do, start at once, and end with whoever needed them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="warm processes are forked")

ROOT = Path(__file__).resolve().parents[1]
GONE_WITHIN_S = 20  # on a machine that does much else; whoever is left would be there for 60
PYTHON = [sys.executable, "-W", "error"]
LIGHT = (
    "import sys; from rebuttal.studies.warm.warm_command import run; sys.exit(run(sys.argv[1:], {modules!r}))"
)
CHECK = [*PYTHON, "-m", "rebuttal.cli", "check"]
# What a client asks for: `helpers` is a module in its folder, which the server has never heard of.
CLIENT = "import sys; sys.path.insert(0, '.'); from rebuttal.studies import warm; worker = warm.connect()\n"
HELPERS = """
import os, sys, time
from pathlib import Path
from rebuttal.base.errors import InputError

class Picky(Exception):
    def __init__(self, one, two): super().__init__(one)

def refuse(): raise InputError("bad: got 1")
def picky(): raise Picky(1, 2)
def lock(): return (value for value in ())
def parent(): return os.getpid(), os.getppid()
def end(*_): os._exit(7)
def wait(path, name=""):
    Path(path).write_text(str(os.getpid()))
    while name and not Path(name).exists(): time.sleep(0.01)
    if not name: time.sleep(60)
    return name
"""


def warm(command, modules=("yaml",), source=None):
    """The command that runs `command` beside a server, and its environment."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(source or ROOT / "src"), "."])}
    return [*PYTHON, "-c", LIGHT.format(modules=list(modules)), *command], environment


def finished(command, cwd, **options):
    arguments, environment = warm(command, **options)
    return subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "helpers.py").write_text(HELPERS)
    return tmp_path


def asked(folder, code, **options):
    """What a client under `rebuttal warm` prints."""
    done = finished([*PYTHON, "-c", CLIENT + code], folder, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def cold(command, cwd):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


@pytest.fixture
def broken(tmp_path) -> Path:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "params.yaml").write_text(
        (ROOT / "params.yaml").read_text().replace("profile: ", "profile: un", 1)
    )
    return tmp_path


def test_status_and_output_are_those_of_a_cold_stage(broken):
    for project, status in ((ROOT, 0), (broken, 2)):
        alone, served = cold(CHECK, project), finished(CHECK, project)
        assert (served.returncode, served.stdout, served.stderr) == (status, alone.stdout, alone.stderr)
        assert len((served.stderr or served.stdout).splitlines()) == 1


def test_the_command_decides_the_exit_status_and_may_be_unknown(tmp_path):
    assert finished(["sh", "-c", "exit 7"], tmp_path).returncode == 7
    assert finished(["sh", "-c", "kill -9 $$"], tmp_path).returncode == 128 + 9
    unknown = cold([*PYTHON, "-m", "rebuttal.cli", "warm", "no-such-command"], tmp_path)
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("rebuttal: warm: got 'no-such-command'")
    assert len(unknown.stderr.splitlines()) == 1


def test_the_client_imports_nothing_heavy_and_costs_little(broken):
    code = (
        "import resource, sys; from rebuttal.cli import main; print(main(['check']), file=sys.stderr)\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, *sys.modules)"
    )
    done = finished([*PYTHON, "-c", code], broken)
    seconds, *modules = done.stdout.split()
    assert done.stderr.splitlines()[-1] == "2"
    assert set(modules).isdisjoint(
        {"numpy", "yaml", "pydantic", "xarray", "torch", "rebuttal.studies.params"}
    )
    assert float(seconds) < 0.5


def test_a_stage_computes_in_another_process_that_has_the_imports(folder):
    code = (
        "import os; from helpers import parent; print(worker(parent)[0] != os.getpid(), worker(eval,"
        '\'"yaml" in __import__("sys").modules and __import__("os").getcwd()\'))'
    )
    assert asked(folder, code) == f"True {folder.resolve()}"


EXECUTE = """
import nbformat
from pathlib import Path
from rebuttal.base.errors import InputError
from rebuttal.studies.runs.notebook_execution import execute
kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
for name, *sources in (
    ("good", "import os, sys; print(os.getcwd(), 6 * 7)", "'colorsys' in sys.modules",
     "os.getppid() == int(os.environ['JPY_PARENT_PID'])"),
    ("bad", "1 / 0"),
):
    cells = [nbformat.v4.new_code_cell(source, id=f"c{number}") for number, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), f"{name}.ipynb")
    try:
        for cell in execute(Path(f"{name}.ipynb"), Path(f"{name}.executed.ipynb"), {}).cells:
            print(cell.outputs[0].get("text", cell.outputs[0].get("data", {}).get("text/plain")).strip())
    except InputError as error:
        print(error)
"""


def test_a_notebook_runs_in_a_process_that_has_the_imports_and_gives_what_a_cold_one_gives(folder):
    (folder / "dvc.yaml").write_text("stages: {}\n")
    alone = cold([*PYTHON, "-c", EXECUTE], folder)
    served = finished([*PYTHON, "-c", EXECUTE], folder, modules=("colorsys", "ipykernel.kernelapp"))
    assert (alone.returncode, served.returncode) == (0, 0), served.stderr
    where, had, own, failed = served.stdout.splitlines()
    assert (had, own) == ("True", "False")
    assert alone.stdout.splitlines() == [where, "False", "True", failed]
    assert failed.endswith("ZeroDivisionError: division by zero")
    assert "KeyboardInterrupt" not in served.stderr


def test_exceptions_of_a_worker_arrive(folder):
    code = """
import helpers, pickle
from rebuttal.base.errors import InputError
for function in (helpers.refuse, helpers.picky, helpers.lock, helpers.end):
    try: worker(function)
    except Exception as error: print(type(error).__name__, end=" ")
"""
    assert asked(folder, code) == "InputError RuntimeError TypeError GoneError"


def test_a_stage_whose_process_is_killed_ends_with_one_line(folder):
    code = """
import sys
sys.path.insert(0, ".")
from rebuttal import cli
import helpers
cli.COMMANDS = (("end", helpers.end, "", lambda _: None),)
sys.exit(cli.main(["end"]))
"""
    done = finished([*PYTHON, "-c", code], folder)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_tasks_are_computed_by_warm_processes_in_order_and_errors_stay_theirs(folder):
    code = """
from rebuttal.studies.runs import pool
from rebuttal.base.errors import InputError
import helpers, os
pool.cores = lambda: 2
assert pool.run_all(pow, [(2, n) for n in range(9)], "powers", weights=range(1, 10)) == [2**n for n in range(9)]
servers = {parent for _, parent in pool.run_all(helpers.parent, [()] * 4, "parents")}
assert servers == {worker(helpers.parent)[1]}
try: pool.run_all(helpers.refuse, [(), ()], "refused")
except InputError as error: print(error)
"""
    assert asked(folder, code) == "bad: got 1"


def test_two_requests_at_once(folder):
    code = (
        CLIENT + "import helpers; sys.stdout.write(worker(helpers.wait, *sys.argv[1:]) + chr(10))"
    )  # one write
    script = f'{sys.executable} -c "$0" a b & {sys.executable} -c "$0" b a; wait'  # each waits for the other
    done = finished(["sh", "-c", script, code], folder)
    assert sorted(done.stdout.split()) == ["a", "b"], done.stderr


def test_changed_code_and_other_settings_are_served_cold(folder):
    source = folder / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    module = source / "rebuttal" / "base" / "seeding.py"
    code = f"""
import os
os.environ["OMP_NUM_THREADS"] = "3"; print(warm.connect(), end=" ")
os.environ["OMP_NUM_THREADS"] = "1"; print(warm.connect() is None, worker is None, end=" ")
with open({str(module)!r}, "a") as file: file.write("# changed")
print(warm.connect(), warm.crew(2))
"""
    assert asked(folder, code, source=source) == "None False False None None"


def test_without_a_server_everything_is_cold(folder, monkeypatch):
    from rebuttal.studies import warm

    monkeypatch.delenv(warm.SOCKET, raising=False)
    assert warm.connect() is None
    monkeypatch.setenv(warm.SOCKET, str(folder / "none"))
    assert warm.connect() is None
    assert warm.crew(2) is None


def started(folder):
    """`rebuttal warm` on a shell on a client whose call does not end; the processes by their part."""
    tied = "from rebuttal.base.parent_death import tie_to_parent; tie_to_parent(); import helpers, os\n"
    told = "print(os.getppid(), os.getpid(), *worker(helpers.parent), flush=True)\n"
    code = CLIENT + tied + told + "worker(helpers.wait, 'busy')"
    arguments, environment = warm(["sh", "-c", f'{sys.executable} -c "$0"; sleep 0', code])
    run = subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert run.stdout is not None
    parent, client, stage, server = map(int, run.stdout.readline().split())
    end = time.monotonic() + 20
    while not (folder / "busy").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    return run, {"warm": run.pid, "parent": parent, "client": client, "stage": stage, "server": server}


@pytest.mark.parametrize("killed", ["warm", "parent", "client", "stage", "server"])
def test_whoever_is_killed_nobody_is_left(folder, killed):
    run, processes = started(folder)
    try:
        os.kill(processes[killed], signal.SIGKILL)
        run.communicate(timeout=GONE_WITHIN_S)  # reads until the last process that holds the pipe has ended
    finally:
        for process in processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        run.communicate()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_stops_the_server_too(folder, name):
    run, processes = started(folder)
    if name == "SIGINT":  # a terminal sends it to all of the foreground
        for part in ("parent", "client"):
            os.kill(processes[part], signal.SIGINT)
    run.send_signal(getattr(signal, name))
    run.communicate(timeout=GONE_WITHIN_S)
    assert run.returncode != 0
    with pytest.raises(ProcessLookupError):
        os.kill(processes["server"], 0)
