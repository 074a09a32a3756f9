"""Rules and effects in words: what a verdict tested, for a reader who does not read YAML."""

from collections.abc import Mapping, Sequence
from typing import Any

from rebuttal.figures.theme import words
from rebuttal.site.analyses_in_words import analysis, plain, variable, where
from rebuttal.site.html import number

WHAT = {
    "final_test_metric": "test accuracy at the end", "final_test_error": "test error at the end",
    "final_test_loss": "test loss at the end", "seconds_to_target": "seconds to the target",
    "updates_to_target": "updates to the target", "epochs_to_target": "epochs to the target",
    "samples_to_target": "samples to the target", "seconds_per_update": "seconds per update",
    "staleness_mean": "mean staleness", "utilisation": "utilisation", "dropped_share": "share of gradients dropped",
}  # fmt: skip
RATIOS = (
    "seconds_to_target",
    "updates_to_target",
    "epochs_to_target",
    "samples_to_target",
    "seconds_per_update",
)
STATUSES = {
    "supported": "the whole interval lies on the supporting side of the margin, on every workload and machine",
    "contradicted": "the whole interval lies on the other side, on every workload and machine",
    "mixed": "supported in one place and contradicted in another",
    "undecided": "an interval crosses the margin, or there are fewer than five seeds",
    "answered": "the question asks for words or a diagram; nothing is measured",
    "open": "no evidence yet; what is missing is said",
}


def rule(given: Mapping[str, Any]) -> str:
    """The rule of a verdict as one sentence without its full stop."""
    return {"compare": _compare, "trend": _trend, "order_statistics": _order_statistics,
            "best_backups": _best_backups, "product_identity": _product, "reading": _reading,
            "explained": _explained}[given["kind"]](given)  # fmt: skip


def effect(row: Mapping[str, Any]) -> str:
    """'0.964 times', or '–' where there is no number."""
    return f"{number(row['effect'])} {row['unit']}" if row["effect"] is not None else "–"


def interval(row: Mapping[str, Any]) -> str:
    """'[0.95, 0.98]'; '[0.95, open)' where misses leave an end open; empty where there is none."""
    low, high = row["interval"]
    if low is None and high is None:
        return ""
    return (
        f"{'(open' if low is None else f'[{number(low)}'}, {'open)' if high is None else f'{number(high)}]'}"
    )


def measured(given: Mapping[str, Any]) -> str:
    """What the effect is an effect on: 'seconds to the target: backup workers over asynchronous'."""
    if given["kind"] == "compare":
        sign = "over" if given["what"] in RATIOS else "minus"
        return f"{WHAT[given['what']]}: {some(given['of'])} {sign} {some(given['against'])}"
    if given["kind"] == "trend":
        return f"slope of the {WHAT[given['what']]}"
    if given["kind"] == "reading":
        return f"{variable(given['data'], given['variable'])}{where(given.get('where', {}), short=True)}"
    return {"order_statistics": "largest gap between formula and simulation", "explained": "nothing",
            "best_backups": "best number of backups, median",
            "product_identity": "deviation of the product from the whole"}[given["kind"]]  # fmt: skip


def some(labels: Sequence[str]) -> str:
    """Labels in words; of several, the best."""
    named = [words(label) for label in labels]
    return named[0] if len(named) == 1 else f"the best of ({'; '.join(named)})"


def _compare(given: Mapping[str, Any]) -> str:
    ratio, margin = given["what"] in RATIOS, given["margin"]
    pair = f"{some(given['of'])} {'divided by' if ratio else 'minus'} {some(given['against'])}"
    opposite = 1 / margin if ratio and margin else -margin
    low, high = sorted((margin, opposite))
    side = {"higher": f"above {number(margin)}", "lower": f"below {number(margin)}",
            "equal": f"between {number(low)} and {number(high)}"}[given["better"]]  # fmt: skip
    return f"{WHAT[given['what']]}, {pair}: {side}{_where(given)}"


def _trend(given: Mapping[str, Any]) -> str:
    sign = "above" if given["direction"] == "rising" else "below"
    margin = given["margin"] if given["direction"] == "rising" else -given["margin"]
    slope = f"slope of the {WHAT[given['what']]} along {words(given['of'].rstrip('='))}"
    return f"{slope}: {sign} {number(margin)}{_where(given)}"


def _order_statistics(given: Mapping[str, Any]) -> str:
    return f"formula and simulation differ by at most {number(given['tolerance'])} standard errors{_models(given)}"


def _best_backups(given: Mapping[str, Any]) -> str:
    low, high = given["between"]
    return (
        f"the best number of backups among {given['workers']} workers is from {low} to {high}{_models(given)}"
    )


def _product(given: Mapping[str, Any]) -> str:
    pair = f"{words(given['of'])} over {words(given['against'])}"
    return (
        f"the two factors of the speed-up of {pair} multiply to the whole within {number(given['tolerance'])}"
    )


def _reading(given: Mapping[str, Any]) -> str:
    low, high = given["within"]
    ends = [f"at least {number(low)}"] * (low is not None) + [f"at most {number(high)}"] * (high is not None)
    bounds = " and ".join(ends) or "any number"
    statistic = {"all": "every place", "highest": "at its highest", "lowest": "at its lowest"}.get(
        given["statistic"], f"the {given['statistic']}"
    )
    each = f", for each {plain(given['each'])}" if given.get("each") else ""
    what = f"{variable(given['data'], given['variable'])}{where(given.get('where', {}))}"
    return f"{statistic}: {what}, from the {analysis(given['data'])}, is {bounds}{each}"


def _explained(_: Mapping[str, Any]) -> str:
    return "the page explains it"


def _where(given: Mapping[str, Any]) -> str:
    named = [*(given.get("workloads") or []), *(given.get("machines") or [])]
    return f" (on {', '.join(map(words, named))})" if named else ""


def _models(given: Mapping[str, Any]) -> str:
    named = given.get("stragglers")
    models = "model" if named and len(named) == 1 else "models"
    return (
        f", for the straggler {models} {', '.join(map(words, named))}"
        if named
        else ", for every straggler model"
    )
