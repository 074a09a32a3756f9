"""Verdicts on a page: the badge, the effect, the rule in words, the evidence behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from rebuttal.charts.theme import words as plain
from rebuttal.report import html, words
from rebuttal.report.figures import ABOUT

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


def figure_link(name: str, page: str = "") -> str:
    """A link to a figure, on this page or on another."""
    return html.link(ABOUT[name].title, f"{page}#fig-{name}")


def summary_table(rows: Sequence[Row], caption: str, page: str = "") -> str:
    """The table concern -> status -> effect [interval], n -> figure."""
    cells = [
        (
            html.link(row["id"], f"{page}#{row['id']}") + f"<br>{escape(row['text'])}",
            html.badge(row["status"]),
            effect_html(row),
            html.number(row["n"]),
            figure_link(row["figure"], page),
        )
        for row in rows
    ]
    return html.table(("Question", "Status", "Effect [95 % interval]", "n", "Figure"), cells, caption, "cards")


def question_html(row: Row, kind: str) -> str:
    """One concern or claim: what is asked, the verdict, what it rests on."""
    answer = f'{html.badge(row["status"])}<span class="effect">{effect_html(row)}</span><span>n = {html.number(row["n"])}</span>'
    about = {
        "Kind": escape(row["kind"]),
        "Source": escape(row["source"]),
        "Rule": f"{escape(words.rule(row['rule']))}{_more(row)}",
        "Conditions": escape(row["conditions"]),
        "See also": ", ".join(html.link(one, f"#{one}") for one in row["concerns"]),
    }
    body = [
        html.element("p", escape(row["text"]), class_="question"),
        html.element("p", answer, class_="answer"),
        html.facts(about),
        evidence_table(row),
    ]
    return html.element("section", "\n".join(body), class_=f"{kind} {row['status']}", id=row["id"], aria_label=f"{kind} {row['id']}")


def _more(row: Row) -> str:
    more = len(row["evidence"]) - 1
    return f" (and {more} more below: the status is that of all together)" if more > 0 else ""


def evidence_table(row: Row) -> str:
    """Every piece of evidence with its own verdict, and in which place it was found."""
    cells = [
        (
            escape(one["explain"]),
            html.badge(one["status"]),
            effect_html(one),
            html.number(one["n"]),
            f"{escape(words.rule(one['rule']))}.{_files(one['data_files'])}",
            figure_link(one["figure"]),
        )
        for one in row["evidence"]
    ]
    head = ("What is tested", "Status", "Effect [95 % interval]", "n", "Rule and data", "Figure")
    table = html.table(head, cells, f"Evidence for {row['id']}", "cards")
    places = "".join(_parts(row["id"], number, one) for number, one in enumerate(row["evidence"], 1))
    return table + html.element("details", html.element("summary", "Place by place") + places)


def _files(names: Sequence[str]) -> str:
    listed = ", ".join(f"<code>{escape(name)}</code>" for name in names)
    return f'<br><span class="source">{listed}</span>'


def _parts(name: str, number: int, one: Row) -> str:
    """The outcome of one piece of evidence on every workload and machine."""
    unit = {"unit": one["unit"]}
    cells = [
        (escape(plain(part["where"])), html.badge(part["status"]), effect_html(part | unit), html.number(part["n"]), escape(part["note"]))
        for part in one["parts"]
    ]
    head = ("Where", "Status", "Effect [95 % interval]", "n", "Note")
    return html.element("div", html.table(head, cells, f"{name}, evidence {number}: {one['explain']}"), class_="compact")
