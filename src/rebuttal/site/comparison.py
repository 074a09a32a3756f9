"""The comparison: every method on one workload, in one-line cells of a notebook."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rebuttal.base.errors import refuse
from rebuttal.core.figure_list import PUBLISHED
from rebuttal.evidence import result_files
from rebuttal.evidence.result_files import Runs
from rebuttal.figures.theme import words
from rebuttal.site import comparison_table, definitions, html, report_figures, settings
from rebuttal.site.data import inputs
from rebuttal.site.figure import PageFigure
from rebuttal.site.files import files, files_table
from rebuttal.site.verdict import Html

SHOWN = {
    "workload": "workloads", "machine (modelled)": "machines", "workers": "workers", "samples of a gradient": "batch",
    "epochs of a run": "epochs", "seeds": "seeds", "seeds for tuning": "tuning_seeds",
    "learning rates tried": "learning_rates",
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Comparison:
    """The runs of a study of many methods; every method gives a piece of a page."""

    data: Runs
    definitions: Mapping[str, str]

    def conditions(self) -> Html:
        """Under which conditions everything on the page holds, from the parameters that the results carry."""
        given = settings.parameters(self.data)
        facts = {name: escape(_said(given[key])) for name, key in SHOWN.items() if key in given}
        count = f"{self.data.curves.sizes['method']} variants of {len(comparison_table.methods(self.data))} methods"
        return Html(html.facts({"compared": count, **facts}), "conditions of the comparison")

    def table(self) -> Html:
        """Every variant with its results, sorted within groups, each method linked to its page."""
        return Html(comparison_table.html_of(self.data), "results of every method")

    def set_apart(self) -> Html:
        """What a table of means hides: who diverged, who missed, who computes the same, who was tuned to an edge."""
        return Html(html.facts(comparison_table.set_apart(self.data)), "what the means do not show")

    def figure(self, name: str) -> PageFigure:
        """One figure, with its data table and its sources. Raises InputError for an unknown name."""
        if name not in PUBLISHED:
            raise refuse("figure", name, PUBLISHED)
        given = {need: inputs(self.data, need) for need in report_figures.needs(name)}
        return report_figures.build(name, given, self.data.folder.name, self.definitions, level=3)

    def settings(self) -> Html:
        """Hardware, hyper-parameters, tuned learning rates and versions, read from the result files."""
        return Html(settings.html_of(self.data, self.definitions), "settings of every run")

    def provenance(self) -> Html:
        """Every result file that this page rests on, with its hash."""
        return Html(files_table(files(self.data.folder)), "result files")


def _said(value: object) -> str:
    """A parameter for a reader: names in words, lists with commas."""
    return ", ".join(words(str(one)) for one in value) if isinstance(value, list) else str(value)


def compare(study: str | Path = "comparison") -> Comparison:
    """The comparison of all methods of a study. Raises InputError naming what is missing or broken in its files."""
    return Comparison(result_files.read_runs(study), definitions.methods())
