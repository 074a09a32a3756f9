"""How a notebook shows a chart: as data, which JupyterLab draws itself. Altair's own way asks another host for Vega."""

from typing import Any

import altair as alt

#: What JupyterLab 4 draws: the charts keep to what Vega-Lite 5 understands.
VEGA_MIME = "application/vnd.vegalite.v5+json"


def enable() -> None:
    """From now on, for every Altair chart of this process, unless somebody has chosen another way already."""
    alt.renderers.register("rebuttal", _shown)
    if alt.renderers.active == "default":
        alt.renderers.enable("rebuttal")


def _shown(spec: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A specification by type of content."""
    return {VEGA_MIME: spec, "text/plain": "a chart, drawn where Vega-Lite is understood"}
