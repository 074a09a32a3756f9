"""Which executor serves what: a table by samples, from the files of costs, or measured on this machine once."""

import json
from types import SimpleNamespace
from typing import Any

import device_costs
import numpy as np
import pytest

from rebuttal import workloads
from rebuttal.base import devices, host_lease
from rebuttal.base.errors import InputError
from rebuttal.core import content_store
from rebuttal.replaying import probe
from rebuttal.replaying.executor_table import Table
from rebuttal.studies.runs import executor_choice

ROWS = {"loop": {1: 1.0}, "layered": {1: 2.0, 4: 0.5, 8: 0.48, 16: 0.46}}
PARAMS: Any = SimpleNamespace(device="cpu", data_root="data", engine="local")
STUDY: Any = SimpleNamespace(paper="mine", batch=8)


def measured(*samples):
    """Executors that a file has, each number of samples with its own seconds."""
    return {size: {"loop": {1: float(size)}} for size in samples}


@pytest.fixture
def probed(monkeypatch):
    """What the probe was asked to measure; nothing is."""
    asked = []
    monkeypatch.setattr(
        probe,
        "measure_samples",
        lambda workload: asked.append(workload.name) or Table({4: {"loop": {1: 7.0}}}),
    )
    return asked


def test_the_nearest_number_of_samples_is_taken_by_its_ratio():
    table = Table({1: {"loop": {1: 1.0}}, 16: {"loop": {1: 16.0}}, 256: {"loop": {1: 256.0}}}, batch=2)
    taken = {batches: table.quickest_s(batches) for batches in (1, 2, 3, 8, 31, 32, 33, 1000)}
    assert taken == {1: 1, 2: 1, 3: 16, 8: 16, 31: 16, 32: 16, 33: 256, 1000: 256}


def test_the_loop_is_replaced_by_what_is_faster_in_as_few_calls_as_are_nearly_as_fast():
    table = Table({32: ROWS}, 32)
    assert [table.choose(1, replicas) for replicas in (1, 3, 4, 8, 100)] == [
        ("loop", 1), ("loop", 1), ("layered", 4), ("layered", 8), ("layered", 16)
    ]  # fmt: skip
    assert table.calls(1, 40) == ("layered", 2)
    assert table.widest(1) == 16


def test_a_table_is_its_text():
    table = Table({4: ROWS, 16: ROWS}, 8)
    assert Table.of_text(table.text) == table
    assert Table({16: ROWS, 4: ROWS}, 8).text == table.text
    assert Table({4: ROWS, 16: ROWS}, 4).text != table.text


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"batch": 1, "seconds": {}}', '{"batch": 0, "seconds": {"1": {"loop": {"1": 1}}}}'],
)
def test_what_is_no_table_is_refused_in_one_line(text):
    with pytest.raises(InputError, match=r"^executors: got "):
        Table.of_text(text)


def test_the_device_file_settles_it_at_any_batch(project, probed):
    device_costs.write(project, ["digits_mlp"], executors=measured(1, 64))
    assert executor_choice.table_of(PARAMS, STUDY, "digits_mlp") == Table(measured(1, 64), 8)
    small: Any = SimpleNamespace(paper="mine", batch=1)
    assert executor_choice.table_of(PARAMS, small, "digits_mlp").quickest_s(1) == 1.0
    assert probed == []
    assert not (project / ".cache").exists()


def test_the_costs_of_a_papers_own_settle_it_for_its_workloads(project, probed):
    device_costs.write(project, ["digits_mlp"])
    device_costs.write_file(project / "papers/mine/own/costs.json", ["quadratic"], executors=measured(4))
    assert executor_choice.table_of(PARAMS, STUDY, "quadratic") == Table(measured(4), 8)
    assert probed == []


def test_another_kind_of_device_is_measured_once_and_kept(project, probed, capsys):
    device_costs.write(project, ["digits_mlp"], kind="cuda")
    found = [executor_choice.table_of(PARAMS, STUDY, "digits_mlp") for _ in range(2)]
    assert found == [Table({4: {"loop": {1: 7.0}}}, 8)] * 2
    assert probed == ["digits_mlp"]
    (kept,) = (project / ".cache/executors").iterdir()
    about = json.loads(str(np.load(kept)[content_store.KEY]))
    assert (about["workload"], about["device"], about["torch"]) == (
        "digits_mlp", devices.cpu_model(), devices.torch_version()
    )  # fmt: skip
    kept.write_text("{")
    assert executor_choice.table_of(PARAMS, STUDY, "digits_mlp") == found[0]
    assert probed == ["digits_mlp"] * 2
    assert "is computed again" in capsys.readouterr().err


def test_a_users_own_data_are_measured_anew_when_they_change(project, probed):
    device_costs.write(project, ["digits_mlp"])
    for shift in (0, 0, 1):
        letters = "".join(chr(97 + (n * n + shift) % 26) for n in range(5_000))
        (project / "letters.txt").write_text(letters)
        executor_choice.table_of(PARAMS, STUDY, "text:letters.txt")
    assert probed == ["text:letters.txt"] * 2


def test_what_is_measured_has_the_machine_alone(project, monkeypatch):
    alone = []
    monkeypatch.setattr(
        probe,
        "measure_samples",
        lambda _: alone.append(host_lease._alone.get()) or Table({1: {"loop": {1: 1.0}}}),
    )
    device_costs.write(project, ["digits_mlp"])
    executor_choice.table_of(PARAMS, STUDY, "quadratic")
    assert alone == [True]


def test_the_probe_of_a_workload_is_a_table_of_seconds():
    found = probe.measure_samples(workloads.load("quadratic"), (1, 16))
    assert list(found.seconds) == [1, 16]
    assert all(rows["loop"][1] > 0 for rows in found.seconds.values())
    assert Table.of_text(found.text) == found
