"""The virtual clock has the order of events of SimPy, whose environment may stand in its place."""

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
#: Of digits_deep, also where the batches of all workers are one.
SIZED = replace(
    COSTS,
    forward_s=dict.fromkeys((32, 6 * 32), COSTS.forward_s[32]),
    backward_s=dict.fromkeys((32, 6 * 32), COSTS.backward_s[32]),
)


class SimPyClock(simpy.Environment):
    """SimPy's environment, which says in our word that nothing is left."""

    def step(self):
        try:
            super().step()
        except EmptySchedule as error:
            raise NothingLeftError from error


def recorded(timeline):
    """All columns of a timeline."""
    parts = ("computes", "messages", "updates")
    return {f"{part}.{name}": column for part in parts for name, column in getattr(timeline, part).items()}


@pytest.mark.parametrize("where", MACHINES)
@pytest.mark.parametrize("name", METHODS)
def test_a_run_is_the_same_on_simpy_to_the_bit(name, where, monkeypatch):
    ours = run(*METHODS[name], machine=MACHINES[where], updates=12, costs=SIZED)
    monkeypatch.setattr(virtual, "Clock", SimPyClock)
    theirs = run(*METHODS[name], machine=MACHINES[where], updates=12, costs=SIZED)
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
