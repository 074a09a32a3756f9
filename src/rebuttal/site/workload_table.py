"""The table of training workloads in docs/workloads.md, and what the package knows of them without torch.

`python -m rebuttal.site.workload_table [DATA_ROOT]` loads every workload and writes both again; DATA_ROOT is where
MNIST and CIFAR-10 are (default: that of params.yaml). A test holds the files to it, with made-up data of the same form.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rebuttal import workloads
from rebuttal.base import paths
from rebuttal.base.errors import InputError
from rebuttal.evidence import markdown_table
from rebuttal.studies import params
from rebuttal.workloads import shape_table
from rebuttal.workloads.stage_shape import Shape

if TYPE_CHECKING:
    from rebuttal.workloads.workload import Workload

MARKS = ("<!-- begin: python -m rebuttal.site.workload_table -->\n", "<!-- end -->\n")
#: Those whose training is studied for itself; the others are problems with a known solution.
TRAINING = tuple(
    name
    for name in workloads.NAMES
    if name.partition("_")[0] in ("digits", "mnist", "pydoc", "cifar10", "mnist1d")
)
HEADINGS = (
    "name", "one sample", "its target", "layers", "parameters", "metric", "targets", "augmented",
    "cannot be trained by",
)  # fmt: skip


def row(workload: "Workload") -> list[str]:
    """The cells of one workload, in the order of HEADINGS."""
    x, y = workload.splits["training"]
    found, target = workload.shape, workload.target
    symbols = y[0].numel()
    kind = (
        f"{found.classes} classes"
        if found.classes
        else f"{symbols} of {found.outputs[-1] // symbols} symbols"
    )
    low, high = (f"{value:g}" for value in target.sweep)
    return [
        f"`{workload.name}`",
        " x ".join(map(str, x.shape[1:])),
        kind,
        str(found.layers),
        f"{workload.parameters:,}",
        f"{target.metric}{' (lower is better)' if target.lower_is_better else ''}",
        f"{low} to {high}",
        "flipped, cropped" if workload.augment else "no",
        "; ".join(cannot(found)) or "–",
    ]


def cannot(found: Shape) -> list[str]:
    """The methods that refuse a workload of this shape, and on how many stages."""
    refused = [] if _works(found.check_classes) else ["`greedy`"]
    narrow = [n for n in range(2, found.layers + 1) if _synthesizers_fit(found, n)]
    if len(narrow) == found.layers - 1:
        return [*refused, "`synthetic_gradients` with classes"] if refused else []
    but = f" but on {', '.join(map(str, narrow))} stages" if narrow else ""
    return [*refused, f"`synthetic_gradients`{but}"]


def written(page: str, some: Sequence["Workload"]) -> str:
    """The page with the table of now between its marks."""
    table = markdown_table.table(HEADINGS, map(row, some), numbers=("layers", "parameters"))
    return markdown_table.between(page, *MARKS, table)


def _synthesizers_fit(found: Shape, n: int) -> bool:
    return all(_works(found.check_synthesizer, l, n) for l in range(n - 1))


def _works(check: Callable[..., None], *arguments: int) -> bool:
    try:
        check(*arguments)
    except InputError:
        return False
    return True


def main(arguments: Sequence[str]) -> None:
    """Write both files."""
    data_root = Path(arguments[0]) if arguments else params.load().data_root
    loaded = {name: workloads.load(name, data_root) for name in workloads.NAMES}
    shape_table.FILE.write_text(
        shape_table.content({name: one.shape for name, one in loaded.items()}), encoding="utf-8"
    )
    page = paths.root() / "docs" / "workloads.md"
    text = written(page.read_text(encoding="utf-8"), [loaded[name] for name in TRAINING])
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
