"""Small batches and high latency: a heat map of what layer-wise communication gains or loses."""

from collections.abc import Iterator

import altair as alt
import pandas as pd
import xarray as xr

from rebuttal.evidence.naming import number
from rebuttal.figures import chart_rows
from rebuttal.figures.figure_record import Figure
from rebuttal.figures.marks import EVEN, GAIN, LOSS, heat
from rebuttal.figures.panel import Panel, area_key, panel
from rebuttal.figures.sentences import in_words
from rebuttal.figures.theme import words

FORMS = ("layer_wise_overlapped", "bucketed")
KEY = area_key({
    "slower": ("slower", "than one communication after the backward pass; the number is the speed-up", LOSS),
    "equal": ("equal", "no difference", EVEN),
    "faster": ("faster", "than one communication after the backward pass", GAIN),
})  # fmt: skip


def panels(data: xr.Dataset, definitions: object = None) -> Iterator[Panel]:
    """Speed-up by batch and latency for the first model, a panel per form and machine."""
    frame = chart_rows.some(rows(data), "batch_latency_map")
    model = words(str(data.model.values[0]))
    about = f"{model}; {data.attrs['nodes']} nodes; {chart_rows.clock(data)}"
    for form, machine, part in chart_rows.groups(frame, "form", "machine"):
        scale = alt.Scale(type="linear", domain=[0.4, 1.0, 1.6], range=[LOSS, EVEN, GAIN], clamp=True)
        cells = heat(
            part.drop(columns=["form", "machine"]),
            alt.X("latency_us:O", title="latency of every link (µs)", axis=alt.Axis(labelAngle=0)),
            alt.Y("batch:O", title="samples on each node", sort="descending"),
            ("speedup", scale), ".2f", ("latency_us", "batch", "speedup", "fastest"),
        )  # fmt: skip
        say = f"Speed-up of {words(form)} of {model} on {words(machine)} by batch and latency."
        yield panel(cells, f"{words(form)}, {words(machine)}", about, say, KEY)


def rows(data: xr.Dataset) -> pd.DataFrame:
    """Rows: form, machine, batch, latency_us, speedup, fastest (the fastest form of all), for the first model."""
    some = data.isel(model=0).sel(form=list(FORMS))[["speedup", "fastest"]].reset_coords(drop=True)
    frame = some.to_dataframe(["form", "machine", "batch", "latency_s"]).reset_index()
    frame["latency_us"] = (1e6 * frame["latency_s"]).round(6)
    frame["fastest"] = [words(str(name)) for name in frame["fastest"]]
    return pd.DataFrame(frame[["form", "machine", "batch", "latency_us", "speedup", "fastest"]])


def table(data: xr.Dataset) -> pd.DataFrame:
    """How many places of the map each form is the fastest in, and how it fares, by model."""
    counts = [
        {"model": str(model), "form": str(form), "fastest_in": int((part.fastest == form).sum()),
         "faster_than_one_communication_in": int((part.speedup.sel(form=form) > 1).sum()),
         "of": int(part.fastest.size), "smallest_speedup": float(part.speedup.sel(form=form).min()),
         "largest_speedup": float(part.speedup.sel(form=form).max())}
        for model, part in ((model, data.sel(model=model)) for model in data.model.values)
        for form in data.form.values
    ]  # fmt: skip
    return chart_rows.short(pd.DataFrame(counts))


def finding(data: xr.Dataset) -> str:
    """How often each of the drawn forms is worth it on the map of the first model."""
    first = data.isel(model=0)
    parts = []
    for form in ("layer_wise_overlapped", "bucketed"):
        speedup = first.speedup.sel(form=form)
        low, high = (number(float(end)) for end in (speedup.min(), speedup.max()))
        parts.append(
            f"{words(form)} in {int((speedup > 1).sum())} of {speedup.size} places ({low} to {high} times)"
        )
    start = (
        f"For {in_words(first.model)} on {data.attrs['nodes']} nodes, these are faster than one communication"
    )
    return f"{start}: {', '.join(parts)}."


FIGURE = Figure(
    title="Small batches and slow links",
    reads={"batch_latency": ("speedup", "fastest")},
    how_to_read=(
        "Every cell is a batch and a latency, its number the speed-up over one communication. Upwards there is "
        "more computation to hide messages behind, rightwards every message costs more. Buckets put "
        "neighbouring layers in one message, which is what the latency asks for."
    ),
    draw=panels,
    table=table,
    finding=finding,
    suits="fastest",
    across=3,
)
