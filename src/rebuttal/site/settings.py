"""The exact settings of every run, as the result files tell them: hardware, versions, hyper-parameters."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from rebuttal.evidence.result_files import Runs
from rebuttal.figures import chart_rows
from rebuttal.figures.panel import definition
from rebuttal.figures.theme import family, words
from rebuttal.site import html, method_links, tables
from rebuttal.site.files import notes

#: What a reader calls them -> what they are called in provenance.json.
DEVICES = {"device of the layer costs": "device", "host of the values": "host"}


def html_of(data: Runs, definitions: Mapping[str, str]) -> str:
    """Machine, parameters, versions, methods, and the learning rate that each was given."""
    return "\n".join(
        [
            html.element("h3", "Hardware and software", id="hardware"),
            html.facts(_hardware(data)),
            html.element("h3", "Parameters of the study", id="parameters"),
            html.facts(flat(parameters(data))),
            html.element("h3", "Methods", id="methods"),
            _methods(data, definitions),
            html.element("h3", "Learning rates", id="rates"),
            _rates(data),
        ]
    )


def flat(content: Any, prefix: str = "") -> dict[str, str]:
    """Nested settings as 'name: value' pairs, escaped: {'a': {'b': 1}} -> {'a, b': '1'}."""
    if isinstance(content, Mapping):
        found: dict[str, str] = {}
        for key, value in content.items():
            found |= flat(value, f"{prefix}, {key}" if prefix else str(key))
        return {name.replace("_", " "): value for name, value in found.items()}
    text = ", ".join(map(str, content)) if isinstance(content, list) else str(content)
    return {prefix or "value": escape(text)}


def parameters(data: Runs) -> dict[str, Any]:
    """The parameters of the study, as its curves carry them."""
    return _json(data, "parameters")


def versions(known: Mapping[str, Any]) -> dict[str, str]:
    """'version of torch': '2.1.0', escaped."""
    return {f"version of {name}": escape(str(version)) for name, version in known.items()}


def _json(data: Runs, name: str) -> dict[str, Any]:
    """A JSON attribute of the curves; empty if they have none."""
    return json.loads(data.curves.attrs.get(name, "{}"))


def _hardware(data: Runs) -> dict[str, str]:
    """The device whose costs the clock rests on, the host of the values, the clock, the versions, the commits."""
    known = list(notes(data.folder, "provenance.json").values())
    commits = sorted({str(one["git_commit"]) for one in known if "git_commit" in one})
    pairs: dict[str, str] = {}
    for what, key in DEVICES.items():
        for device in distinct(known, key):
            pairs |= flat(device, what)
    pairs["clock"] = escape(f"{data.curves.attrs['clock']} (seconds in every figure)")
    return pairs | versions(_json(data, "versions")) | {"git commit": escape(", ".join(commits))}


def distinct(noted: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """What provenance says under a key, each answer once."""
    found = {json.dumps(one[key], sort_keys=True): one[key] for one in noted if key in one}
    return list(found.values())


def _methods(data: Runs, definitions: Mapping[str, str]) -> str:
    """Every method that was run, what it is, its variants, and where its curves are."""
    labels = [str(label) for label in data.curves.method.values]
    files = dict(zip(map(family, labels), map(str, data.curves.file.values), strict=True))
    cells = [
        (
            method_links.link(name),
            escape(definition(name, definitions)),
            escape("; ".join(_options(labels, name))),
            f"<code>{escape(file)}</code>",
        )
        for name, file in files.items()
    ]
    head, marks = ("Method", "Definition", "Variants", "Curves"), [{"data_family": name} for name in files]
    return html.table(head, cells, "Every method that was run", "cards files", marks)


def _options(labels: Sequence[str], name: str) -> list[str]:
    """The options of a method's variants, in words."""
    return [words(label).partition(", ")[2] for label in labels if family(label) == name and label != name]


def _rates(data: Runs) -> str:
    """The tuned learning rate of every variant on every workload and machine, a column each, and the shared one."""
    rates = data.curves.learning_rate.reset_coords(drop=True)
    series = rates.transpose("method", "workload", "machine", "rate").to_series().dropna().reset_index()
    places = zip(series["workload"], series["machine"], series["rate"], strict=True)
    series["place"] = [f"{words(w)}, {words(m)}" if rate == "tuned" else rate for w, m, rate in places]
    wide = series.pivot_table(
        index="method", columns="place", values="learning_rate", sort=False
    ).reset_index()
    wide = wide[
        sorted(wide.columns, key=lambda name: name in rates.rate.values)
    ]  # each place, then the shared one
    return tables.frame_table(
        chart_rows.small(wide), "Learning rates: tuned on validation data for each place, and the shared one"
    )
