"""What a notebook shows of a dictionary: two columns, numbers rounded for people. The values stay as they are."""

from collections.abc import Mapping
from html import escape
from numbers import Integral, Real
from typing import Any


class Listing(dict):
    """A dictionary that a notebook shows as a table: numbers to four digits, a class by its first line."""

    def _repr_html_(self) -> str:
        return table(self)


def table(listed: Mapping[Any, Any]) -> str:
    """The table."""
    rows = (
        f"<tr><th style='text-align: left'><code>{escape(str(key))}</code></th>"
        f"<td style='text-align: left'>{escape(said(value))}</td></tr>"
        for key, value in listed.items()
    )
    return f"<table>{''.join(rows)}</table>"


def said(value: Any) -> str:
    """A value in a line."""
    if isinstance(value, Integral):
        return f"{int(value):,}"
    if isinstance(value, Real):
        return f"{float(value):,.4g}"
    about = getattr(value, "description", "") or (value.__doc__ if isinstance(value, type) else "")
    return str(about or value).strip().splitlines()[0]
