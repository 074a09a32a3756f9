"""docs/scaling.md: its commands run where one machine is enough, and its scripts are sound where it is not."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import Client
from doc_pages import ROOT, blocks, page, section

from rebuttal.core.timeline import Timeline
from rebuttal.processes.verification import verify

BIN = Path(sys.executable).parent
TEXT = page("scaling")
PATHS = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def started(stack, command, folder):
    """A command of the page, which ends with the test."""
    with (folder / "log").open("a") as log:
        made = subprocess.Popen(
            shlex.split(command), cwd=folder, stdout=log, stderr=log, env=os.environ | PATHS
        )
    stack.callback(made.wait)
    stack.callback(made.terminate)


def test_the_commands_of_the_section_on_dask_run(tmp_path):
    port = free_port()
    text = section(TEXT, "A study on Dask").replace("8786", port)
    scheduler, worker, check = (block.strip() for block in blocks(text, "sh"))
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    shutil.copytree(ROOT / "papers", tmp_path / "papers")
    shutil.copytree(ROOT / "reference" / "devices", tmp_path / "reference" / "devices")
    given = (ROOT / "params.yaml").read_text()
    (engine,) = blocks(text, "yaml")
    (tmp_path / "params.yaml").write_text(re.sub(r"^engine: .*\n", engine, given, flags=re.MULTILINE))
    with ExitStack() as stack:
        started(stack, scheduler, tmp_path)
        started(stack, worker, tmp_path)
        with Client(f"tcp://127.0.0.1:{port}", timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
        done = subprocess.run(
            shlex.split(check), cwd=tmp_path, capture_output=True, text=True, env=os.environ | PATHS
        )
    assert done.returncode == 0, done.stderr
    assert "sound" in done.stdout


def test_the_commands_of_the_section_on_torchrun_record_one_run(tmp_path):
    text = section(TEXT, "torchrun").replace("29500", free_port())
    first, second = (shlex.split(block.replace("\\\n", " ")) for block in blocks(text, "sh"))
    given = {"cwd": tmp_path, "text": True, "env": os.environ | PATHS}
    with subprocess.Popen(second, **given) as other:
        done = subprocess.run(first, capture_output=True, timeout=240, **given)
        assert other.wait(60) == 0
    assert done.returncode == 0, done.stderr
    assert "40 updates of asynchronous on 4 processes" in done.stdout
    made = Timeline.load(tmp_path / "asynchronous.npz")
    assert made.about["machine"] == "several hosts"
    assert verify(made) == len(made.about["checksums"])


@pytest.mark.parametrize("number", [0, 1])
def test_scripts_are_sound_shell(number):
    script = blocks(TEXT, "bash")[number]
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr == ""


def test_scripts_name_options_that_there_are():
    script = "\n".join(blocks(TEXT, "bash")).replace("\\\n", " ")
    for name in ("scheduler", "worker"):
        (line,) = re.findall(rf"dask {name} (.*)", script)
        told = subprocess.run([BIN / "dask", name, "--help"], capture_output=True, text=True).stdout
        assert set(re.findall(r"--[a-z-]+", line)) <= set(re.findall(r"--[a-z-]+", told))
