"""What PyTorch ships computes what ours computes, on as many processes, and leaves none behind."""

import multiprocessing
import time

import numpy as np
import pytest
import torch
from values import eager_weights

from rebuttal.base.errors import InputError, RunError
from rebuttal.processes.launcher import record
from rebuttal.processes.pinning import cores, quiet_cores
from rebuttal.processes.pytorch_baseline_table import SHIPPED
from rebuttal.processes.pytorch_baselines import train
from rebuttal.workloads import load

WORKLOAD, UPDATES, RATE = "digits_deep", 4, 0.05
OPTIONS = {"gpipe": {"m": 4}, "one_forward_one_backward": {"m": 4}, "zero_bubble": {"m": 4}}
EXACT = [name for name, one in SHIPPED.items() if one.hook is None]


def trained(name, **given):
    known = {"workload": WORKLOAD, "workers": 2, "updates": UPDATES, "learning_rate": RATE, "patience_s": 60}
    return train(name, **(known | given))


@pytest.mark.parametrize("name", EXACT)
def test_its_weights_are_those_of_its_counterpart(name):
    counterpart = "all_reduce" if name == "ddp" else SHIPPED[name].counterpart
    ours = eager_weights(
        counterpart, OPTIONS.get(counterpart, {}), load(WORKLOAD), RATE, workers=2, updates=UPDATES, batch=32
    )
    found = trained(name)
    torch.testing.assert_close(found.weights, ours, rtol=1e-5, atol=1e-6)
    assert len(found.times_s) == UPDATES + 1
    assert (np.diff(found.times_s) > 0).all()


def test_a_hook_that_sends_float16_changes_an_update_by_no_more_than_rounding():
    start = load(WORKLOAD).start(0)
    exact = eager_weights("all_reduce", {}, load(WORKLOAD), RATE, workers=2, updates=1, batch=32)
    rounded = trained("ddp_fp16", updates=1).weights
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded - start, exact - start, rtol=5e-3, atol=1e-6)


def test_a_run_that_is_not_through_in_time_is_one_error_and_leaves_nobody():
    trained("ddp", updates=1)  # so that starting takes no time
    begin_s = time.monotonic()
    with pytest.raises(RunError, match="no word from process 0 within"):
        trained("ddp", updates=10**6, patience_s=2)
    assert time.monotonic() - begin_s < 120
    assert not [child for child in multiprocessing.active_children() if child.name.startswith("shipped")]


def test_what_goes_wrong_in_a_process_is_one_line():
    with pytest.raises(RunError, match="failed: ValueError: Invalid learning rate"):
        trained("ddp", learning_rate=-1.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "dpp"}, "did you mean 'ddp'"),
        ({"workers": 0}, "workers: got 0"),
        ({"name": "torch_gpipe", "workers": 9}, "workers: got 9"),
        ({"workload": "digits"}, "workload"),
    ],
)
def test_bad_input_is_refused_in_one_line(given, message):
    with pytest.raises(InputError, match=message):
        trained(**({"name": "ddp"} | given))


def test_nodes_keep_to_the_cores_that_they_are_given():
    chosen = quiet_cores()
    assert set(chosen) <= set(cores())
    run = record("all_reduce", updates=2, cores=chosen[:1])
    assert run.about["cores"] == list(chosen[:1])
