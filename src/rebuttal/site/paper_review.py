"""A review: a paper's claims and its reviewers' concerns, each with its evidence, in one-line cells of a notebook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rebuttal.base.errors import refuse
from rebuttal.core.analysis_schemas import ANALYSES
from rebuttal.core.figure_list import PUBLISHED
from rebuttal.core.schemas import STRAGGLERS
from rebuttal.evidence import papers, result_files
from rebuttal.evidence.ledger import evidence_of, ledger
from rebuttal.evidence.papers import Paper
from rebuttal.evidence.result_files import Results
from rebuttal.figures import theme
from rebuttal.figures.sentences import Compared
from rebuttal.figures.theme import family
from rebuttal.site import (
    checklist,
    conclusions,
    definitions,
    html,
    other_profiles,
    question,
    report_figures,
    settings,
    strip,
    templates,
    words,
)
from rebuttal.site.data import inputs
from rebuttal.site.figure import PageFigure
from rebuttal.site.files import behind, files_table
from rebuttal.site.other_profiles import Other
from rebuttal.site.verdict import Html, Row


@dataclass(frozen=True, repr=False)
class Review:
    """A paper, the results of its study and the verdicts computed from them; every method gives a piece of a page."""

    paper: Paper
    data: Results
    rows: tuple[Row, ...]
    definitions: Mapping[str, str]
    beside: tuple[Other, ...] = ()

    @property
    def rests(self) -> str:
        """Profile, device and days of the runs; empty for a paper without a study."""
        return other_profiles.rests_on(self.data.folder, profile_of(self.data)) if self.paper.study else ""

    def summary(self) -> Html:
        """Counts of words, the conclusion, its limits, and the table of answers."""
        rows = list(self.rows)
        cite = f"{', '.join(self.paper.authors)}: {self.paper.title} ({self.paper.year}), {self.paper.venue}."
        rests = other_profiles.said([self.rests] if self.rests else [], self.beside)
        text = templates.render(
            "summary.html.j2", cite=cite, bar=question.bar(rows), counts=conclusions.counts(rows),
            strongest=[{"row": row, "glyph": strip.glyph(row)} for row in conclusions.of_paper(rows)],
            limits=conclusions.limits(rows), table=question.table(rows, "Every question and its answer"), rests=rests,
            words=words.WORDS, badge=html.badge, changed=self.paper.changed,
        )  # fmt: skip
        return Html(text, f"{len(rows)} questions about {self.paper.title}", self.rows)

    def concern(self, name: str) -> Html:
        """One concern as an object: what it asks, its words, its answer, its places; the claims that it carries."""
        return self._question(name, "concern", self._ids(self.paper.concerns))

    def concerns(self) -> Html:
        """Every concern, one after the other."""
        found = [self.concern(name) for name in self._ids(self.paper.concerns)]
        return _together(found, f"{len(found)} concerns")

    def claims(self) -> Html:
        """The paper's claims that no concern carries, each as an object."""
        rows = [row for row in self.rows if row["id"] in self._alone()]
        found = [self._object(row, "claim") for row in rows]
        where = (
            ""
            if found
            else html.element("p", "Every claim stands in the chapter of the question that carries it.")
        )
        return _together(found, f"{len(rows)} claims", where)

    def figure(self, name: str, methods: Sequence[str] = ()) -> PageFigure:
        """One figure, with its data table and its sources. methods: whose time lines a figure of them shows.

        Raises InputError for an unknown name.
        """
        if name not in PUBLISHED:
            raise refuse("figure", name, PUBLISHED)
        given = {need: inputs(self.data, need, methods) for need in report_figures.needs(name)}
        return report_figures.build(
            name,
            given,
            self.data.folder.name,
            self.definitions,
            baseline=self._baseline(name),
            own=self._own(),
            compared=self._compared(name),
        )

    def figures(self) -> list[PageFigure]:
        """Every figure that the evidence points to, once."""
        names = [one["figure"] for row in self.rows for one in evidence_of(row) if one["figure"]]
        return [self.figure(name) for name in dict.fromkeys(names)]

    def settings(self) -> Html:
        """Hardware, hyper-parameters, tuned learning rates and versions, read from the result files."""
        return Html(settings.html_of(self.data, self.definitions), "settings of every run")

    def checklist(self) -> Html:
        """The headings of a reproducibility report, with numbers counted from the results."""
        return Html(checklist.html_of(self.paper, self.data, self.rows), "reproducibility checklist")

    def provenance(self) -> Html:
        """Every result file that this page rests on, with its hash."""
        return Html(files_table(behind(self.data.folder, analyses_of(self.rows))), "result files")

    def _compared(self, name: str) -> Compared | None:
        """What the first rule beside a figure compares; None where none does."""
        rules = [one["rule"] for row in self.rows for one in evidence_of(row) if one["figure"] == name]
        for rule in rules:
            if rule.get("of") and rule.get("against"):
                of, against = (
                    [one] if isinstance(one, str) else one for one in (rule["of"], rule["against"])
                )
                return of, against
        return None

    def _baseline(self, name: str) -> str | None:
        """Against what a figure draws: of the rules beside it, what they compare with."""
        rules = [one["rule"] for row in self.rows for one in evidence_of(row) if one["figure"] == name]
        labels = list(map(str, self.data.curves.method.values)) if self.paper.study else []
        against = [label for rule in rules for label in rule.get("against") or ()]
        return report_figures.baseline_of(name, labels, against)

    def _own(self) -> set[str]:
        """The families of methods that the paper's claims compare: its own, and what they are to be better than."""
        claims = self._ids(self.paper.claims)
        rules = [part["rule"] for row in self.rows if row["id"] in claims for part in row["parts"]]
        compared = [rule for rule in rules if rule.get("kind") == "compare"]
        labels = [label for rule in compared for label in (*rule["of"], *rule["against"])]
        return {family(label) for label in labels} - {theme.BASELINE}

    def _ids(self, questions: list[Any]) -> list[str]:
        return [one.id for one in questions]

    def _question(self, name: str, kind: str, names: list[str]) -> Html:
        if name not in names:
            raise refuse(kind, name, names)
        return self._object(next(row for row in self.rows if row["id"] == name), kind)

    def _object(self, row: Row, kind: str) -> Html:
        """A row as a notebook shows it, and as a page does."""
        carried = [one for one in self.rows if self._home(one) == row["id"] != one["id"]]
        shown, page = (question.render(row, kind, page=page, claims=carried) for page in (False, True))
        about = {"kind": "question", "id": row["id"], "word": row["word"], "figures": question.deciding(row)}
        return Html(shown, f"{kind} {row['id']}: {row['word']}. {row['answer']}", page=page, about=about)

    def _home(self, row: Row) -> str:
        """The question in whose chapter a row stands: of a claim, the first concern that it names."""
        claims, concerns = self._ids(self.paper.claims), self._ids(self.paper.concerns)
        named = [name for name in row["concerns"] if name in concerns]
        return named[0] if row["id"] in claims and named else row["id"]

    def _alone(self) -> list[str]:
        """The claims that have a chapter of their own."""
        claims = self._ids(self.paper.claims)
        return [row["id"] for row in self.rows if row["id"] in claims and self._home(row) == row["id"]]


def _together(found: Sequence[Html], label: str, more: str = "") -> Html:
    """Several objects, one after the other."""
    shown, page = ("\n".join([*(getattr(one, part) for one in found), more]) for part in ("text", "page"))
    return Html(shown, label, page=page)


def analyses_of(rows: Sequence[Row]) -> list[str]:
    """The analyses that verdicts read and that their figures are drawn from."""
    evidence = [one for row in rows for one in evidence_of(row)]
    read = {one["rule"]["data"] for one in evidence if "data" in one["rule"]}
    drawn = {need for one in evidence if one["figure"] for need in report_figures.needs(one["figure"])}
    return sorted(read | (drawn & {*ANALYSES, STRAGGLERS.name}))


def review(paper: str | Path, study: str | Path | None = None) -> Review:
    """The review of a paper (its folder's name under papers/, or a file) from a study's results (default: its own).

    A paper without a study can be judged by analyses alone.

    Raises InputError naming what is missing or broken in the paper's file or in a result file.
    """
    about = papers.load(paper)
    place = study or about.study
    data = result_files.read(place) if place else result_files.without_runs()
    profile = profile_of(data)
    others = other_profiles.others(profile, [about])
    rows = other_profiles.with_others(ledger(about, data), profile, others)
    return Review(about, data, rows, definitions.methods(about.id), others)


def profile_of(data: Results) -> str:
    """The profile that the runs of a study were made with."""
    return str(data.curves.attrs.get("profile", "unknown"))
