"""The verdicts of a review at other tuning budgets: what each comparison would say with fewer learning rates tried."""

from collections.abc import Iterator
from html import escape

from rebuttal.evidence import budget_verdicts
from rebuttal.evidence.analyses_in_words import plain
from rebuttal.evidence.budget_verdicts import Budgets
from rebuttal.evidence.papers import Paper
from rebuttal.evidence.result_files import Results
from rebuttal.evidence.rules.run_rule import WHAT
from rebuttal.figures.theme import words
from rebuttal.site import html

SAID = (
    "Both sides try the same n of the grid's learning rates, and each keeps the best by validation loss. Printed is "
    "the verdict that at least 97.5 % of all choices of n rates give, on the validation data of the tuning seeds; else "
    "the share of choices that support the rule. Comparisons of accuracies and losses alone: tuning runs have no times."
)


def html_of(paper: Paper, data: Results) -> str:
    """Behind a toggle: a row for each comparison and place, a column for some numbers of trials; empty without any."""
    counts = _counts(data.tuning.sizes["learning_rate"])
    rows = list(_rows(paper, data, counts))
    if not rows:
        return ""
    head = ("Question", "What is compared", "Where", *(f"best of {n}" for n in counts))
    table = html.table(head, rows, "Verdicts against the number of learning rates tried", "cards")
    summary = html.element("summary", "Verdicts at other tuning budgets")
    return html.element("details", summary + html.element("p", escape(SAID)) + table)


def _counts(tried: int) -> list[int]:
    """One trial, two, half of them, and all."""
    return sorted({1, min(2, tried), (tried + 1) // 2, tried})


def _rows(paper: Paper, data: Results, counts: list[int]) -> Iterator[tuple[str, ...]]:
    for question in (*paper.concerns, *paper.claims):
        for number, evidence in enumerate(question.answers, 1):
            rule = evidence.rule
            if not budget_verdicts.applies(rule):
                continue
            for one in budget_verdicts.at_budgets(rule, data):
                pair = f"{WHAT[rule.what]}: {words(one.of)} against {words(one.against)}"
                cells = (_cell(one, n) for n in counts)
                yield f"{question.id}, {number}", escape(pair), escape(plain(one.where)), *cells


def _cell(one: Budgets, n: int) -> str:
    word, share = one.words[n - 1], one.supporting[n - 1]
    return html.badge(word) if word != "cannot tell" else f"{share:.0%} of choices"
