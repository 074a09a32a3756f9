"""Verdicts on a page: the badge, the effect, the rule in words, the evidence behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from rebuttal import figures
from rebuttal.figures.theme import words as plain
from rebuttal.site import html, method_links, other_profiles, words
from rebuttal.site.files import linked

FEW = 3  # data files that a question names at once
LEDGER_MIME = "application/vnd.rebuttal.evidence.ledger+json"
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
    """Effect and interval, and below them what was measured; nothing where nothing was."""
    if not measures(row):
        return "–"
    return f'{effect_html(row)}<br><span class="soft">{escape(words.measured(row["rule"]))}</span>'


def measures(row: Row) -> bool:
    """Whether a row, or a piece of evidence, rests on numbers."""
    return row["rule"] is not None and row["rule"]["kind"] != "explained"


def figure_link(name: str | None, page: str = "") -> str:
    """A link to a figure, on this page or on another; a dash for none."""
    if name is None:
        return "–"
    return html.link(figures.figure(name).title, f"{page}#fig-{name}")


def figure_links(row: Row, page: str = "") -> str:
    """Links to every figure that a question rests on; a dash for none."""
    names = dict.fromkeys(one["figure"] for one in row["evidence"] if one["figure"])
    return "<br>".join(figure_link(name, page) for name in names) or "–"


def summary_table(rows: Sequence[Row], caption: str, page: str = "") -> str:
    """The table concern -> status -> effect [interval], n -> evidence; its rows say what a reader may ask for."""
    cells = [
        (
            html.link(row["id"], f"{page}#{row['id']}") + f' <span class="soft">{escape(row["kind"])}</span>'
            f"<br>{escape(row['text'])}",
            html.badge(row["status"]),
            measured_html(row) + other_profiles.line_html(row),
            html.number(row["n"] if measures(row) else None),
            figure_links(row, page),
        )
        for row in rows
    ]
    marks = [{f"data_{name}": row[name] for name in ("paper", "kind", "status")} for row in rows]
    head = ("Question", "Status", "Effect [95 % interval]", "n", "Evidence")
    return html.table(head, cells, caption, "cards verdicts", marks)


def question_html(row: Row, kind: str) -> str:
    """One concern or claim: what is asked, the verdict, what it rests on, what is missing."""
    several = len(row["evidence"]) > 1
    effect = html.element("span", effect_html(row), class_="effect")
    numbers = f"{effect}<span>n = {html.number(row['n'])}</span>" if measures(row) else ""
    about = {"Kind": escape(row["kind"]), "Source": escape(row["source"])}
    about |= _about_evidence(row) if row["evidence"] else {}
    about |= {
        "Other profiles": escape(other_profiles.line(row)),
        "Missing": escape(row["missing"] or ""),
        "See also": ", ".join(html.link(one, f"#{one}") for one in row["concerns"]),
        "Data files": _data_files(row["data_files"]),
        "Made again by": f"<code>rebuttal pages {row['paper']}</code>; all that it rests on: <code>dvc repro</code>",
    }
    body = [
        html.element("p", escape(row["text"]), class_="question"),
        html.element("p", html.badge(row["status"]) + numbers, class_="answer"),
        html.facts(about),
        evidence_table(row) if several else "",
        _details(row) if any(one["parts"] for one in row["evidence"]) else "",
    ]
    return html.element(
        "section",
        "\n".join(body),
        class_=f"{kind} {row['status']}",
        id=row["id"],
        aria_label=f"{kind} {row['id']}",
    )


def _about_evidence(row: Row) -> dict[str, str]:
    """What the first piece of evidence is, and that there are more."""
    first, *more = row["evidence"]
    count = f" (of {len(more) + 1} pieces of evidence; the status is that of all together)" if more else ""
    numbers = {
        "Measured": escape(words.measured(row["rule"]) + count),
        "Rule": escape(words.rule(row["rule"])),
        "Conditions": escape(row["conditions"]),
    }
    alone = {
        "Why": escape(first["explain"]),
        "Figure": figure_link(first["figure"]) if first["figure"] else "",
    }
    return (numbers if measures(row) else {}) | ({} if more else alone) | _pointers(row["evidence"])


def _pointers(evidence: Sequence[Row]) -> dict[str, str]:
    """What explanations point to: methods of the workbench, and addresses."""
    rules = [one["rule"] for one in evidence]
    methods = dict.fromkeys(name for given in rules for name in given.get("methods") or [])
    references = dict.fromkeys(address for given in rules for address in given.get("references") or [])
    return {
        "Methods": ", ".join(map(method_links.link, methods)),
        "References": ", ".join(html.link(address, address) for address in references),
    }


def _data_files(names: Sequence[str]) -> str:
    """The files that a verdict was computed from; many wait behind a toggle."""
    listed = "<br>".join(map(linked, names))
    few = len(names) <= FEW
    return listed if few else html.element("details", f"<summary>{len(names)} files</summary>{listed}")


def _details(row: Row) -> str:
    return html.element(
        "details", html.element("summary", "Place by place, with its data files") + places(row)
    )


def evidence_table(row: Row) -> str:
    """Every piece of evidence with its own verdict."""
    cells = [
        (
            f'{escape(one["explain"])}<br><span class="soft">Rule: {escape(words.rule(one["rule"]))}.</span>',
            html.badge(one["status"]),
            measured_html(one),
            html.number(one["n"] if measures(one) else None),
            figure_link(one["figure"]),
        )
        for one in row["evidence"]
    ]
    head = ("What is tested", "Status", "Effect [95 % interval]", "n", "Figure")
    return html.table(head, cells, f"Evidence for {row['id']}", "cards verdicts")


def places(row: Row) -> str:
    """The outcome of every piece of evidence on every workload and machine, with the files it was read from."""
    return "".join(
        _places(row["id"], number, one) for number, one in enumerate(row["evidence"], 1) if one["parts"]
    )


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
    """What the statuses mean."""
    lines = {status: escape(text) for status, text in words.STATUSES.items()}
    pairs = "".join(f"<dt>{html.badge(status)}</dt><dd>{text}</dd>" for status, text in lines.items())
    return f'<dl class="facts statuses">{pairs}</dl>'
