"""How often verdicts err on synthetic studies with known truth, and claims corrected together."""

import json

import numpy as np
import pytest

from rebuttal.evidence import error_table, multiplicity, places_combined
from rebuttal.evidence.error_rates import ErrorRateSetting, rates, studies
from rebuttal.evidence.judging import Asked, PlaceOutcome, Tails, Word


@pytest.fixture(scope="module")
def without_effect():
    """1,000 studies with five seeds and no effect."""
    return rates(ErrorRateSetting())


def test_a_verdict_without_an_effect_is_wrong_in_at_most_one_of_twenty_studies(without_effect):
    """Both sides together: 5 % by construction, and three standard errors of 1,000 studies."""
    assert without_effect.supported + without_effect.contradicted <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1000)
    assert min(without_effect.supported, without_effect.contradicted) > 0


def test_intervals_cover_the_truth_as_often_as_they_say(without_effect):
    assert 0.93 <= without_effect.coverage <= 0.97
    assert 0.93 <= rates(ErrorRateSetting("ratio", 1.0, "gamma", 10, studies=500)).coverage <= 0.97


def test_power_grows_with_the_effect_and_with_the_seeds():
    few = [rates(ErrorRateSetting(effect=effect, studies=150)).supported for effect in (0.5, 1.0, 2.0)]
    many = rates(ErrorRateSetting(effect=1.0, seeds=10, studies=150)).supported
    assert few == sorted(few)
    assert few[2] > 0.8
    assert many > few[1]


def test_equivalence_is_rarely_granted_at_its_margin_and_mostly_without_a_difference():
    at_margin = rates(ErrorRateSetting(effect=3.0, studies=200), "equal", 3.0)
    without = rates(ErrorRateSetting(effect=0.0, studies=200), "equal", 3.0)
    assert at_margin.supported <= 0.08
    assert without.supported > 0.9


def test_the_mean_over_places_errs_no_more_often_than_one_place():
    """`depends` is wrong as well; three standard errors of 300 studies."""
    found = rates(ErrorRateSetting(machines=2, studies=300))
    assert found.supported + found.contradicted + found.depends <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_the_studies_have_the_effect_that_they_state():
    data = studies(ErrorRateSetting("ratio", effect=3.0, seeds=400, studies=1))
    seconds = data.curves.seconds.isel(point=-1).squeeze(drop=True)
    log_ratio = np.log(seconds.sel({"method": "method v=0"}) / seconds.sel({"method": "baseline"}))
    assert float(log_ratio.mean()) == pytest.approx(0.3, abs=0.02)
    assert float(log_ratio.std()) == pytest.approx(0.1, abs=0.02)


def test_holm_against_an_example_by_hand():
    """Sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1; never falling."""
    assert multiplicity.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert multiplicity.holm([0.9, 0.8]) == [1.0, 1.0]
    assert multiplicity.holm([]) == []


def outcome(word, supported=None, contradicted=None):
    """A place with the p-values of both sides, the other side's being the rest; without chance if none is given."""
    if contradicted is None and supported is not None:
        contradicted = 1 - supported
    tails = None if supported is None or contradicted is None else Tails(supported, contradicted)
    return PlaceOutcome("here", word, 1.0, 0.5, 1.5, 5, p=tails)


ASKED = Asked("higher", 0.0, 0.0)


def test_a_word_over_places_is_as_sure_as_its_least_sure_place():
    """Labels of an analysis, which are not averaged; of a difference both sides are looked at."""
    sure, less = outcome("supported", 0.001), outcome("supported", 0.02)
    both = places_combined.combine([sure, less], ASKED)
    assert (both.word, both.p) == ("supported", 0.04)
    assert places_combined.combine([outcome("supported"), less], ASKED).p == 0.04
    assert places_combined.combine([outcome("supported")] * 2, ASKED).p is None
    undecided = places_combined.combine([sure, outcome("cannot tell", 0.4)], ASKED)
    assert (undecided.word, undecided.p) == ("cannot tell", 1.0)


def test_places_depend_only_where_the_weaker_side_stands_among_all_of_them():
    weak = [outcome("supported", 0.001), outcome("contradicted", 0.99), outcome("cannot tell", 0.5)]
    assert places_combined.combine(weak, ASKED).word == "cannot tell"  # 3 x 0.01 > 2.5 %
    clear = [outcome("supported", 0.001), outcome("contradicted", 0.995), outcome("cannot tell", 0.5)]
    found = places_combined.combine(clear, ASKED)
    assert (found.word, found.p) == ("depends", pytest.approx(2 * 3 * 0.005))


@pytest.mark.parametrize(("better", "p"), [("higher", 0.08), ("equal", 0.04)])
def test_equality_that_two_tests_of_five_percent_show_stands_when_corrected(better, p):
    one = places_combined.combine([outcome("supported", 0.04, 0.9)], Asked(better, -1.0, 1.0))
    assert one.p == pytest.approx(p)
    (alone,) = multiplicity.corrected([(one.word, one.p)])
    assert alone
    assert alone["word"] == ("supported" if better == "equal" else "cannot tell")


def test_holm_keeps_the_family_wise_error():
    random = np.random.default_rng(0)
    wrong = [min(multiplicity.holm(random.uniform(size=6).tolist())) <= 0.05 for _ in range(2000)]
    assert np.mean(wrong) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_of_many_claims_a_weak_one_no_longer_stands():
    (alone,) = multiplicity.corrected([("supported", 0.04)])
    assert alone == {"p_value": 0.04, "adjusted": 0.04, "word": "supported", "claims": 1}
    claims: list[tuple[Word, float | None]] = [
        ("supported", 0.04), ("supported", 0.001), ("supported", None), ("cannot tell", 0.6),
    ]  # fmt: skip
    first, second, third, fourth = multiplicity.corrected(claims)
    assert third is None
    assert first
    assert second
    assert fourth
    assert [row["word"] for row in (first, second, fourth)] == ["cannot tell", "supported", "cannot tell"]
    assert second["claims"] == 3
    assert second["adjusted"] == pytest.approx(0.003)


def test_the_page_of_error_rates_is_written_from_what_was_measured(root):
    measured = json.loads((root / "reference" / "verdict_error_rates.json").read_text())
    assert (root / "docs" / "verdict_error_rates.md").read_text() == error_table.page(measured)
    assert {row["studies"] for row in measured["rows"]} == {1000}
    shown = [row for row in measured["rows"] if row["shown"] == "no effect"]
    assert all(0.93 <= row["coverage"] <= 0.97 for row in shown)
    normal = [row for row in shown if row["noise"] == "normal"]
    assert all(row["supported"] + row["contradicted"] <= 0.07 for row in normal)
