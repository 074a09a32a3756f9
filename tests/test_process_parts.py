"""The parts of a real run, each alone: mail, names, memory that nodes share, clocks."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from rebuttal.core.update_rules import SGD, Momentum, mean
from rebuttal.core.verbs import Recv
from rebuttal.processes.clocks import Offset, offset_of
from rebuttal.processes.log import Log
from rebuttal.processes.mailbox import Letter, Mailbox, Stopped
from rebuttal.processes.process_memory import ProcessCells
from rebuttal.processes.reports import Reports
from rebuttal.processes.run_command import pairs
from rebuttal.processes.values import NamedTask, first_name, packed, unpacked
from rebuttal.replaying.oracle import Computer
from rebuttal.workloads import load


@pytest.fixture(scope="module")
def task():
    return NamedTask(Computer.of(load("digits_mlp"), 0, 0.1, 32, Momentum()))


@pytest.fixture
def mailbox():
    """Three messages of two nodes, and one with another tag."""
    box = Mailbox()
    for number, (source, tag) in enumerate([(1, "g"), (2, "g"), (1, "w"), (1, "g")]):
        box.put(Letter(source, number, tag, number, 0.0))
    return box


def taken(box, **request):
    return box.take(Recv("g", **request)).value


def test_the_oldest_message_comes_first(mailbox):
    assert [taken(mailbox) for _ in range(3)] == [0, 1, 3]


def test_one_source_is_waited_for(mailbox):
    assert [taken(mailbox, source=1), taken(mailbox, source=1), taken(mailbox)] == [0, 3, 1]


def test_the_newest_message_leaves_none_behind(mailbox):
    assert taken(mailbox, latest=True) == 3
    assert not mailbox.has("g")
    assert mailbox.has("w")


def test_the_newest_of_one_source_leaves_the_others(mailbox):
    assert [taken(mailbox, source=1, latest=True), taken(mailbox)] == [3, 1]


def test_what_is_not_there_is_waited_for(mailbox):
    threading.Timer(0.05, mailbox.put, [Letter(7, 0, "late", "here", 0.0)]).start()
    assert mailbox.take(Recv("late")).source == 7


def test_whoever_waits_is_stopped(mailbox):
    threading.Timer(0.05, mailbox.stop).start()
    with pytest.raises(Stopped):
        mailbox.take(Recv("never"))
    for wait in (mailbox.go_on, mailbox.await_stop, lambda: mailbox.sleep(60), lambda: taken(mailbox)):
        with pytest.raises(Stopped):
            wait()


def test_sleep_lasts_or_is_cut_short(mailbox):
    for until, seconds, least_s, most_s in ((None, 0.2, 0.2, 20), ("w", 60, 0.0, 20), ("late", 0.2, 0.2, 20)):
        began_s = time.monotonic()
        mailbox.sleep(seconds, until=until)
        assert least_s <= time.monotonic() - began_s < most_s


def values(task):
    """Some of each kind that is sent."""
    w = task.start()
    stage = task.stage(0, 2)
    h = stage.forward(stage.start(), stage.input(0, 0))
    return {"state": w, "gradient": task.gradient(w, (0, 0)), "activations": h, "part": stage.part(w)}


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for part in value for t in tensors(part)] if isinstance(value, tuple) else [value.activations]


@pytest.mark.parametrize("kind", ["state", "gradient", "activations", "part"])
def test_a_value_that_was_sent_is_the_same_to_the_bit(task, kind):
    value = values(task)[kind]
    sent, number = unpacked(packed(((value, 3), "x")), task)[0]
    assert (sent.name, number) == (value.name, 3)
    for one, other in zip(tensors(value.value), tensors(sent.value), strict=True):
        assert torch.equal(one, other)
        assert other.data_ptr() % 64 == 0


def test_names_are_those_of_the_computation_on_every_node(task):
    other = NamedTask(Computer.of(load("digits_mlp"), 0, 0.1, 32, SGD()))
    names = {kind: value.name for kind, value in values(task).items()}
    assert names == {kind: value.name for kind, value in values(other).items()}
    assert len(set(names.values())) == len(names)


def test_the_order_of_a_mean_is_part_of_its_name(task):
    w = task.start()
    g = [task.gradient(w, (k, 0)) for k in (0, 1)]
    task.defined()
    assert mean(*g).name != mean(*reversed(g)).name
    assert first_name((3, g[0], g[1])) == g[0].name
    assert first_name((3, None)) is None
    found = task.defined()
    assert found[mean(*g).name] == ("mean", (g[0].name, g[1].name), ())
    assert len(found) == 2


def cells_of(folder, task, go_on=lambda: None):
    journal: Any = SimpleNamespace(log=Log(0))
    return ProcessCells(folder, task, journal, go_on)


def test_a_cell_is_changed_by_one_at_a_time(task, tmp_path):
    cells_of(tmp_path, task).write("sum", None, 0)

    def go(_):
        cells = cells_of(tmp_path, task)
        return [cells.modify("sum", None, lambda old: old + 1) for _ in range(200)]

    with ThreadPoolExecutor(4) as threads:
        found = sorted(value for part in threads.map(go, range(4)) for value in part)
    assert found == list(range(1, 801))


def test_versions_are_counted_once_each_and_in_the_order_of_their_times(task, tmp_path):
    def go(_):
        cells = cells_of(tmp_path, task)
        return [cells.counted() for _ in range(200)]

    with ThreadPoolExecutor(4) as threads:
        found = sorted(row for part in threads.map(go, range(4)) for row in part)
    assert [number for number, _ in found] == list(range(800))
    assert [time_s for _, time_s in found] == sorted(time_s for _, time_s in found)


def test_a_cell_is_its_owners_and_holds_what_was_written_last(task, tmp_path):
    one, two = (cells_of(tmp_path, task) for _ in range(2))
    g = task.gradient(task.start(), (0, 0))
    for value in ("a much longer content than the next one has", (g, 1)):
        one.write("layer 1/2", 0, value)
    one.write("layer 1/2", None, "everybody's")
    assert two.read("layer 1/2", 0)[0].name == g.name
    assert two.read("layer 1/2", None) == "everybody's"


def test_reading_waits_for_the_first_content(task, tmp_path):
    cells = cells_of(tmp_path, task)
    threading.Timer(0.05, cells_of(tmp_path, task).write, ["late", None, 5]).start()
    assert cells.read("late", None) == 5

    def give_up():
        raise Stopped

    with pytest.raises(Stopped):
        cells_of(tmp_path, task, give_up).read("never", None)


def test_the_clocks_of_one_host_need_no_correction_and_another_clock_does():
    assert offset_of(time.monotonic).correction_s == 0
    away = offset_of(lambda: time.monotonic() + 100)
    assert abs(away.correction_s - 100) <= away.error_s < 0.1
    assert Offset(0.5, 0.6).correction_s == 0


def test_a_run_is_over_with_its_last_version():
    replicas = Reports()
    for node in (0, 1):
        replicas.note(node, "first", None)
    replicas.note(1, "last", None)
    assert not replicas.complete
    replicas.note(0, "last", None)
    assert replicas.complete
    parts = Reports()
    for l in (0, 1, 2):
        assert not parts.complete
        parts.note(l, "last", (l, 3))
    assert parts.complete
    shared = Reports()
    shared.note(2, "last", "shared")
    assert shared.complete


def test_pairs_are_read_as_parameters_are():
    assert pairs("--option", ["b=2", "form=stash", "by=0.5", "flag=true"]) == {
        "b": 2, "form": "stash", "by": 0.5, "flag": True,
    }  # fmt: skip
    with pytest.raises(ValueError, match="--option: got 'b'; allowed: NAME=VALUE"):
        pairs("--option", ["b"])
