"""The stages of dvc.yaml, the code that each runs, and the files of the analyses: dvc.yaml is completed from here.

    python -m rebuttal.cli.pipeline          write them
    python -m rebuttal.cli.pipeline --check  say what differs, and end with 1

A stage depends on the rooms of the package that its command can reach (`rebuttal.base.code`), so that no edit of the
source leaves an old result standing, and no list is kept by hand.
"""

import re
import sys
from pathlib import Path

from rebuttal.base import code, paths
from rebuttal.cli import generated_parts
from rebuttal.core import analysis_schemas
from rebuttal.core.schemas import STRAGGLERS

#: Stage -> the modules that its command runs. Notebooks that it executes are added by `entries`.
STAGES: dict[str, tuple[str, ...]] = {
    "study": ("rebuttal.studies.runs.study_stage",),
    "analyses": tuple(  # all of them: the stage looks through the folder
        f"rebuttal.studies.analyses.{path.stem}"
        for path in sorted((code.PACKAGE / "studies" / "analyses").glob("[a-z]*.py"))
    ),
    "worker_counts": ("rebuttal.studies.stages.worker_counts_stage",),
    "real_runs": ("rebuttal.studies.stages.recorded_stage", "rebuttal.studies.calibration.campaign"),
    "pages": ("rebuttal.site.all_pages", "rebuttal.studies.runs.pool"),
}
#: Stage -> the notebooks that it executes.
NOTEBOOKS: dict[str, tuple[str, ...]] = {
    "study": ("notebooks/train.ipynb",),
    "pages": ("notebooks/*.ipynb", "papers/*/review.ipynb"),
}
#: Notebooks for people, which no stage executes.
FOR_PEOPLE = ("recorded_run", "tour", "train", "what_if", "your_method", "your_model", "your_paper")
DEPS = re.compile(r"(?:^ +- src/rebuttal\S*\n)+", re.MULTILINE)
OUTS = re.compile(r"(?:^ +- results/\S+/analyses/\S+\n)+", re.MULTILINE)
STAGE = re.compile(r"^  (\w+):\n", re.MULTILINE)


def entries(stage: str, root: Path | None = None) -> tuple[str, ...]:
    """The modules that a stage's command and the notebooks that it executes bring in."""
    project = root or paths.root()
    found = [path for pattern in NOTEBOOKS.get(stage, ()) for path in sorted(project.glob(pattern))]
    executed = [path for path in found if stage != "pages" or path.stem not in FOR_PEOPLE]
    used = {name for path in executed for name in code.notebook_entries(path)}
    return (*STAGES[stage], *sorted(used - set(STAGES[stage])))


def dependencies(stage: str, root: Path | None = None) -> list[str]:
    """The rooms of the package that a stage depends on, as paths from the project's root."""
    return code.rooms(code.closure(*entries(stage, root)))


def analysis_files() -> list[str]:
    """What the stage of the analyses writes: the files of its schemas, and what its machines and models are."""
    own = [
        each.pattern for each in analysis_schemas.ANALYSES.values() if each.stage == analysis_schemas.STAGE
    ]
    return sorted([*own, STRAGGLERS.pattern, "machines.json", "models.json"])


def written(text: str, root: Path | None = None) -> str:
    """The text of dvc.yaml with the current dependencies of every stage on the code, and outputs of the analyses."""
    starts = [(match[1], match.start()) for match in STAGE.finditer(text) if match[1] in STAGES]
    ends = [start for _, start in starts[1:]] + [len(text)]
    found = text[: starts[0][1]] if starts else text
    outs = "".join(f"      - results/${{item.profile}}/analyses/{name}\n" for name in analysis_files())
    for (stage, start), end in zip(starts, ends, strict=True):
        lines = "".join(f"      - {room}\n" for room in dependencies(stage, root))
        section = DEPS.sub(lines, text[start:end], count=1)
        found += OUTS.sub(outs, section, count=1) if stage == analysis_schemas.STAGE else section
    return found


def main(arguments: list[str]) -> int:
    """The command."""
    return generated_parts.rewrite("dvc.yaml", written, "python -m rebuttal.cli.pipeline", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
