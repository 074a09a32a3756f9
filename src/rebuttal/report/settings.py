"""The exact settings of every run, as the result files tell them: hardware, versions, hyper-parameters."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from rebuttal.charts import frames
from rebuttal.charts.theme import words
from rebuttal.report import html
from rebuttal.report.data import notes, read_json
from rebuttal.stats.quantities import Results


def html_of(data: Results, definitions: Mapping[str, str]) -> str:
    """Machine, parameters, versions, methods, and the learning rate that each was given."""
    device = read_json(data.folder.parent / "profile.json").get("device", {})
    return "\n".join(
        [
            html.element("h3", "Hardware and software", id="hardware"),
            html.facts(_hardware(data, device)),
            html.element("h3", "Parameters of the study", id="parameters"),
            html.facts(flat(_json(data, "parameters"))),
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


def _json(data: Results, name: str) -> dict[str, Any]:
    """A JSON attribute of the curves; empty if they have none."""
    return json.loads(data.curves.attrs.get(name, "{}"))


def _hardware(data: Results, device: Any) -> dict[str, str]:
    """The device whose costs the clock rests on, the clock, the versions, the commits of the runs."""
    known = notes(data.folder, "provenance.json").values()
    commits = sorted({str(one["git_commit"]) for one in known if "git_commit" in one})
    pairs = flat(device, "device profiled") | {"clock": escape(f"{data.curves.attrs['clock']} (seconds in every figure)")}
    return pairs | flat(_json(data, "versions"), "version of") | {"git commit": escape(", ".join(commits))}


def _methods(data: Results, definitions: Mapping[str, str]) -> str:
    """Every variant that was run, what it is, and where its curves are."""
    cells = [
        (escape(words(str(label))), escape(definitions.get(str(label).split()[0], "")), f"<code>{escape(str(file))}</code>")
        for label, file in zip(data.curves.method.values, data.curves.file.values, strict=True)
    ]
    return html.table(("Method", "Definition", "Curves"), cells, "Every variant that was run", "cards files")


def _rates(data: Results) -> str:
    """Tuned and shared learning rate of every variant on every workload and machine; a column per place."""
    rates = data.curves.learning_rate.reset_coords(drop=True)
    series = rates.transpose("method", "workload", "machine", "rate").to_series().dropna().reset_index()
    series["place"] = [", ".join(map(words, place)) for place in zip(series["workload"], series["machine"], series["rate"], strict=True)]
    wide = series.pivot_table(index="method", columns="place", values="learning_rate", sort=False).reset_index()
    wide["method"] = [words(label) for label in wide["method"]]
    return html.frame_table(frames.small(wide), "Learning rates, tuned on validation data and shared")
