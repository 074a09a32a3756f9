"""The what-if with sliders: whatever is turned, the time line and the speed-ups are drawn again.

Where no widget is live (a page, an executed copy), what was drawn first stays.
"""

from dataclasses import replace
from typing import Any

from rebuttal.base.errors import InputError
from rebuttal.figures.what_if.prediction import what_if, what_if_of
from rebuttal.figures.what_if.setting import Setting
from rebuttal.figures.what_if.what_if_chart import with_picture
from rebuttal.machines.processors import PROCESSORS
from rebuttal.machines.stragglers import STRAGGLERS
from rebuttal.methods import METHODS, Method

LABELS = {
    "method": "method",
    "workers": "workers",
    "bandwidth_gbit_s": "Gb/s of a link",
    "latency_us": "µs of latency",
    "stragglers": "stragglers",
    "batch": "samples in a batch",
    "depth": "blocks (depth)",
    "device": "device",
}
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Explorer:
    """Sliders above a chart. `controls` are the widgets by what they turn; `setting` is what they say."""

    def __init__(self, start: Setting) -> None:
        self._start = start
        self.controls = controls(start)
        self._shown: Any = None
        for control in self.controls.values():
            control.observe(self._redraw, names="value")

    @property
    def setting(self) -> Setting:
        """What the controls say. Raises InputError for what the method cannot run with."""
        turned = {name: control.value for name, control in self.controls.items()}
        same = turned["method"] == self._start.method
        return replace(self._start, **turned, options=self._start.options if same else ())

    def drawn(self) -> dict[str, Any]:
        """What the setting gives, by type of content; or the one line that says why it gives nothing."""
        try:
            return what_if_of(self.setting).shown()
        except InputError as error:
            return {"text/plain": str(error)}

    def _redraw(self, change: object) -> None:
        if self._shown is not None:
            self._shown.update(self.drawn(), raw=True)

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - in a notebook it is there
        from ipywidgets import GridBox, Layout  # noqa: PLC0415 - only sliders need it

        display(GridBox(list(self.controls.values()), layout=Layout(grid_template_columns="310px 310px")))
        self._shown = display(with_picture(self.drawn()), raw=True, display_id=True)


def explore(method: str | Method = Setting.method, **turned: Any) -> Explorer:
    """`what_if` with sliders, which begin where the arguments say. Shown by being the last line of a cell."""
    return Explorer(what_if(method, **turned).setting)


def controls(start: Setting) -> dict[str, Any]:
    """A widget for each number of a setting; they speak when they are let go."""
    import ipywidgets as widgets  # noqa: PLC0415 - only sliders need it

    own = [] if start.method in list(METHODS) else [(start.name, start.method)]
    choices = {
        "method": own + [(name.replace("_", " "), name) for name in METHODS],
        "stragglers": [(name.replace("_", " "), name) for name in STRAGGLERS],
        "device": list(PROCESSORS),
    }
    made: dict[str, Any] = {name: widgets.Dropdown(options=some) for name, some in choices.items()}
    made |= {
        "workers": widgets.IntSlider(min=1, max=max(16, start.workers)),
        "depth": widgets.IntSlider(min=1, max=max(16, start.depth)),
        "batch": widgets.SelectionSlider(options=sorted({*BATCH_SIZES, start.batch})),
        "bandwidth_gbit_s": widgets.FloatLogSlider(min=-1, max=3, step=0.1, readout_format=".3g"),
        "latency_us": widgets.FloatLogSlider(min=-1, max=5, step=0.1, readout_format=".3g"),
    }
    for name, control in made.items():
        control.description = LABELS[name]
        control.style.description_width, control.layout.width = "120px", "300px"
        control.continuous_update = False
        control.value = getattr(start, name)
    return {name: made[name] for name in LABELS}
