"""Laws of devices, on a pretend GPU (pretend_gpu.py): what runs on the CPU runs on a second device, without a wait."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from once import made_once
from pretend_gpu_laws import WORKLOADS
from torch.utils import backend_registration

from rebuttal.methods import METHODS

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": f"{HERE.parent / 'src'}:{HERE}"}
#: Kernels of an update of a deep MLP (four workers, two seeds, two rates at once): what was counted, and a third more.
MOST_KERNELS = {
    "local_sgd": 400,
    "bounded_delay": 510,
    "greedy": 200,
    "synthetic_gradients": 185,
    "downpour": 200,
}
MOST_KERNELS_OF_OTHERS = 170
UPLOADS = {"pprs": 2}  # one for each perturbation of an update, which the host draws
#: Its automatic casts to bfloat16 change no value on the pretend GPU, so its values are not those of the CPU.
CASTS = ("cifar10_resnet9_bf16",)

pytestmark = pytest.mark.skipif(
    not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"),
    reason="this version of torch cannot be given a device by Python code alone",
)


def found(law):
    """What the laws of this name found, in a process of their own, once for all tests."""

    def make(folder):
        run = [sys.executable, str(HERE / "pretend_gpu_laws.py"), law]
        done = subprocess.run(run, env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        (folder / "found.json").write_text(done.stdout)

    return json.loads((made_once(f"pretend_gpu_{law}", make) / "found.json").read_text())


def test_every_planted_fault_is_refused_or_counted():
    said = found("planted")
    assert len(said) >= 8
    assert {name: what.split(":")[0] for name, what in said.items()} == {
        "a sum with a tensor of the host": "refused",
        "a mask of the host": "refused",
        "a loss with labels of the host": "refused",
        "class weights of the host": "refused",
        "a generator of the host": "refused",
        "numpy of a device's tensor": "refused",
        "a number for Python": "waits",
        "a boolean index": "waits",
        "a branch on a value": "waits",
        "numbers uploaded in an update": "uploads",
        "a copy to the host": "waits",
    }


@pytest.mark.parametrize("name", METHODS)
def test_a_method_computes_on_a_device_what_it_computes_on_the_host(name):
    assert found("methods")[name]["equal"]


@pytest.mark.parametrize("name", METHODS)
def test_no_update_makes_the_host_wait(name):
    of_update = found("methods")[name]
    assert of_update["waits"] <= 0
    assert of_update["uploads"] <= UPLOADS.get(
        name, 0.5
    )  # 0.5: what a first call with a new number of replicas places
    assert 0 < of_update["kernels"] <= MOST_KERNELS.get(name, MOST_KERNELS_OF_OTHERS)


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name not in CASTS])
def test_every_executor_serves_a_workload_on_a_device(name):
    wrong = {part: what for part, what in found("workloads")[name].items() if what}
    assert not wrong


@pytest.mark.parametrize("name", CASTS)
def test_a_network_with_automatic_casts_runs_on_a_device(name):
    said = set(found("workloads")[name].values())
    assert said <= {"", "other values", "other values than on the host"}
