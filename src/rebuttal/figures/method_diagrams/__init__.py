"""The timeline picture on each method's page, drawn from a run of that method on a small machine.

`python -m rebuttal.figures.method_diagrams` writes docs/methods/*.svg again; a test holds the files to what is drawn
here. The four workers are persistently unequal, so that waiting, staleness and dropped gradients are all seen within a
few steps.
"""

from dataclasses import replace
from pathlib import Path

from rebuttal.core.timeline import Timeline
from rebuttal.figures.method_diagrams.diagram import draw
from rebuttal.figures.method_diagrams.frame import Frame
from rebuttal.figures.method_diagrams.unequal import Unequal
from rebuttal.machines.costs import Costs
from rebuttal.machines.hardware import Link, Machine, Stated
from rebuttal.machines.stragglers import NoStragglers
from rebuttal.methods import METHODS
from rebuttal.methods.bases import Diagram
from rebuttal.methods.pipeline_stages import Pipeline
from rebuttal.simulation.simulate import simulate

__all__ = ["diagram_of", "picture", "picture_run", "write"]

FACTORS = (1.0, 1.2, 1.5, 2.6)
UPDATES = 60  # so many that every run goes on beyond the picture's right edge
CHOSEN = "assumed: chosen so that it can be seen"
LINK = Link(latency_s=0.05, bandwidth_bytes_per_s=1000.0, source=CHOSEN)
SERVER_LINK = Link(latency_s=0.05, bandwidth_bytes_per_s=4000.0, source=CHOSEN)
COST = Stated(gradient_s=1.0, update_s=0.12, weight_bytes=100, source=CHOSEN)
SMALL = Machine(
    name="four unequal workers",
    description="four workers that are unequal in the same way at every step",
    worker_link=LINK,
    shard_link=SERVER_LINK,
    server_shards=1,
    stragglers=Unequal(FACTORS),
    stragglers_source=CHOSEN,
    compute=COST,
)
STAGE = Stated(gradient_s=6.0, update_s=0.48, weight_bytes=100, source=CHOSEN)
EQUAL = replace(
    SMALL,
    name="four equal stages",
    description="four equal nodes, each with a quarter of the model",
    stragglers=NoStragglers(),
    compute=STAGE,
)
LAYERS = 4  # equal ones; a backward pass takes twice a forward pass. A stated machine has its own seconds
COSTS = Costs(
    "none", 100, 100, 1, 1, ("layer",) * LAYERS, {1: (1.0,) * LAYERS}, {1: (2.0,) * LAYERS}, 0.0,
    layer_parameters=(25,) * LAYERS, layer_outputs=(1,) * LAYERS,
)  # fmt: skip


def diagram_of(name: str) -> Diagram:
    """What the picture of this method shows; one that does not say is drawn with its default options."""
    return vars(METHODS[name]).get("diagram") or Diagram(name.replace("_", " ").capitalize())


def picture_run(name: str) -> Timeline:
    """The run that the picture of this method shows."""
    return simulate(
        name,
        machine=EQUAL if _is_pipeline(name) else SMALL,
        workload="none",
        workers=len(FACTORS),
        updates=UPDATES,
        options=dict(diagram_of(name).options),
        batch=1,
        costs=COSTS,
    )


def picture(name: str) -> str:
    """The SVG of one method."""
    timeline, diagram, stages = picture_run(name), diagram_of(name), _is_pipeline(name)
    frame = Frame(timeline, diagram.seconds * (2 if stages else 1), diagram.scaled)
    return draw(frame, diagram.title, _about(timeline.about["nodes"] == 1, stages))


def _is_pipeline(name: str) -> bool:
    return issubclass(METHODS[name], Pipeline)


def write(folder: Path) -> list[Path]:
    """Write every picture into `folder`; the paths."""
    paths = [folder / f"{name}.svg" for name in METHODS]
    for path in paths:
        path.write_text(picture(path.stem), encoding="utf-8")
    return paths


def _about(one_node: bool, stages: bool) -> str:
    """What the machine is, in a line."""
    if stages:
        forward_s = STAGE.gradient_s / LAYERS / 3
        return f"Each stage takes {forward_s:g} s for a forward pass and {2 * forward_s:g} s for a backward pass."
    if one_node:
        return f"A gradient over one batch takes {COST.gradient_s:g} s, an update {COST.update_s:g} s."
    each = ", ".join(f"{factor * COST.gradient_s:g}" for factor in FACTORS)
    return f"A gradient takes the four workers {each} s, always; an update takes {COST.update_s:g} s."
