"""The virtual cluster: messages and computations, verb by verb, every event of them worked out by hand."""

import numpy as np
import pytest
from programs import NARROW, SLOW, Run, listen, say

from rebuttal.core.verbs import Compute, Recv, Report, Send
from rebuttal.machines.hardware import Link

# --- Send and Recv --------------------------------------------------------------------------------------------


def test_a_message_takes_the_latency_and_its_bytes_over_the_bandwidth():
    found = Run(links={1: SLOW, 0: SLOW})(listen(1), say("x" * 10))
    assert found.log == [(0.0, "sent"), (1.5, (1, "x" * 10))]
    columns = ("source", "destination", "bytes", "sent_s", "arrived_s", "received_s")
    assert found.messages(*columns) == [(1, 0, 10, 0, 1.5, 1.5)]


def test_the_slower_of_the_two_links_counts():
    wide = Link(0.5, 100.0, "test")
    for links in ({1: wide, 0: NARROW}, {1: Link(0.5, 10.0, "test"), 0: Link(9.0, 100.0, "test")}):
        assert Run(links=links)(listen(1), say("x" * 10)).log[-1] == (1.5, (1, "x" * 10))


def test_a_message_of_no_bytes_takes_the_latency_alone():
    found = Run(links={1: SLOW, 0: SLOW})(listen(1), say(None))
    assert found.log[-1] == (0.5, (1, None))
    assert found.messages("bytes", "arrived_s") == [(0, 0.5)]


def test_a_sender_goes_on_at_once_and_its_link_sends_one_after_the_other():
    found = Run(links={1: SLOW})(listen(3), say("x" * 10, "y" * 20, "z" * 10))
    assert found.log[:3] == [(0.0, "sent")] * 3
    assert found.log[3:] == [(1.5, (1, "x" * 10)), (3.5, (1, "y" * 20)), (4.5, (1, "z" * 10))]


def test_messages_contend_for_the_link_of_their_receiver():
    """Four messages of a second each reach one link at once: they come out one second apart, first sent first."""
    found = Run(links={0: NARROW})(listen(4), *[say("x" * 10)] * 4)
    assert [(second, source) for second, (source, _) in found.log[4:]] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_a_fast_receiver_takes_slow_senders_nearly_side_by_side():
    """A link ten times as fast as the senders': each that comes at the same time adds a tenth of a second."""
    links = {0: Link(0.0, 100.0, "test")} | {n: Link(0.0, 10.0, "test") for n in (1, 2, 3)}
    found = Run(links=links)(listen(3), *[say("x" * 10)] * 3)
    assert [second for second, _ in found.log[3:]] == [1.0, pytest.approx(1.1), pytest.approx(1.2)]


def test_a_link_sends_and_receives_at_the_same_time():
    def echo(run, w):
        yield Send(0, "m", "y" * 10)
        run.note((yield Recv("m")))
        yield Send(0, "done")

    def hub(run, w):
        yield Report(w)
        yield Send(1, "m", "x" * 10)
        run.note((yield Recv("m")))
        yield Recv("done")
        yield Report(w)
        yield Report(w)

    found = Run(links={0: NARROW, 1: NARROW})(hub, echo)
    assert sorted(found.log) == [(1.0, (0, "x" * 10)), (1.0, (1, "y" * 10))]


def test_messages_with_one_tag_come_in_the_order_of_arrival_and_tags_do_not_mix():
    def hub(run, w):
        yield Report(w)
        run.note((yield Recv("b")))
        run.note((yield Recv("a")))
        run.note((yield Recv("a")))
        yield Report(w)

    found = Run(updates=1)(hub, say("1", tag="a"), say("2", tag="a"), say("3", tag="b"))
    assert [what for _, what in found.log if what != "sent"] == [(3, "3"), (1, "1"), (2, "2")]


def test_recv_by_source_waits_for_that_one_and_leaves_the_others():
    def hub(run, w):
        yield Report(w)
        run.note((yield Recv("m", source=2)))
        run.note((yield Recv("m")))
        yield Report(w)

    found = Run(links={2: SLOW})(hub, say("early"), say("late" * 5))
    assert found.log[2:] == [(2.5, (2, "late" * 5)), (2.5, (1, "early"))]


def newest_after(wait, **asked):
    def hub(run, w):
        yield Report(w)
        for _ in range(wait):
            yield Compute(run.task.gradient, (w, (0, 0)))
        run.note((yield Recv("m", latest=True, **asked)))
        yield Send(0, "m", "again")
        run.note((yield Recv("m")))
        yield Report(w)

    return hub


def test_latest_takes_the_newest_and_discards_the_older():
    found = Run()(newest_after(1), say("1", "2", "3"))
    assert [what for _, what in found.log if what != "sent"] == [(1, "3"), (0, "again")]
    received = dict(found.messages("value", "received_s"))
    assert len(received) == 1  # strings have no graph node
    assert np.isnan(found.timeline.messages["received_s"]).sum() == 2  # the two that nobody ever took


def test_latest_of_one_source_leaves_the_mail_of_others():
    found = Run()(newest_after(1, source=1), say("1", "2"), say("other"))
    assert [what for _, what in found.log if what != "sent"] == [(1, "2"), (2, "other")]


def test_latest_waits_if_there_is_nothing():
    found = Run(links={1: SLOW})(newest_after(0), say("x" * 10))
    assert found.log[1] == (1.5, (1, "x" * 10))


# --- Compute --------------------------------------------------------------------------------------------------


def test_compute_takes_its_price_times_the_slowdown_of_its_node():
    def hub(run, w):
        yield Report(w)
        g = yield Compute(run.task.gradient, (w, (7, 0)))
        run.note("gradient")
        w = yield Compute(run.task.update, (w, g))
        run.note("update")
        yield Report(w)

    found = Run(factors={0: 3.0})(hub)
    assert found.log == [(3.0, "gradient"), (3.25, "update")]
    assert found.computes() == [(0, "gradient", 0, 3, True), (0, "update", 3, 3.25, True)]
    assert found.timeline.updates["time_s"].tolist() == [0, 3.25]
    assert found.timeline.graph.operations == ["start", "gradient", "update"]


def abandoning(run, w):
    run.note((yield Compute(run.task.gradient, (w, (1, 0)), unless="stop")))
    run.note((yield Recv("stop")))
    g = yield Compute(run.task.gradient, (w, (1, 1)), unless="stop")
    run.note(type(g).__name__)
    yield Send(0, "done")


def ending(run, w):
    yield Report(w)
    yield Compute(run.task.update, (w, w))
    yield Send(1, "stop", "x" * 5)
    yield Recv("done")
    yield Report(w)


def test_unless_abandons_at_the_moment_the_message_is_there():
    """Sent at 0.25, half a second on the way: the first gradient ends unfinished at 0.75, the second takes a second."""
    found = Run(links={1: NARROW})(ending, abandoning)
    assert found.log == [(0.75, None), (0.75, (0, "x" * 5)), (1.75, "Symbol")]
    assert found.computes() == [
        (0, "update", 0, 0.25, True), (1, "gradient", 0, 0.75, False), (1, "gradient", 0.75, 1.75, True),
    ]  # fmt: skip


def test_unless_does_not_even_begin_where_the_message_waits_already():
    def late(run, w):
        yield Compute(run.task.gradient, (w, (1, 0)))
        run.note((yield Compute(run.task.gradient, (w, (1, 1)), unless="stop")))
        yield Send(0, "done")

    found = Run()(ending, late)
    assert found.log == [(1.0, None)]
    assert found.computes()[-1] == (1, "gradient", 1, 1, False)
