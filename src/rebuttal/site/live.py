"""The live time line of a method's page: the picture, the data that it holds, and the buttons to step through them."""

import json
import re
from html import unescape
from pathlib import Path

from rebuttal.base.errors import InputError
from rebuttal.site import html

DATA = re.compile(r'<metadata id="spans">(.*?)</metadata>\n?', re.DOTALL)
SIZE = re.compile(r'viewBox="0 0 (\S+) (\S+)"')
STEPS = (
    ("operations", -1, "Previous operation"), ("operations", 1, "Next operation"),
    ("updates", -1, "Previous update"), ("updates", 1, "Next update"),
)  # fmt: skip


def picture(path: Path) -> str:
    """The picture as the site has it: its data stand in the page."""
    return DATA.sub("", path.read_text(encoding="utf-8"))


def steps_of(path: Path) -> str:
    """Buttons, a text that says what is shown, and the data. Raises InputError for a picture without data."""
    text = path.read_text(encoding="utf-8")
    found, size = DATA.search(text), SIZE.search(text)
    if not (found and size):
        raise InputError(
            f"{path}: no data of its run; allowed: one by python -m rebuttal.figures.method_diagrams"
        )
    data = json.loads(unescape(found[1]))
    data["size"] = [float(size[1]), float(size[2])]
    data["bottom"] = max(y + height for _, y, height in data["rows"].values())
    buttons = "".join(
        html.element("button", said, type="button", data_steps=steps, data_by=str(by))
        for steps, by, said in STEPS
    )
    hint = html.element("output", "Point at an operation, or step from one to the next.", aria_live="polite")
    script = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    content = f'{buttons}{hint}<script type="application/json">{script}</script>'
    return html.element(
        "div", content, class_="live", role="group", aria_label="Step through the time line", hidden=""
    )
