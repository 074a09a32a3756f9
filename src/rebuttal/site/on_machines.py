"""The page about machines: models at full size, machines and the analyses, in one-line cells of a notebook."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from rebuttal.base import paths
from rebuttal.base.errors import refuse
from rebuttal.core import results
from rebuttal.core.figure_list import ON_MACHINES
from rebuttal.figures.theme import words
from rebuttal.site import html, report_figures
from rebuttal.site.figure import PageFigure
from rebuttal.site.files import files, files_table, read_json
from rebuttal.site.settings import flat, versions
from rebuttal.site.verdict import Html

HASHED = ("*.nc", "*.json")


@dataclass(frozen=True, repr=False)
class OnMachines:
    """The results of the analyses; every method gives a piece of a page."""

    folder: Path
    models_at_size: Mapping[str, Any]
    machines_used: Mapping[str, Any]

    def models(self) -> Html:
        """Parameters and operations of every model at full size."""
        cells = [_model(name, about) for name, about in self.models_at_size.items()]
        head = ("Model", "Source", "One sample", "Parameters", "Multiply-adds, forward", "Fully connected")
        return Html(
            html.table(head, cells, "Models at full size, counted layer by layer", "cards"),
            f"{len(cells)} models",
        )

    def machines(self) -> Html:
        """What every machine is and assumes, and where each of its figures comes from."""
        cells = [
            (escape(words(name)), escape(about["description"]), escape(words(about["collective"])),
             escape(" ".join(about["assumptions"])))
            for name, about in self.machines_used.items()
        ]  # fmt: skip
        table = html.table(
            ("Machine", "What it is", "All-reduce", "Assumptions"), cells, "Machines", "cards files"
        )
        return Html(table + "\n".join(map(_sources, self.machines_used.items())), f"{len(cells)} machines")

    def figure(self, name: str) -> PageFigure:
        """One figure of the analyses, with its finding, its data table and its source. Raises InputError."""
        if name not in ON_MACHINES:
            raise refuse("figure", name, ON_MACHINES)
        given = {need: results.load_analysis(need, self.folder) for need in report_figures.needs(name)}
        return report_figures.build(name, given, self.folder.name, {})

    def settings(self) -> Html:
        """Device, parameters and versions, read from the result files."""
        attrs = results.load_analysis("throughput", self.folder).attrs
        pairs = {"device of the measured throughput": escape(str(attrs["device"]))}
        pairs |= flat(json.loads(attrs["parameters"])) | versions(json.loads(attrs["versions"]))
        return Html(html.facts(pairs), "settings of the analyses")

    def provenance(self) -> Html:
        """Every result file that the page rests on, with its hash."""
        return Html(files_table(files(self.folder, HASHED)), "result files")


def machines(folder: str | Path = "analyses") -> OnMachines:
    """The page's pieces from the results of the analyses. Raises InputError naming what is missing or broken."""
    place = paths.study(folder)
    order, about = (
        results.load_analysis("model_ratios", place).machine.values,
        read_json(place / "machines.json"),
    )
    return OnMachines(
        place, read_json(place / "models.json"), {str(name): about[str(name)] for name in order}
    )


def _model(name: str, about: Mapping[str, Any]) -> tuple[str, ...]:
    """A row of the table of models; classifiers beside the chain, which exist in training only, are not counted."""
    layers = [layer for layer in about["layers"] if not layer["auxiliary"]]
    parameters = sum(layer["parameters"] for layer in layers)
    linear = sum(layer["parameters"] for layer in layers if layer["kind"] == "linear")
    multiply_adds = sum(layer["forward_flops"] for layer in layers) / 2
    return (
        escape(words(name)),
        escape(about["source"]),
        escape(" × ".join(map(str, about["sample"]))),
        f"{parameters:,}",
        f"{multiply_adds / 1e9:.3f} billion",
        f"{100 * linear / parameters:.1f} % of the parameters",
    )


def _sources(machine: tuple[str, Mapping[str, Any]]) -> str:
    """Where the figures of a machine come from, each source once with the figures that it has."""
    name, about = machine
    given: dict[str, list[str]] = {}
    for figure, source in about["sources"].items():
        given.setdefault(source, []).append(figure)
    pairs = {", ".join(names).replace("_", " "): escape(source) for source, names in given.items()}
    summary = html.element("summary", f"Where the figures of {escape(words(name))} come from")
    return html.element("details", summary + html.facts(pairs))
