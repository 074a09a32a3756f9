"""JSON in a page, compressed: gzip in base64, which the browser's own DecompressionStream unpacks."""

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any

TYPE = "application/gzip"


def packed(content: Any) -> str:
    """Content as the text of a script element. The same content gives the same text."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode("ascii")


def unpacked(text: str) -> Any:
    """What `packed` was given."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def charts(specs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Specifications of one figure with what they share told once: the configuration, and rows by their name."""
    datasets = {name: rows for spec in specs for name, rows in spec["datasets"].items()}
    own = [spec | {"datasets": list(spec["datasets"])} for spec in specs]
    config = own[0]["config"] if own else {}
    return {
        "config": config,
        "datasets": datasets,
        "charts": [{name: value for name, value in spec.items() if name != "config"} for spec in own],
    }


def script(specs: Sequence[dict[str, Any]]) -> str:
    """The script element that holds the charts of a figure."""
    return f'<script type="{TYPE}">{packed(charts(specs))}</script>'
