"""The systems that papers and reviews name: each is in the package, is run, or says what stands in for it."""

from dataclasses import fields

import pytest

from rebuttal import workloads
from rebuttal.base import paths
from rebuttal.machines.scaled import SCALED_MACHINES
from rebuttal.methods import METHODS
from rebuttal.site import systems
from rebuttal.site.systems import SYSTEMS, System
from rebuttal.studies import params
from rebuttal.workloads import full_size

KNOWN = {
    "methods": METHODS,
    "workloads": workloads.NAMES,
    "models": full_size.MODELS,
    "machines": SCALED_MACHINES,
}


@pytest.mark.parametrize("one", SYSTEMS, ids=lambda one: one.name)
def test_what_a_system_is_here_exists(one):
    for kind, known in KNOWN.items():
        assert set(getattr(one, kind)) <= set(known)
    assert any(getattr(one, kind) for kind in KNOWN)


@pytest.mark.parametrize("one", [one for one in SYSTEMS if one.methods], ids=lambda one: one.name)
def test_a_method_that_the_reviews_name_is_run_by_a_study(one):
    ran = {variant.program for study in params.load().studies.values() for variant in study.variants}
    assert set(one.methods) <= ran


def test_whatever_is_no_method_says_what_stands_in_for_it():
    assert all(one.stand_in for one in SYSTEMS if not one.methods)


def test_each_system_stands_once_and_has_no_other_kinds():
    assert len({one.name for one in SYSTEMS}) == len(SYSTEMS)
    assert {field.name for field in fields(System)} == {"name", "stand_in", *KNOWN}


def test_without_results_the_table_says_that_nothing_was_run(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "results", lambda _=None: tmp_path)
    text = systems.html_of([])
    assert text.count("not in these results") == len(SYSTEMS)
    assert "AlexNet" in text
