"""A prediction as a chart: the time line of its first updates, and its speed-up against the number of workers."""

import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from rebuttal.base.notebook_renderer import VEGA_MIME
from rebuttal.core.timeline import Timeline
from rebuttal.figures import time_lines
from rebuttal.figures.panel import Entry, Panel, axis, colour, dash, join_specs, method_key, panel, tips
from rebuttal.figures.theme import INK, SOFT, Style
from rebuttal.figures.what_if import sample_rates
from rebuttal.figures.what_if.setting import Setting
from rebuttal.figures.what_if.what_if_runs import run
from rebuttal.simulation.timeline_metrics import gantt, progress

SVG_MIME = "image/svg+xml"
WIDTH = 560  # pixels: beside JupyterLab's list of files, on a small screen
UPDATES, ROUNDS = 3, 2  # as many updates, and batches for each worker, as the picture shows at least
MOST_BARS = 800  # that a picture can hold, and a browser draw at once
IDEAL = Entry("ideal", "ideal", "as many times as there are workers", Style(SOFT, (2, 3), "circle"))


def bundle(setting: Setting, sentence: str) -> dict[str, Any]:
    """What a live notebook shows: the chart, and the same in words."""
    spec = join_specs([gantt_panel(setting), speedup_panel(setting, sentence)])
    for part in spec["concat"]:
        part["width"] = WIDTH
    spec |= {"columns": 1, "resolve": {"scale": {"color": "independent"}}}
    return {VEGA_MIME: spec, "text/plain": sentence}


def with_picture(shown: dict[str, Any]) -> dict[str, Any]:
    """The same with a picture of its chart, if it has one: for where nothing draws charts, such as a page."""
    if VEGA_MIME not in shown:
        return shown
    return shown | {SVG_MIME: vl_convert.vegalite_to_svg(json.dumps(shown[VEGA_MIME]))}


def gantt_panel(setting: Setting) -> Panel:
    """The first updates."""
    timeline, name = run(setting), setting.name
    table = pd.DataFrame(gantt(timeline, until_s(timeline))).assign(method=name)
    table.attrs["clock"] = timeline.about["clock"]
    return next(time_lines.panels(table, {name: "the first updates"}))


def until_s(timeline: Timeline) -> float:
    """The right edge of the picture: late enough to see what repeats itself, early enough to see each bar."""
    made = progress(timeline)
    enough = made["batches_applied"].values >= ROUNDS * timeline.about["workers"]
    version = max(int(np.argmax(enough)) if enough.any() else UPDATES, UPDATES)
    seconds = made["seconds"].values
    shown_s = float(seconds[min(version, len(seconds) - 1)])
    begins_s = np.sort(np.concatenate([timeline.computes["start_s"], timeline.messages["sent_s"]]))
    return shown_s if len(begins_s) <= MOST_BARS else min(shown_s, float(begins_s[MOST_BARS]))


def speedup_panel(setting: Setting, sentence: str) -> Panel:
    """Speed-up against workers, with the number that is set as a point, beside one all-reduce and the ideal."""
    name, curves = setting.name, sample_rates.curves(setting)
    counts = sorted({count for curve in curves.values() for count in curve})
    named = [count for count in counts if count in sample_rates.COUNTS or count == counts[-1]]
    rows = [(IDEAL.label, count, float(count)) for count in counts]
    rows += [(label, count, times) for label, curve in curves.items() for count, times in curve.items()]
    frame = pd.DataFrame(rows, columns=["method", "workers", "speedup"])
    lines = {sample_rates.BASELINE: "one all-reduce of the whole gradient for each update"} | {
        name: "as it is set"
    }
    key = (*method_key(list(curves), lines), IDEAL)
    base = alt.Chart(frame).encode(
        axis(alt.X, "workers", "workers", log=True, axis=alt.Axis(values=named)),
        axis(alt.Y, "speedup", "times one worker", log=True),
        tooltip=tips("method", "workers", alt.Tooltip("speedup:Q", format=".3g")),
    )
    here = base.transform_filter(f"datum.workers == {setting.workers} && datum.method == '{name}'")
    layers = [
        base.mark_line(point=True).encode(colour(key), dash(key)),
        here.mark_point(size=160, filled=False, color=INK),
    ]
    title = f"Predicted speed-up: {curves[name][setting.workers]:.2g} times one worker alone"
    about = f"samples that reach the weights in a second; stragglers: {setting.machine.stragglers.describe()}"
    return panel(layers, title, f"{about}; modelled clock", f"{sentence}.", key, height=200)
