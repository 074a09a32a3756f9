"""Verdicts on a page: the badge, the effect, the rule in words, the evidence behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from rebuttal.charts.theme import words as plain
from rebuttal.report import html, words
from rebuttal.report.captions import ABOUT

LEDGER_MIME = "application/vnd.rebuttal.ledger+json"
Row = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Html:
    """A piece of a page. `rows`: ledger rows that it stands for, for whoever assembles the site."""

    text: str
    label: str
    rows: tuple[Row, ...] = ()

    def __repr__(self) -> str:
        return self.label

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        ledger = {LEDGER_MIME: list(self.rows)} if self.rows else {}
        return {"text/html": self.text, "text/plain": self.label, **ledger}


def effect_html(row: Row) -> str:
    """Effect and interval, the interval never broken over lines."""
    return f"{escape(words.effect(row))} <small>{escape(words.interval(row))}</small>"


def measured_html(row: Row) -> str:
    """Effect and interval, and below them what was measured."""
    return f'{effect_html(row)}<br><span class="soft">{escape(words.measured(row["rule"]))}</span>'


def figure_link(name: str, page: str = "") -> str:
    """A link to a figure, on this page or on another."""
    return html.link(ABOUT[name].title, f"{page}#fig-{name}")


def summary_table(rows: Sequence[Row], caption: str, page: str = "") -> str:
    """The table concern -> status -> effect [interval], n -> figure."""
    cells = [
        (
            html.link(row["id"], f"{page}#{row['id']}") + f"<br>{escape(row['text'])}",
            html.badge(row["status"]),
            measured_html(row),
            html.number(row["n"]),
            figure_link(row["figure"], page),
        )
        for row in rows
    ]
    return html.table(
        ("Question", "Status", "Effect [95 % interval]", "n", "Figure"), cells, caption, "cards verdicts"
    )


def question_html(row: Row, kind: str) -> str:
    """One concern or claim: what is asked, the verdict, what it rests on."""
    first, *more = row["evidence"]
    count = (
        ""
        if not more
        else f" (the first of {len(row['evidence'])} pieces of evidence; the status is that of all together)"
    )
    effect = html.element("span", effect_html(row), class_="effect")
    answer = f"{html.badge(row['status'])}{effect}<span>n = {html.number(row['n'])}</span>"
    about = {
        "Kind": escape(row["kind"]),
        "Source": escape(row["source"]),
        "Measured": escape(words.measured(row["rule"]) + count),
        "Rule": escape(words.rule(row["rule"])),
        "Conditions": escape(row["conditions"]),
        "Why": "" if more else escape(first["explain"]),
        "Figure": "" if more else figure_link(first["figure"]),
        "See also": ", ".join(html.link(one, f"#{one}") for one in row["concerns"]),
    }
    body = [
        html.element("p", escape(row["text"]), class_="question"),
        html.element("p", answer, class_="answer"),
        html.facts(about),
        evidence_table(row) if more else "",
        html.element("details", html.element("summary", "Place by place, and the data files") + places(row)),
    ]
    return html.element(
        "section",
        "\n".join(body),
        class_=f"{kind} {row['status']}",
        id=row["id"],
        aria_label=f"{kind} {row['id']}",
    )


def evidence_table(row: Row) -> str:
    """Every piece of evidence with its own verdict."""
    cells = [
        (
            f'{escape(one["explain"])}<br><span class="soft">Rule: {escape(words.rule(one["rule"]))}.</span>',
            html.badge(one["status"]),
            measured_html(one),
            html.number(one["n"]),
            figure_link(one["figure"]),
        )
        for one in row["evidence"]
    ]
    head = ("What is tested", "Status", "Effect [95 % interval]", "n", "Figure")
    return html.table(head, cells, f"Evidence for {row['id']}", "cards verdicts")


def places(row: Row) -> str:
    """The outcome of every piece of evidence on every workload and machine, with the files it was read from."""
    return "".join(_places(row["id"], number, one) for number, one in enumerate(row["evidence"], 1))


def _places(name: str, number: int, one: Row) -> str:
    cells = [
        (escape(plain(part["where"])), html.badge(part["status"]), effect_html(part | {"unit": one["unit"]}),
         html.number(part["n"]), escape(part["note"]))
        for part in one["parts"]
    ]  # fmt: skip
    head = ("Where", "Status", "Effect [95 % interval]", "n", "Note")
    table = html.table(head, cells, f"{name}, evidence {number}: {words.measured(one['rule'])}")
    listed = ", ".join(f"<code>{escape(file)}</code>" for file in one["data_files"])
    return html.element(
        "div", table + html.element("p", f"Read from {listed}", class_="source"), class_="compact"
    )


def status_key() -> str:
    """What the four statuses mean."""
    lines = {status: escape(text) for status, text in words.STATUSES.items()}
    pairs = "".join(f"<dt>{html.badge(status)}</dt><dd>{text}</dd>" for status, text in lines.items())
    return f'<dl class="facts statuses">{pairs}</dl>'
