"""Which device is chosen and how it is named."""

import os
import socket
import sys

import pytest
import torch

from rebuttal.base import devices
from rebuttal.base.errors import InputError


def test_identity_says_what_a_measurement_depends_on():
    device = devices.identity("cpu")
    assert device["kind"] == "cpu"
    assert device["threads"] == torch.get_num_threads()
    assert device["torch"] == torch.__version__
    assert 1 <= device["cores"] <= (os.cpu_count() or 1)
    assert len(device["load_average"]) == 3
    assert device["name"]


def test_identity_holds_no_host_name():
    assert socket.gethostname() not in devices.identity("cpu").values()


def test_auto_asks_torch_only_where_there_is_a_driver(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(devices, "DRIVER", tmp_path / "none")
    assert devices.choose("auto") == ("cpu" if sys.platform == "linux" else "cuda")


def test_auto_takes_what_there_is(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "DRIVER", tmp_path / "version")
    (tmp_path / "version").write_text("a driver")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (devices.choose("auto"), devices.choose("cuda"), devices.choose("cpu")) == (
        "cuda",
        "cuda",
        "cpu",
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert (devices.choose("auto"), devices.choose("cpu")) == ("cpu", "cpu")
    with pytest.raises(InputError, match=r"^device: got 'cuda'"):
        devices.choose("cuda")


def test_the_driver_is_read_off_the_system(monkeypatch, tmp_path):
    line = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 1\nGCC version: 12"
    (tmp_path / "version").write_text(line)
    monkeypatch.setattr(devices, "DRIVER", tmp_path / "version")
    assert devices.nvidia_driver() == "570.86.15"
    monkeypatch.setattr(devices, "DRIVER", tmp_path / "none")
    assert devices.nvidia_driver() == "unknown"
