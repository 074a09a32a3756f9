"""Which device runs the values, and its identity for the record. No torch until a device is asked for."""

import os
import platform
import re
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rebuttal.base.errors import refuse

DEVICES = ("auto", "cpu", "cuda")
PROCESSOR, DRIVER = Path("/proc/cpuinfo"), Path("/proc/driver/nvidia/version")


def choose(device: str) -> str:
    """'cpu' or 'cuda' for a setting of 'auto', 'cpu' or 'cuda'; 'auto' takes CUDA where there is one.

    Raises:
        InputError: another setting, or 'cuda' on a machine without it.
    """
    if device not in DEVICES:
        raise refuse("device", device, DEVICES)
    if device == "cpu" or (device == "auto" and sys.platform == "linux" and not DRIVER.is_file()):
        return "cpu"  # without a driver there is no need to ask torch, whose import takes seconds
    import torch  # noqa: PLC0415 - only here, so that the settings' check and the help stay fast

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise refuse("device", device, "auto or cpu, because torch finds no CUDA device here")
    return "cpu"


def identity(device: str, threads: int | None = None) -> dict[str, Any]:
    """Everything that a measurement on `device` depends on: hardware, driver, versions, threads, load. No host name.

    threads: of one operation (default: as many as torch has now, for which it is imported).

    Raises:
        InputError: as `choose`.
    """
    kind = choose(device)
    described = {
        "kind": kind,
        "name": name(kind),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": threads or _torch_threads(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch_version(),
    }
    return described | (_cuda() if kind == "cuda" else {})


def name(kind: str) -> str:
    """The name of the device of a kind, 'cpu' or 'cuda'."""
    if kind == "cpu":
        return cpu_model()
    import torch  # noqa: PLC0415 - as above

    return torch.cuda.get_device_name()


def cpu_model() -> str:
    """The processor's model name, or its architecture where the system does not tell."""
    told = _first(PROCESSOR, r"model name\s*:\s*(.+)")
    return told or platform.processor() or platform.machine()


def nvidia_driver() -> str:
    """The version of the NVIDIA kernel driver, or 'unknown' where the system does not tell."""
    return _first(DRIVER, r"Kernel Module.*?\s(\d+\.[\d.]*)") or "unknown"


def torch_version() -> str:
    """The version of torch, with its build, which is read off its folder: importing it takes seconds."""
    found = find_spec("torch")
    file = Path(found.origin).with_name("version.py") if found and found.origin else Path()
    return _first(file, r"__version__ = '([^']+)'") or version("torch")


def _torch_threads() -> int:
    import torch  # noqa: PLC0415 - as above

    return torch.get_num_threads()


def _cuda() -> dict[str, Any]:
    import torch  # noqa: PLC0415 - as above

    return {"driver": nvidia_driver(), "cuda": torch.version.cuda}


def _first(path: Path, pattern: str) -> str | None:
    """The first match of a pattern's group in a file of the system, if both are there."""
    if not path.is_file():
        return None
    found = re.search(pattern, path.read_text(errors="replace"))
    return found.group(1).strip() if found else None
