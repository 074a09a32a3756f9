"""`rebuttal.watch()` in a notebook: the stages of a running pipeline, how far each is, and curves as they come."""

import json
import time
from html import escape
from typing import Any

from rebuttal.base import arguments, paths

MOST_S = 3600  # between two looks
FRESH_S = 15 * 60  # of notes that are older nothing is shown
HEAD = ("Stage", "Runs", "Seconds", "About left")


def watch(every_s: float = 2.0, for_s: float | None = None) -> None:
    """Show what a running `dvc repro` does, again every `every_s` seconds, until it is interrupted or `for_s` are over.

    The profile is the selected one. Interrupt the cell to stop looking: the pipeline goes on.
    """
    every_s = arguments.number("every_s", every_s, 0, MOST_S)
    for_s = None if for_s is None else arguments.number("for_s", for_s, 0)
    # Imported here because only notebooks need it.
    from IPython.display import HTML, display  # noqa: PLC0415

    began = time.monotonic()
    table: Any = display(HTML(""), display_id=True)
    chart: Any = display(HTML(""), display_id=True)
    try:
        while True:
            found = notes()
            table.update(HTML(stages_html(found)))
            drawn = curves_chart(found)
            if drawn is not None:
                chart.update(drawn)
            if for_s is not None and time.monotonic() - began + every_s > for_s:
                return
            time.sleep(every_s)
    except KeyboardInterrupt:
        return


def notes() -> list[dict[str, Any]]:
    """What stages have noted of themselves in the last minutes, the latest first."""
    folder = paths.root() / ".cache" / "progress" / paths.profile()
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return sorted((one for one in found if time.time() - one["at"] < FRESH_S), key=lambda one: -one["at"])


def stages_html(found: list[dict[str, Any]]) -> str:
    """A table of lists of runs: how many are done, the seconds taken, and those left."""
    rows = [one for one in found if "of" in one]
    if not rows:
        return f"<p>Nothing runs in the profile {escape(paths.profile())}: start <code>dvc repro</code>.</p>"
    cells = "".join(
        f"<tr><td>{escape(one['title'])}</td><td><progress value='{one['done']}' max='{one['of']}'></progress> "
        f"{one['done']} of {one['of']}</td><td>{one['seconds']:.0f}</td><td>{_left(one)}</td></tr>"
        for one in rows
    )
    head = "".join(f"<th>{name}</th>" for name in HEAD)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>"


def _left(one: dict[str, Any]) -> str:
    return "done" if one["done"] == one["of"] else f"{one['left_s']:.0f} s"


def curves_chart(found: list[dict[str, Any]]) -> Any:
    """Training losses of the runs that were finished last; None before there are any."""
    curves = [curve for one in found for curve in one.get("curves", [])]
    if not curves:
        return None
    # Imported here because the table alone needs no charts.
    import altair as alt  # noqa: PLC0415

    rows = [
        {"run": f"{number + 1}: {curve['label']}", "update": version, "loss": loss}
        for number, curve in enumerate(curves)
        for version, loss in zip(curve["version"], curve["loss"], strict=True)
    ]
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_line()
        .encode(
            x=alt.X("update:Q"),
            y=alt.Y("loss:Q", title="training loss (nat)", scale=alt.Scale(type="log")),
            color=alt.Color("run:N", legend=alt.Legend(title="runs finished last", symbolLimit=0)),
        )
        .properties(width=420, height=240)
    )
