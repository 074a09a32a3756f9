"""The four papers together: every concern that their reviewers raised, and at least six claims of each."""

import pytest

from rebuttal.evidence import papers

CONCERNS = {"backup-workers": ("bw", 6), "continuous-propagation": ("cp", 12), "layer-wise": ("lw", 16),
            "random-smoothing": ("pp", 8)}  # fmt: skip
CLAIMS = 6  # of each paper, at least


@pytest.fixture(scope="module")
def loaded(request):
    folder = request.config.rootpath / "papers"
    return {name: papers.load(folder / name / "paper.yaml") for name in CONCERNS}


def test_every_concern_is_there_in_order(loaded):
    for name, (letters, count) in CONCERNS.items():
        assert [one.id for one in loaded[name].concerns] == [f"{letters}-{n}" for n in range(1, count + 1)]
    assert sum(len(paper.concerns) for paper in loaded.values()) == 42


def test_at_most_six_concerns_have_no_evidence_and_those_say_what_is_missing(loaded):
    open_ones = [one for paper in loaded.values() for one in paper.concerns if not one.answers]
    assert len(open_ones) <= 6
    assert all(one.missing for one in open_ones)


def test_every_paper_has_claims_that_point_to_concerns(loaded):
    for paper in loaded.values():
        assert len(paper.claims) >= CLAIMS
        assert all(one.concerns and one.source for one in paper.claims)


def test_the_files_say_what_was_changed_after_a_first_look(loaded):
    assert all(paper.changed for paper in loaded.values())
