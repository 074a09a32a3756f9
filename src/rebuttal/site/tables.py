"""Data frames as tables of a page: compact, and with what a reader's selection asks of their rows and cells."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from rebuttal.figures.single_seeds import OF_SEED
from rebuttal.figures.theme import words
from rebuttal.site import html
from rebuttal.site.selection import SEPARATOR, owned_columns


def frame_table(frame: pd.DataFrame, caption: str) -> str:
    """A data frame as a compact table. Columns of single seeds, and of targets, are marks of cells and rows."""
    rows = [
        {str(name): cell for name, cell in row.items()} for row in frame.astype(object).to_dict("records")
    ]
    shown = [str(name) for name in frame.columns if not _is_mark(str(name))]
    rows_said = [row | ({"method": words(str(row["method"]))} if "method" in row else {}) for row in rows]
    cells = [
        [_cell(said[name], cell_attributes(row, name)) for name in shown]
        for row, said in zip(rows, rows_said, strict=True)
    ]
    marks = [row_attributes(row) for row in rows]
    heads = [name.replace("_", " ") for name in shown]
    return html.element("div", html.table(heads, cells, caption, marks=marks), class_="compact")


def _cell(value: object, attributes: Mapping[str, str]) -> str:
    """A number or a text, with what a script is to know about it."""
    text = escape(html.number(value))
    return html.element("span", text, **attributes) if attributes else text


def _is_mark(column: str) -> bool:
    """Whether a column of a table says something about its rows to the script, and is not shown."""
    return OF_SEED in column or column in ("standard", "multiple")


def row_attributes(row: Mapping[str, Any]) -> dict[str, str]:
    """What a script may ask a row of a table: its method, its target, and whether it stands there unasked."""
    found = {"data_method": str(row["method"])} if "method" in row else {}
    multiple = float(row.get("multiple") or "nan")
    if "standard" in row and not math.isnan(multiple):
        found["data_target"] = f"{multiple:g}"
        found |= {} if row["standard"] else {"class_": "other"}
    return found


def cell_attributes(row: Mapping[str, Any], column: str) -> dict[str, str]:
    """What a script puts into a cell for each seed: the value of that seed, a dash in the place of a bound."""
    owned = owned_columns(row)
    if column in owned:
        texts = [html.number(row[name]) for name in owned[column]]
        return {"data_single": SEPARATOR.join(texts)}
    if owned and (column in ("low", "high", "fastest", "slowest") or column.endswith((" low", " high"))):
        return {"data_single": "–"}
    return {"data_single": "1"} if owned and column == "n" else {}
