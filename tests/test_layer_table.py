"""One node's work layer by layer: the dependencies that every form keeps, and what sets the forms apart."""

import numpy as np
import pandas as pd
import pytest
from replicas import clocked
from runs import layered_costs, layered_machine, run

from rebuttal.simulation.timeline_metrics import by_layer
from rebuttal.simulation.timeline_metrics.layer_table import WHOLE

LAYERS, R = 4, 0.8
FORMS = {
    "layer_wise": {},
    "layer_wise_overlapped": {},
    "layer_wise_asynchronous": {},
    "delayed_layer_wise": {"k": 1},
}
every_form = pytest.mark.parametrize("name", FORMS)


def table(name):
    """Some iterations of one node, communication taking R of the computation."""
    timeline = clocked(name, FORMS[name], r=R, layers=LAYERS)
    return pd.DataFrame(by_layer(timeline, 0, timeline.end_s))


def begin_and_end(frame, kind):
    """(layer, step) -> (begin, end) of what a node does once for each."""
    some = frame[frame["kind"] == kind]
    pairs = zip(some["start_s"], some["end_s"], strict=True)
    return dict(zip(zip(some["layer"], some["step"], strict=True), pairs, strict=True))


@every_form
def test_passes_go_up_and_down_the_layers(name):
    frame = table(name)
    forward, backward = (begin_and_end(frame, kind) for kind in ("forward", "backward"))
    for layer, step in backward:
        if layer > 0:
            assert forward[layer, step][0] >= forward[layer - 1, step][1] - 1e-12
            if (layer - 1, step) in backward:
                assert backward[layer - 1, step][0] >= backward[layer, step][1] - 1e-12


@every_form
def test_a_layer_is_reduced_after_its_backward_pass_and_updated_after_that(name):
    frame = table(name)
    backward, reduced, updated = (begin_and_end(frame, kind) for kind in ("backward", "all-reduce", "update"))
    assert len(updated) > 2 * LAYERS
    for place, (begin_s, _) in updated.items():
        assert reduced[place][0] >= backward[place][1] - 1e-12
        assert begin_s >= reduced[place][1] - 1e-12


@every_form
def test_the_next_forward_pass_waits_for_the_update_of_its_delay(name):
    frame = table(name)
    forward, updated = begin_and_end(frame, "forward"), begin_and_end(frame, "update")
    behind = 1 + FORMS[name].get("k", 0)
    late = [updated[layer, step - behind][1] <= begin_s + 1e-12
            for (layer, step), (begin_s, _) in forward.items() if (layer, step - behind) in updated]  # fmt: skip
    assert len(late) > LAYERS
    assert all(late)
    sooner = [updated[layer, step - 1][1] <= begin_s
              for (layer, step), (begin_s, _) in forward.items() if (layer, step - 1) in updated]  # fmt: skip
    assert all(sooner) == (name != "delayed_layer_wise")


def test_a_wait_is_from_the_end_of_an_all_reduce_to_the_update():
    frame = table("layer_wise_overlapped")
    reduced, updated, waits = (begin_and_end(frame, kind) for kind in ("all-reduce", "update", "wait"))
    assert waits
    for place, (begin_s, end_s) in waits.items():
        assert (begin_s, end_s) == (reduced[place][1], updated[place][0])


def test_what_is_done_for_all_layers_at_once_has_a_row_of_its_own():
    frame = pd.DataFrame(by_layer(clocked("all_reduce", {}, r=R), 0, 3.0))
    assert set(frame["layer"]) == {WHOLE}
    assert set(frame["kind"]) == {"gradient", "all-reduce", "update"}


def test_of_a_server_there_are_updates_alone():
    costs = layered_costs(LAYERS, 0.1, 0.2)
    timeline = run("asynchronous", workers=2, updates=4, machine=layered_machine(), costs=costs)
    server = pd.DataFrame(by_layer(timeline, 0, timeline.end_s))
    np.testing.assert_array_equal(server["kind"], ["update"] * len(server))
