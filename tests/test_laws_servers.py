"""Laws of the methods whose replicas meet at a server or in shared memory: degenerate cases, bounds, torn reads.

Values are compared in float64 on the batched, the exact and the eager path; orders on the symbolic one.
"""

from collections import Counter
from functools import cache

import numpy as np
import pytest
import torch
from runs import Fixed, Link, layered_machine, machine, run
from values import UPDATES, eager_weights, weights_of

from rebuttal.base.errors import InputError
from rebuttal.core.update_rules import SGD, Momentum
from rebuttal.machines.stragglers import Exponential, NoStragglers
from rebuttal.replaying.batch_merging import merged
from rebuttal.simulation.timeline_metrics import layer_staleness, progress
from rebuttal.workloads import load
from rebuttal.workloads.quadratic import Quadratic

SLOW = Link(
    latency_s=0.02, bandwidth_bytes_per_s=400_000.0, source="test"
)  # a layer's 4000 bytes take 0.01 s
TORN = layered_machine(Exponential(), SLOW)
STRAGGLING = machine(Fixed(factors=(1.0, 1.1, 1.3, 5.0)))
PATHS = ["batched", "exact", "eager"]


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


def final(path, name, options, workload, rate, *, updates=UPDATES, where=None, rule=SGD(), **given):
    """Final weights [P] on one of the three paths."""
    where = where or machine()
    if path == "eager":
        return eager_weights(
            name, options, workload, rate, updates=updates, machine=where, rule=rule, **given
        )
    timeline = run(name, options, updates=updates, machine=where, **given)
    return weights_of(timeline, workload, rate, exact=path == "exact", rule=rule)


# --- degenerate cases -----------------------------------------------------------------------------------------

SAME = [
    ("downpour", {}, 1, "mini_batch", {}),
    ("downpour", {}, 4, "asynchronous", {}),
    ("stale_synchronous", {"s": 0}, 4, "synchronous", {}),
    ("stale_synchronous", {"s": 0}, 4, "mini_batch", {"shards": 4}),
    ("stale_synchronous", {"s": UPDATES}, 4, "asynchronous", {}),
    ("stale_synchronous", {"s": 2}, 1, "mini_batch", {}),
    ("one_sided", {}, 1, "mini_batch", {}),
    ("one_sided", {"atomic": False}, 1, "mini_batch", {}),
    ("hogwild", {}, 1, "mini_batch", {}),
    ("bounded_delay", {"B": 1}, 4, "mini_batch", {}),
    ("bounded_delay", {"B": 3}, 1, "mini_batch", {}),
    ("delay_compensated", {"by": 0.0}, 4, "asynchronous", {}),
    ("delay_compensated", {"by": 0.0, "adaptive": True}, 4, "asynchronous", {}),
    ("delay_compensated", {"by": 0.5}, 1, "mini_batch", {}),
]
same = pytest.mark.parametrize(("name", "options", "workers", "other", "other_options"), SAME)


@same
@pytest.mark.parametrize(
    ("path", "rule"), [*((path, SGD()) for path in PATHS), ("eager", Momentum(0.9))], ids=[*PATHS, "momentum"]
)
def test_degenerate_cases_of_servers(deep, path, rule, name, options, workers, other, other_options):
    one = final(path, name, options, deep, 0.1, workers=workers, rule=rule)
    two = final(path, other, other_options, deep, 0.1, workers=workers, rule=rule)
    torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)


@same
def test_degenerate_cases_of_servers_have_one_order(name, options, workers, other, other_options):
    one, two = (
        merged(run(*which, workers=workers).order) for which in ((name, options), (other, other_options))
    )
    corrected = name == "delay_compensated"  # its corrections are computed, and are 0
    assert (one.key == two.key) is not corrected


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("n", [2, 3])
def test_a_lone_downpour_worker_is_mini_batch_sgd_seen_at_every_push(deep, path, n):
    """Its copy and the server's weights take the same steps, one by one and n at once."""
    one = final(path, "downpour", {"n_fetch": n, "n_push": n}, deep, 0.1, workers=1, updates=12 // n)
    two = final(path, "mini_batch", {}, deep, 0.1, workers=1, updates=12)
    torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)


def test_bounded_delay_with_b_1_takes_the_time_of_an_all_reduce_without_links():
    one, two = run("bounded_delay", {"B": 1}), run("all_reduce")
    np.testing.assert_allclose(one.updates["time_s"], two.updates["time_s"], rtol=1e-12)


# --- periods and bounds ---------------------------------------------------------------------------------------


def gradient_rows(timeline):
    """(node, step, start, end, graph node) of every gradient."""
    c = timeline.computes
    rows = np.flatnonzero(c["operation"] == timeline.names.index("gradient")).tolist()
    steps = [int(timeline.graph.arguments[v][1]) for v in c["value"][rows].tolist()]
    columns = [c[name][rows].tolist() for name in ("node", "start_s", "end_s", "value")]
    return [(node, step, *rest) for step, node, *rest in zip(steps, *columns, strict=True)]


def behind(graph, node):
    """The batches, (shard, step), of all gradients that a node rests on."""
    seen, stack, found = set(), [node], set()
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            stack.extend(graph.inputs[number])
            if graph.operations[number] == "gradient":
                found.add(graph.arguments[number])
    return found


@pytest.mark.parametrize(("n_fetch", "n_push"), [(1, 3), (3, 1), (2, 3), (4, 4)])
def test_downpour_talks_to_the_server_at_its_periods(n_fetch, n_push):
    timeline = run("downpour", {"n_fetch": n_fetch, "n_push": n_push}, updates=60, workers=4)
    assert set(np.diff(progress(timeline)["batches_applied"])) == {n_push}
    m = timeline.messages
    for worker in range(1, 5):
        made = sum(node == worker for node, *_ in gradient_rows(timeline))
        heavy = m["bytes"] > 0
        pushes = (heavy & (m["source"] == worker)).sum()
        fetches = (heavy & (m["destination"] == worker)).sum() - 1  # the first comes unasked
        assert (made - 1) // n_push <= pushes <= made // n_push
        assert (made - 1) // n_fetch - 1 <= fetches <= made // n_fetch


@pytest.mark.parametrize("link", [Link(0.0, float("inf"), "test"), SLOW], ids=["free", "slow"])
@pytest.mark.parametrize("s", [0, 1, 3])
def test_no_worker_is_more_than_s_clocks_ahead(s, link):
    """The bound holds, the slow worker makes the others reach it, and without it they would be further ahead."""
    where = machine(STRAGGLING.stragglers, link)
    assert furthest_ahead(run("stale_synchronous", {"s": s}, workers=4, machine=where, updates=40)) == s
    assert furthest_ahead(run("asynchronous", workers=4, machine=where, updates=40)) > 3


def furthest_ahead(timeline):
    """The largest difference of clocks between a worker that begins a gradient and the slowest one."""
    rows = gradient_rows(timeline)
    done = lambda worker, at_s: sum(node == worker and end_s <= at_s for node, _, _, end_s, _ in rows)  # noqa: E731
    return max(step - min(done(worker, start_s) for worker in range(1, 5)) for _, step, start_s, *_ in rows)


@pytest.mark.parametrize("s", [0, 1, 3])
def test_a_stale_synchronous_worker_reads_all_updates_that_are_older_than_the_bound(s):
    timeline = run("stale_synchronous", {"s": s}, workers=4, machine=STRAGGLING, updates=40)
    for _, step, _, _, value in gradient_rows(timeline):
        due = {(shard, old) for shard in range(4) for old in range(step - s)}
        assert due <= behind(timeline.graph, timeline.graph.inputs[value][0])


@pytest.mark.parametrize("where", [STRAGGLING, TORN], ids=["straggling", "slow links"])
@pytest.mark.parametrize("B", [1, 2, 4])
def test_no_copy_of_a_block_is_older_than_b_allows(B, where):
    """Update t is computed on versions t − B + 1 to t of every block; the oldest allowed and t itself do occur."""
    timeline = run("bounded_delay", {"B": B}, workers=4, machine=where, updates=40)
    graph, rows = timeline.graph, gradient_rows(timeline)
    read = [(step, depths(graph, graph.inputs[graph.inputs[value][0]])) for _, step, _, _, value in rows]
    delays = [step - depth for step, blocks in read for depth in blocks]
    assert min(delays) == 0
    assert max(delays) == B - 1


@pytest.mark.parametrize("where", [STRAGGLING, TORN], ids=["straggling", "slow links"])
def test_a_node_computes_on_all_that_has_come_and_is_not_newer_than_its_own_block(where):
    timeline = run("bounded_delay", {"B": 8}, workers=4, machine=where, updates=40)
    graph, m = timeline.graph, timeline.messages
    columns = [m[name].tolist() for name in ("source", "destination", "value", "arrived_s")]
    mail = [row for row in zip(*columns, strict=True) if row[2] >= 0]  # without the notes to oneself
    sent = dict(zip([row[2] for row in mail], depths(graph, [row[2] for row in mail]), strict=True))
    for node, step, start_s, _, value in gradient_rows(timeline):
        for block, used in enumerate(depths(graph, graph.inputs[graph.inputs[value][0]])):
            come = [sent[v] for j, i, v, at_s in mail if (j, i) == (block, node) and at_s < start_s]
            assert used >= min(step, max(come, default=0))


def test_a_larger_bound_waits_less():
    seconds = [run("bounded_delay", {"B": B}, workers=4, updates=100).end_s for B in (1, 2, 4, 8)]
    assert sorted(seconds, reverse=True) == seconds
    assert seconds[-1] < 0.8 * seconds[0]


# --- torn reads and lost updates ------------------------------------------------------------------------------


def depths(graph, parts):
    """How many updates each of these parts of states has seen."""

    @cache
    def depth(node):
        return graph.operations[node] == "update" and 1 + depth(graph.inputs[node][0])

    return [int(depth(part)) for part in parts]


def read_by_hogwild(timeline):
    """For each gradient whose loss was computed: how many updates each layer had seen when it was read."""
    graph, found = timeline.graph, []
    for loss in (n for n, name in enumerate(graph.operations) if name == "loss"):
        states, node = [], graph.inputs[loss][0]
        while graph.operations[node] == "forward":
            state, node = graph.inputs[node]
            states.insert(0, state)
        found.append(depths(graph, states))
    return found


def read_one_sidedly(timeline):
    inputs = timeline.graph.inputs
    return [depths(timeline.graph, inputs[inputs[row[-1]][0]]) for row in gradient_rows(timeline)]


@pytest.mark.parametrize("options", [{"atomic": True}, {"atomic": False}], ids=["atomic", "put"])
def test_one_sided_reads_are_torn_between_layers(options):
    alone, together = (
        run("one_sided", options, workers=workers, machine=TORN, updates=40) for workers in (1, 6)
    )
    assert all(len(set(read)) == 1 for read in read_one_sidedly(alone))
    assert sum(len(set(read)) > 1 for read in read_one_sidedly(together)) > 10


def test_hogwild_reads_are_torn_and_newer_in_the_layers_above():
    """Layers are read upwards and written downwards, so no layer that is read later has seen fewer updates."""
    alone, together = (run("hogwild", workers=workers, machine=TORN, updates=40) for workers in (1, 6))
    assert all(len(set(read)) == 1 for read in read_by_hogwild(alone))
    reads = read_by_hogwild(together)
    assert all(read == sorted(read) for read in reads)
    assert sum(len(set(read)) > 1 for read in reads) > len(reads) / 2


def test_hogwild_staleness_falls_from_layer_to_layer():
    """Layer l of L equal ones is open to N − 1 others from its read to its write: 1 − l/L of a gradient's time."""
    N, L = 6, 8
    table = layer_staleness(run("hogwild", workers=N, machine=layered_machine(Exponential()), updates=1500))
    for l in range(L):
        stale = table["forward_staleness"].values[table["layer"].values == l]
        assert stale.mean() == pytest.approx((N - 1) * (1 - l / L), abs=0.1)


def lost(timeline):
    """How many states of a layer two or more updates began with: all but one of these were lost."""
    graph = timeline.graph
    begun = Counter(graph.inputs[n][0] for n, name in enumerate(graph.operations) if name == "update")
    return sum(count - 1 for count in begun.values())


def test_updates_are_lost_only_without_atomic_accumulation():
    for workers, options, expected in (
        (6, {}, False),
        (6, {"atomic": False}, True),
        (1, {"atomic": False}, False),
    ):
        timeline = run("one_sided", options, workers=workers, machine=TORN, updates=40)
        assert (lost(timeline) > 0) is expected
    assert lost(run("hogwild", machine=TORN, updates=40)) == 0


@pytest.mark.parametrize(
    ("name", "options"),
    [("one_sided", {}), ("one_sided", {"atomic": False}), ("hogwild", {}), ("bounded_delay", {"B": 3})],
)
@pytest.mark.parametrize("path", PATHS[:2])
def test_torn_weights_are_replayed_as_they_were_read(deep, path, name, options):
    """On slow links: the weights of the replay are those of the method run on tensors, and of no atomic method."""
    found = final(path, name, options, deep, 0.2, where=TORN, updates=30)
    expected = final("eager", name, options, deep, 0.2, where=TORN, updates=30)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    whole = final("eager", "asynchronous", {}, deep, 0.2, where=TORN, updates=30)
    assert (found - whole).abs().max() > 1e-6


# --- delay compensation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("exactness", [0.0, 0.5, 1.0, 2.0])
def test_delay_compensation_on_a_quadratic(path, exactness):
    """On h w²/2 the error of a late gradient shrinks to 1 − λ h w² of itself: none is left where λ = 1/(h w²)."""
    h, rate = 2.0, 0.1
    quadratic = Quadratic([h], dtype=torch.float64)
    w = quadratic.start(0).item()
    by = exactness / (h * w * w)
    where = machine(NoStragglers())  # two equal workers: the second update's gradient is one update late
    end = final(path, "delay_compensated", {"by": by}, quadratic, rate, workers=2, updates=2, where=where)
    sequential, late = w * (1 - rate * h) ** 2, w * (1 - 2 * rate * h)
    assert end.item() - sequential == pytest.approx(
        (1 - exactness) * (late - sequential), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("path", PATHS)
def test_adaptive_delay_compensation_on_a_quadratic(path):
    """λ = λ₀/√(s + 1e-7), s the mean square of two equal gradients, each counting 0.05, from 0."""
    h, rate, by = 2.0, 0.1, 0.5
    quadratic = Quadratic([h], dtype=torch.float64)
    w = quadratic.start(0).item()
    g = h * w
    square = 0.95 * 0.05 * g * g + 0.05 * g * g
    moved = w - rate * g
    expected = moved - rate * (g + by / (square + 1e-7) ** 0.5 * g * g * (moved - w))
    options = {"by": by, "adaptive": True}
    where = machine(NoStragglers())
    end = final(path, "delay_compensated", options, quadratic, rate, workers=2, updates=2, where=where)
    assert end.item() == pytest.approx(expected, rel=1e-12)


# --- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "workers", "key"),
    [
        ("downpour", {"n_fetch": 0}, 4, "n_fetch"),
        ("downpour", {"n_push": 0}, 4, "n_push"),
        ("stale_synchronous", {"s": -1}, 4, "s"),
        ("bounded_delay", {"B": 0}, 4, "B"),
        ("bounded_delay", {}, 9, "workers"),
        ("delay_compensated", {"by": -0.1}, 4, "by"),
        ("delay_compensated", {"by": float("nan")}, 4, "by"),
    ],
)
def test_refuses_impossible_settings_by_name(name, options, workers, key):
    with pytest.raises(InputError, match=rf"\b{key}: got .*; allowed: ") as refusal:
        run(name, options, workers=workers)
    assert "\n" not in str(refusal.value)
