"""Memory of the fullest node, by method and by what it is made of."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import number
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import marks, named
from rebuttal.figures.panel import Entry, Panel, axis, panel, plain_key, tips
from rebuttal.figures.sentences import in_words, largest, smallest
from rebuttal.figures.theme import SOFT, SOLID, Style, family, words

KINDS = {
    "weights": "every version that is still used",
    "optimiser": "the velocity of SGD with momentum, where the update is made",
    "gradients": "sums of several are one buffer",
    "activations": "what forward passes keep for their backward passes",
    "buffers": "messages that wait, and activations of other stages",
}
TOTAL = Entry(
    "total", "all together", "the most that the node holds at a time", Style(SOFT, SOLID, "tick"), "point"
)
MODELS = ("alexnet", "resnet50", "gpt2_small")
ROW, FRAME = 15, 60
GB = 1e9
POWERS = alt.Axis(values=[10.0**power for power in range(-4, 6)])


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """A row per method, a mark per kind and a tick for the whole; a panel per model."""
    frame = chart_rows.some(rows(data), "memory")
    labels = [str(label) for label in data.method.values]
    first = {family(label): label for label in reversed(labels)}  # of several variants, the first is drawn
    known = [str(name) for name in data.model.values]
    models = [name for name in MODELS if name in known] or known
    drawn = chart_rows.keep(frame, frame["method"].isin(list(first.values())) & frame["model"].isin(models))
    key = plain_key(KINDS, "point")
    size = f"{data.attrs['workers']} workers; {data.attrs['batch']} samples of a gradient"
    about = f"{size}; {words(data.attrs['machine'])}; {chart_rows.clock(data)}"
    names = {label: words(name) for name, label in first.items()}
    for model, part in drawn.groupby("model", sort=False):
        labels_of = alt.Axis(labelExpr=named(names), labelLimit=170, labelFontSize=10, labelOverlap=False)
        y = alt.Y("method:N", title=None, sort=None, axis=labels_of)
        x = axis(alt.X, "gb", ["peak on the fullest node (GB)", "log scale"], log=True, axis=POWERS)
        m = marks(
            part.drop(columns="model"), x, y, key, "kind", ("method", "kind", "gb", "total_gb", "versions")
        )
        point = m.point(filled=False, opacity=1, size=36, strokeWidth=1.5, aria=False)
        tick = m.rows.mark_tick(color=SOFT, thickness=2, size=11, aria=False).encode(
            alt.X("total_gb:Q"), y, tooltip=tips(*m.tip)
        )
        say = f"Memory of the fullest node for every method on {words(str(model))}, by kind, and in all."
        yield panel([tick, point], words(str(model)), about, say, (*key, TOTAL),
                           height=FRAME + ROW * len(first))  # fmt: skip


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: model, method, kind, gb, total_gb, versions; kinds that are not there are left out."""
    frame = data.reset_coords(drop=True).to_dataframe(["model", "method", "kind"]).reset_index()
    frame["gb"], frame["total_gb"] = frame["peak_bytes"] / GB, frame["total_peak_bytes"] / GB
    frame = frame.rename(columns={"live_versions": "versions"})
    order = ["model", "method", "kind", "gb", "total_gb", "versions"]
    return chart_rows.keep(pd.DataFrame(frame[order]), frame["gb"] > 0)


def table(data: xr.Dataset) -> pd.DataFrame:
    """Every variant with the first model: gigabytes by kind and in all, and versions of the weights."""
    frame = rows(data.isel(model=[0]))
    index = ["method", "total_gb", "versions"]
    wide = frame.pivot_table(
        index=index, columns="kind", values="gb", sort=False, fill_value=0.0
    ).reset_index()
    return chart_rows.short(wide.rename_axis(columns=None))


def finding(data: xr.Dataset) -> str:
    """From the leanest to the fullest method on the first model, and how often activations are most of it."""
    first = data.isel(model=0)
    low, high = smallest(first.total_peak_bytes), largest(first.total_peak_bytes)
    ends = " to ".join(f"{number(end.item() / 1e9)} GB ({in_words(end.method)})" for end in (low, high))
    most = data.peak_bytes.idxmax("kind") == "activations"
    return (
        f"For {in_words(first.model)} the fullest node holds from {ends} at a time. Activations are the largest "
        f"part for {int(most.sum())} of {most.size} pairs of a variant and a model."
    )


FIGURE = Figure(
    title="Memory of the fullest node, by method",
    reads={"memory": ("peak_bytes", "total_peak_bytes", "live_versions")},
    how_to_read=(
        "Further left needs less; the axis is logarithmic. The tick is the most that the node holds at a time, "
        "the marks are the peaks of its parts, which need not come together. Pipelines spread the weights and "
        "keep the activations of several batches; methods that must know old weights keep versions. "
        "Synthesizers and local classifiers are linear maps of all of a stage's activations, which at this size "
        "can be more than any device has. Of a method with several variants, the first is drawn."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="total_peak_bytes",
    across=3,
)
