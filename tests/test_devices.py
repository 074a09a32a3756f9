"""Which device is chosen and how it is named."""

import os
import socket
import sys
import time

import pytest
import torch

from rebuttal.base import devices
from rebuttal.base.errors import InputError
from rebuttal.replaying import probe
from rebuttal.workloads.torch_state import stated_torch


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


@pytest.mark.parametrize("before", [True, False])
def test_float32_is_float32_on_a_gpu_and_a_sessions_choice_comes_back(monkeypatch, before):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", before)
    with stated_torch():
        assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "highest"
    assert torch.backends.cudnn.allow_tf32 == before


def test_a_probe_asks_the_device_that_it_times(monkeypatch):
    """Work on the CPU of a machine with a GPU is timed by its CPU seconds, and does not touch the GPU."""

    def touched(*_):
        raise AssertionError("the GPU was asked")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", touched)
    assert probe.seconds_of(torch.device("cpu"), lambda: time.sleep(0.05)) < 0.04
    with pytest.raises(AssertionError, match="the GPU was asked"):
        probe.seconds_of(torch.device("cuda"), lambda: None)
