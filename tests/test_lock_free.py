"""Memory that processes share without locks: nobody waits, next to nothing is lost, and what is unknown is said."""

import fcntl
import threading
from dataclasses import replace

import pytest
import torch

from rebuttal.base.errors import InputError, RunError
from rebuttal.core.schedules import Schedule
from rebuttal.core.update_rules import SGD, Adam, Momentum, Recipe
from rebuttal.processes.driver import digest
from rebuttal.processes.journal import Journal
from rebuttal.processes.launcher import record
from rebuttal.processes.lock_free import LockFreeCells
from rebuttal.processes.mailbox import Stopped
from rebuttal.processes.timeline_merging import UNKNOWN
from rebuttal.processes.values import NamedTask
from rebuttal.processes.verification import verify
from rebuttal.replaying.oracle import Computer
from rebuttal.simulation.timeline_metrics import summary
from rebuttal.workloads import load

CELL = "layer 0"
RATE = 0.1


class Node:
    """One node's view of the memory, in this process."""

    def __init__(self, folder, number, rule):
        self.task = NamedTask(Computer.of(load("digits_mlp"), 0, RATE, 32, rule))
        self.stage = self.task.stage(0, 2)
        self.journal = Journal(folder, number, self.task.defined, dict)
        self.cells = LockFreeCells(folder, self.task, self.journal, lambda: None)

    def gradient(self, t):
        return self.stage.part(self.task.gradient(self.task.start(), (self.journal.log.node, t)))

    def update(self, g, meanwhile=lambda: None):
        """Changes the cell; `meanwhile` happens after its reading and before its writing."""

        def change(w):
            meanwhile()
            return self.stage.update(w, g)

        return self.cells.modify(CELL, None, change)


@pytest.fixture
def no_locks(monkeypatch):
    def refuse(*_):
        raise AssertionError("a lock")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(fcntl, "lockf", refuse)


@pytest.fixture
def node_of(tmp_path, no_locks):
    """Makes nodes that share one memory."""
    made = []

    def make(number, rule=SGD()):
        made.append(Node(tmp_path, number, rule))
        return made[-1]

    yield make
    for node in made:
        node.journal.close()


@pytest.fixture
def nodes(node_of):
    """Two, of which the first has written the start."""
    found = [node_of(number) for number in (0, 1)]
    found[0].cells.write(CELL, None, found[0].stage.start())
    return found


@pytest.mark.parametrize("rule", [SGD(), Momentum(0.9)])
def test_alone_every_number_is_what_was_computed(node_of, rule):
    node = node_of(0, rule)
    w = node.stage.start()
    node.cells.write(CELL, None, w)
    for t in range(3):
        g = node.gradient(t)
        w, found = node.stage.update(w, g), node.update(g)
        again = node.cells.read(CELL)
        assert node.journal.log.labels[again.name] == found.name
        for one, other, third in zip(w.value, found.value, again.value, strict=True):
            assert torch.equal(one, other)
            assert torch.equal(one, third)
    assert (node.journal.log.accesses, node.journal.log.overtaken) == (6, 0)


def test_an_update_that_falls_into_another_is_not_waited_for_and_not_lost(nodes):
    """The second node reads, changes and writes while the first is between its reading and its writing."""
    first, second = nodes
    g, h = first.gradient(0), second.gradient(0)
    start = first.cells.read(CELL).value[0]
    found = first.update(g, meanwhile=lambda: second.update(h))
    wanted = start - RATE * g.value - RATE * h.value
    torch.testing.assert_close(found.value[0], wanted)
    assert torch.equal(second.cells.read(CELL).value[0], found.value[0])
    assert not torch.equal(wanted, start - RATE * g.value)
    assert (first.journal.log.overtaken, second.journal.log.overtaken) == (1, 0)


def test_both_orders_are_noted_as_each_saw_them(nodes):
    """Two updates of the same state: a fork, which says that what the memory held afterwards is in neither."""
    first, second = nodes
    start = first.cells.read(CELL)
    g, h = first.gradient(0), second.gradient(0)
    theirs = []
    ours = first.update(g, meanwhile=lambda: theirs.append(second.update(h)))
    defined = first.task.defined() | second.task.defined()
    assert defined[ours.name] == ("update", (start.name, g.name), ())
    assert defined[theirs[0].name] == ("update", (start.name, h.name), ())
    assert first.journal.log.labels[first.cells.read(CELL).name] == ours.name


def test_many_at_once_lose_next_to_nothing(node_of):
    """Four threads add to one cell, in whole numbers, so that each sum is exact."""
    nodes, times = [node_of(number) for number in range(4)], 50
    nodes[0].cells.write(CELL, None, nodes[0].stage.start())
    zero = nodes[0].cells.read(CELL)
    nodes[0].cells.write(CELL, None, replace(zero, value=(zero.value[0] * 0,)))

    def add(node):
        for _ in range(times):
            node.cells.modify(CELL, None, lambda w: replace(w, value=(w.value[0] + 1,)))

    threads = [threading.Thread(target=add, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sums = nodes[0].cells.read(CELL).value[0]
    assert times <= sums.max() <= 4 * times
    assert sums.mean() >= 3 * times


def test_reading_waits_for_the_first_content_and_ends_with_the_run(node_of, tmp_path):
    def give_up():
        raise Stopped

    node = node_of(0)
    cells = LockFreeCells(tmp_path, node.task, node.journal, give_up)
    with pytest.raises(Stopped):
        cells.read(CELL)


def hogwild(workers, **given):
    known = {
        "workload": "digits_deep",
        "updates": 40,
        "learning_rate": 0.02,
        "checksums_every": 1,
        "lock_free": True,
    }
    return record("hogwild", workers=workers, **(known | given))


@pytest.mark.parametrize("counting", [Adam(), Recipe(SGD(), Schedule("linear"))], ids=["Adam", "schedule"])
def test_a_count_of_updates_has_no_place_in_memory_without_locks(counting):
    with pytest.raises(
        InputError, match=r"lock_free: got '(adam|sgd)'; allowed: a rule whose states have no count"
    ):
        hogwild(1, rule=counting)


def test_one_process_alone_is_verified_to_the_bit_and_computes_what_it_does_with_locks():
    free, locked = (hogwild(1, lock_free=lock_free, rule=Momentum(0.5)) for lock_free in (True, False))
    assert verify(free) == verify(locked) == 41
    assert free.order.key == locked.order.key
    assert free.about["checksums"] == locked.about["checksums"]
    assert free.about["memory"]["overtaken"] == 0
    assert "memory" not in locked.about


def test_a_run_of_several_says_what_it_does_not_know_and_verification_says_it_too():
    made = hogwild(3)
    memory = made.about["memory"]
    assert memory["unknown"] == UNKNOWN
    assert not memory["locks"]
    assert memory["accesses"] >= 40 * 2 * 8 >= memory["overtaken"]
    assert len(made.updates["value"]) == 41
    assert summary(made)["staleness_mean"] > 0
    made.about["checksums"][7][-1] = digest(torch.zeros(1))  # if no write of this run has met another
    text = r"^memory had no locks: .* up to (no version|version [0-6]), and what made version [0-7] is not known$"
    with pytest.raises(RunError, match=text):
        verify(made)
