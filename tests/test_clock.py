"""The virtual clock has the order of events of SimPy, whose environment can stand in its place."""

import random
from dataclasses import replace

import numpy as np
import pytest
import simpy
from programs import Run, listen
from runs import COSTS, METHODS, layered_machine, machine, run
from simpy.core import EmptySchedule

from rebuttal.base.errors import InputError
from rebuttal.machines.hardware import Link
from rebuttal.machines.stragglers import Lognormal, NoStragglers
from rebuttal.simulation.cluster import virtual
from rebuttal.simulation.cluster.clock import Clock, NothingLeftError

SLOW = Link(0.01, 2e4, "test")
MACHINES = {
    "stragglers": machine(Lognormal(0.5), SLOW, update_s=0.05),
    "all at once": machine(NoStragglers()),  # many events of one moment: their order is that of scheduling
    "layers": layered_machine(link=SLOW),
}
RUNS = [("stragglers", 0), ("stragglers", 1), ("all at once", 0), ("layers", 0)]
#: Of digits_deep, also where the batches of all workers are one.
SIZED = replace(
    COSTS,
    forward_s=dict.fromkeys((32, 6 * 32), COSTS.forward_s[32]),
    backward_s=dict.fromkeys((32, 6 * 32), COSTS.backward_s[32]),
)


class SimPyClock:
    """The same calls as events of SimPy's environment, whose order of events is the law."""

    def __init__(self):
        self._environment, self._stopped = simpy.Environment(), False

    @property
    def now(self):
        return self._environment.now

    def after(self, delay_s, call, argument):
        event = self._environment.timeout(delay_s, argument)
        event.callbacks.append(lambda event: call(event.value))

    def soon(self, call, argument):
        event = self._environment.event()
        event.callbacks.append(lambda event: call(event.value))
        event.succeed(argument)

    def stop(self):
        self._stopped = True

    def run(self):
        while not self._stopped:
            try:
                self._environment.step()
            except EmptySchedule as error:
                raise NothingLeftError from error


def recorded(timeline):
    """All columns of a timeline."""
    parts = ("computes", "messages", "updates")
    return {f"{part}.{name}": column for part in parts for name, column in getattr(timeline, part).items()}


def calls(clock, seed, count=300):
    """(when, which) of random calls, which schedule others: at once, in the same moment, and by less than a float."""
    draw, made = random.Random(seed), []

    def call(which):
        made.append((clock.now, which))
        for number in range(draw.choice((1, 1, 2))):
            delay_s = draw.choice((None, 0.0, 1e-20, 0.1, 0.1, 0.2, 0.7))
            if delay_s is None:
                clock.soon(call, (*which, number))
            else:
                clock.after(delay_s, call, (*which, number))
        if len(made) == count:
            clock.stop()

    for first in range(5):
        clock.soon(call, (first,))
    clock.run()
    return made


@pytest.mark.parametrize("seed", range(20))
def test_calls_are_made_in_the_order_of_simpys_events(seed):
    assert calls(Clock(), seed) == calls(SimPyClock(), seed)


@pytest.mark.parametrize(("where", "seed"), RUNS)
@pytest.mark.parametrize("name", METHODS)
def test_a_run_is_the_same_on_simpy_to_the_bit(name, where, seed, monkeypatch):
    given = {"machine": MACHINES[where], "updates": 12, "costs": SIZED, "seed": seed}
    ours = run(*METHODS[name], **given)
    monkeypatch.setattr(virtual, "Clock", SimPyClock)
    theirs = run(*METHODS[name], **given)
    assert theirs.order.key == ours.order.key
    assert theirs.names == ours.names
    expected = recorded(theirs)
    for column, values in recorded(ours).items():
        np.testing.assert_array_equal(values, expected[column], err_msg=column)


@pytest.mark.parametrize("clock", [Clock, SimPyClock])
def test_a_run_in_which_nothing_can_happen_any_more_is_refused_in_one_line(clock, monkeypatch):
    monkeypatch.setattr(virtual, "Clock", clock)
    with pytest.raises(
        InputError, match=r"^method: all nodes wait and no message is on its way: node 0 for "
    ):
        Run()(listen(1))
