"""The table of all methods: what the program writes, and right where the answer is known."""

import re

import pytest
from doc_pages import DOCS
from runs import layered_machine, machine, run

from rebuttal.machines.stragglers import Lognormal
from rebuttal.methods import METHODS
from rebuttal.site import method_table
from rebuttal.site.method_table import MethodRow
from rebuttal.site.method_table.citations import sources_of, summary_of
from rebuttal.site.method_table.exactness import (
    APPROXIMATE,
    OTHER_BATCHES,
    SAME,
    exactness,
    rewritten,
    sums_sorted,
)

PLACES = {name: place for place, name in enumerate(method_table.HEADINGS)}


def cells(name, **options):
    found = MethodRow(name, options).cells()
    assert len(found) == len(PLACES)
    return {heading: found[place] for heading, place in PLACES.items()}


def mini_batch(shards, updates):
    return run("mini_batch", {"shards": shards}, updates=updates)


def test_the_page_is_what_the_program_writes():
    page = (DOCS / "methods" / "README.md").read_text(encoding="utf-8")
    assert page == method_table.written(page), "write it again: python -m rebuttal.site.method_table"


def test_every_method_has_a_row_and_variants_have_options():
    names = [row.name for row in method_table.rows()]
    assert set(names) == set(METHODS)
    assert len({(row.name, str(row.options)) for row in method_table.rows()}) == len(names)


def test_mini_batch_sgd_has_the_numbers_that_can_be_worked_out():
    row = cells("mini_batch", shards=4)
    assert row["values"] == SAME
    assert (row["staleness, first … last layer"], row["mean"], row["max"]) == ("0", "0.0", "0")
    assert (row["weights"], row["gradients"], row["memory"]) == ("1.00", "1.00", "2.00")
    assert (row["sent per update"], row["batches per update"], row["utilisation"]) == ("0.00", "4", "0.99")
    assert float(row["utilisation"]) == pytest.approx(4 / (4 + method_table.COSTS.update_s), abs=0.005)
    assert float(row["s per update"]) == pytest.approx(4 + method_table.COSTS.update_s, abs=0.01)


def test_a_ring_sends_six_sets_of_weights_between_four_workers():
    row = cells("all_reduce")
    assert row["sent per update"] == "6.00"
    assert float(row["s per update"]) == pytest.approx(
        1 + 0.3 + 0.006 + method_table.COSTS.update_s, abs=0.02
    )


@pytest.mark.parametrize(
    ("name", "options", "stale"),
    [
        ("asynchronous", {}, "3"),
        ("delayed", {"k": 2}, "2"),
        ("gpipe", {"m": 4}, "0 … 0"),
        ("pipedream", {}, "3 … 0"),
        ("pipedream", {"vertical": True}, "3 … 3"),
        ("continuous_propagation", {}, "6 … 0"),
    ],
)
def test_staleness_by_layer_is_that_of_the_formulas(name, options, stale):
    assert cells(name, **options)["staleness, first … last layer"] == stale


@pytest.mark.parametrize(
    ("name", "options", "verdict"),
    [
        ("all_reduce", {}, SAME),
        ("layer_wise_overlapped", {}, SAME),
        ("gpipe", {"m": 4}, SAME),
        ("zero_bubble", {"m": 4}, SAME),
        ("backup_workers", {"b": 2}, OTHER_BATCHES),
        ("asynchronous", {}, APPROXIMATE),
        ("delayed", {"k": 1}, APPROXIMATE),
        ("delayed", {"k": 0}, SAME),
        ("softsync", {"n": 1}, APPROXIMATE),
        ("pipedream", {}, APPROXIMATE),
        ("nesterov", {}, APPROXIMATE),
    ],
)
def test_exactness_is_told_from_the_orders(name, options, verdict):
    timeline = run(name, options, workers=4, updates=6, machine=layered_machine(Lognormal(0.5)))
    assert exactness(timeline, mini_batch) == verdict


def test_a_sum_in_another_order_is_the_same_value():
    """Two workers' gradients, averaged the slower worker's first."""
    one = run("mini_batch", {"shards": 2}, updates=3)
    other = rewritten(one.order, lambda pairs: [number for pair in pairs[::-1] for number in pair])
    assert other.key != one.order.key
    assert sums_sorted(other).key == sums_sorted(one.order).key


def test_an_uneven_number_of_batches_is_no_mini_batch_sgd():
    timeline = run("softsync", {"n": 4}, workers=6, updates=6, machine=machine(Lognormal(0.5)))
    assert exactness(timeline, mini_batch) == APPROXIMATE


def test_sources_are_short_and_those_of_the_file():
    assert sources_of(METHODS["all_reduce"]) == ["Patarasu & Yuan 2009", "Goyal et al. 2017"]
    assert sources_of(METHODS["delayed"]) == ["Chen et al. 2016"]
    for method in METHODS.values():
        found = sources_of(method)
        assert found
        assert all(re.fullmatch(r"[^();]+ \d{4}", source) for source in found)


def test_what_a_method_does_is_one_line_without_its_name():
    assert summary_of(METHODS["synchronous"]) == "the server waits for every worker"
    assert all("\n" not in summary_of(method) for method in METHODS.values())
    assert all("|" not in summary_of(method) for method in METHODS.values())
