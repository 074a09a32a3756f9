"""How a notebook shows a chart: as data, which JupyterLab draws itself. Altair's own way asks another host for Vega."""

from typing import Any

import altair as alt

# The charts keep to what both versions understand.
VEGA_MIMES = ("application/vnd.vegalite.v5+json", "application/vnd.vegalite.v6+json")


def enable() -> None:
    """From now on, for every Altair chart of this process, unless somebody has chosen another way already."""
    alt.renderers.register("rebuttal", _shown)
    if alt.renderers.active == "default":
        alt.renderers.enable("rebuttal")


def _shown(spec: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A specification by type of content."""
    return {**dict.fromkeys(VEGA_MIMES, spec), "text/plain": "a chart, drawn where Vega-Lite is understood"}
