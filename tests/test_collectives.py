"""Collective costs: the closed forms count what the algorithms do, and stand in the right order."""

import itertools
import math
from dataclasses import replace

import pytest

from rebuttal.base.errors import InputError
from rebuttal.machines.collective_costs import (
    COLLECTIVES,
    Cost,
    all_reduce,
    halving_doubling,
    hierarchical,
    lower_bound,
    parameter_server,
    ring,
    rounds,
    server_in_turn,
    tree,
)
from rebuttal.machines.hardware import Link

LINK = Link(5e-6, 12e9, "assumed: for this test")
INNER = Link(2e-6, 100e9, "assumed: for this test")
COUNTS = (1, 2, 3, 4, 5, 8, 12, 16, 64, 100, 1000, 1024)
SIZES = (0, 1, 4096, 10**6, 10**9)


def run_ring(values):
    """(sums on every node, rounds, parts sent by each) of a ring all-reduce of `values[node][part]`."""
    P = len(values)
    held, steps, sent = [list(row) for row in values], 0, 0
    for reducing in (True, False):
        for step in range(P - 1):
            parts = [(node - step + (not reducing)) % P for node in range(P)]
            messages = [held[node][part] for node, part in enumerate(parts)]
            for node in range(P):
                part = parts[node - 1]
                held[node][part] = held[node][part] + messages[node - 1] if reducing else messages[node - 1]
            steps, sent = steps + 1, sent + 1
    return held, steps, sent


def run_circulant(values):
    """The same in 2⌈log₂P⌉ rounds, for any P: node r keeps sums of ever fewer parts, then gathers them back.

    Held row `i` of node r is its sum of part r + i, over the nodes from which it has come.
    """
    P = len(values)
    held = [[values[r][(r + i) % P] for i in range(P)] for r in range(P)]
    skips = [P]
    while skips[-1] > 1:
        skips.append(-(-skips[-1] // 2))
    steps = sent = 0
    for above, skip in itertools.pairwise(skips):
        before = [list(row) for row in held]
        for r in range(P):
            for i in range(above - skip):
                held[r][i] = before[r][i] + before[(r - skip) % P][i + skip]
        steps, sent = steps + 1, sent + above - skip
    for above, skip in reversed(list(itertools.pairwise(skips))):
        before = [list(row) for row in held]
        for r in range(P):
            held[r][skip:above] = before[(r + skip) % P][: above - skip]
        steps, sent = steps + 1, sent + above - skip
    return [[held[r][(part - r) % P] for part in range(P)] for r in range(P)], steps, sent


@pytest.mark.parametrize(("run", "cost"), [(run_ring, ring), (run_circulant, halving_doubling)])
@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 7, 8, 12, 16])
def test_closed_forms_count_the_messages_of_the_algorithm(run, cost, nodes):
    values = [[1000 * node + part for part in range(nodes)] for node in range(nodes)]
    sums, steps, parts_sent = run(values)
    assert sums == [[sum(column) for column in zip(*values, strict=True)]] * nodes
    unit = Link(1.0, 1.0, "assumed: for this test")
    counted = cost(nodes, nodes, unit)  # a part is one byte
    assert (counted.latency_s, counted.transfer_s) == (steps, pytest.approx(parts_sent))


@pytest.mark.parametrize("nodes", COUNTS)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_undercuts_the_bound_and_the_best_two_reach_its_bytes(nodes, size):
    bound = lower_bound(nodes, size, LINK)
    for cost in (ring, halving_doubling, tree):
        assert cost(nodes, size, LINK).total_s >= bound.total_s
    assert ring(nodes, size, LINK).transfer_s == bound.transfer_s
    assert halving_doubling(nodes, size, LINK).transfer_s == bound.transfer_s
    assert halving_doubling(nodes, size, LINK).latency_s <= ring(nodes, size, LINK).latency_s
    assert tree(nodes, size, LINK).latency_s == halving_doubling(nodes, size, LINK).latency_s


@pytest.mark.parametrize("nodes", COUNTS)
def test_rounds_are_the_logarithm_rounded_up(nodes):
    assert rounds(nodes) == math.ceil(math.log2(nodes))


@pytest.mark.parametrize("name", COLLECTIVES)
def test_one_node_has_nobody_to_talk_to(name):
    assert all_reduce(name, 1, 10**9, LINK, INNER, 8) == Cost(0.0, 0.0)


@pytest.mark.parametrize("nodes", COUNTS)
def test_a_hierarchy_of_one_level_is_a_ring(nodes):
    size = 10**7
    assert hierarchical(nodes, size, LINK, INNER, per_host=nodes) == ring(nodes, size, INNER)
    assert hierarchical(nodes, size, LINK, INNER, per_host=1) == ring(nodes, size, LINK)


def test_a_hierarchy_sends_each_hosts_bytes_once():
    size, hosts, inside = 10**8, 4, 8
    cost = hierarchical(hosts * inside, size, LINK, INNER, inside)
    outside = 2 * (hosts - 1) / hosts * size / inside / LINK.bandwidth_bytes_per_s
    assert cost.transfer_s == pytest.approx(ring(inside, size, INNER).transfer_s + outside)
    assert cost.total_s < ring(hosts * inside, size, LINK).total_s


@pytest.mark.parametrize("shards", [1, 2, 10])
def test_incast_grows_with_workers_over_shards(shards):
    one = parameter_server(1, 10**8, LINK, shards)
    for workers in (2, 16, 64):
        cost = parameter_server(workers, 10**8, LINK, shards)
        assert cost.transfer_s == pytest.approx(workers * one.transfer_s)
        assert cost.transfer_s == pytest.approx(parameter_server(workers, 10**8, LINK).transfer_s / shards)
        assert cost.latency_s == 2 * LINK.latency_s


@pytest.mark.parametrize("workers", [1, 2, 16, 64])
def test_a_server_in_turn_takes_half_of_an_incast_in_the_limit(workers):
    incast, in_turn = parameter_server(workers, 10**8, LINK), server_in_turn(workers, 10**8, LINK, LINK)
    assert in_turn.transfer_s == pytest.approx(incast.transfer_s * (workers + 1) / (2 * workers))
    assert in_turn.latency_s == incast.latency_s


def test_incast_and_ring_at_64_nodes():
    without = replace(LINK, latency_s=0.0)
    assert parameter_server(64, 10**8, without).total_s == pytest.approx(1.067, abs=5e-4)
    assert ring(64, 10**8, without).total_s == pytest.approx(0.0164, abs=5e-5)


@pytest.mark.parametrize("nodes", [8, 64, 1000])
def test_ring_and_tree_cross_where_their_difference_in_rounds_pays_for_the_tree_s_bytes(nodes):
    more_rounds = 2 * (nodes - 1) - 2 * rounds(nodes)
    crossover = more_rounds * LINK.latency_s * nodes * LINK.bandwidth_bytes_per_s / 2
    for size, cheaper in ((0.9 * crossover, tree), (1.1 * crossover, ring)):
        assert all_reduce("best", nodes, size, LINK) == cheaper(nodes, size, LINK)
    at = tree(nodes, crossover, LINK).total_s, ring(nodes, crossover, LINK).total_s
    assert at[0] == pytest.approx(at[1])


@pytest.mark.parametrize("nodes", COUNTS)
@pytest.mark.parametrize("size", SIZES)
def test_the_best_is_never_dearer_than_what_it_chooses_from(nodes, size):
    best = all_reduce("best", nodes, size, LINK, INNER, 8)
    others = [all_reduce(name, nodes, size, LINK, INNER, 8) for name in ("ring", "tree", "hierarchical")]
    assert best in others
    assert best.total_s == min(cost.total_s for cost in others)


def test_within_a_host_its_own_link_is_used():
    assert all_reduce("ring", 8, 10**6, LINK, INNER, 8) == ring(8, 10**6, INNER)
    assert all_reduce("ring", 9, 10**6, LINK, INNER, 8) == ring(9, 10**6, LINK)
    assert all_reduce("tree", 8, 10**6, LINK) == tree(8, 10**6, LINK)


@pytest.mark.parametrize(
    "make",
    [
        lambda: all_reduce("rign", 2, 1, LINK),
        lambda: ring(0, 1, LINK),
        lambda: tree(2, -1, LINK),
        lambda: ring(2, float("nan"), LINK),
        lambda: hierarchical(2, 1, LINK, INNER, 0),
        lambda: parameter_server(2, 1, LINK, 0),
    ],
)
def test_impossible_collectives_are_refused_in_one_line(make):
    with pytest.raises(InputError) as error:
        make()
    assert "\n" not in str(error.value)
