"""DVC under a profile of choice: `python -m rebuttal.cli.dvc_command repro`, with the profile in the environment.

The stages of dvc.yaml have the profile in their names, from the line `profile:` of params.yaml. To run another one, DVC
would have that line edited: a tracked file, for a choice of the moment. So the value that DVC read is replaced.
"""

import os
import sys
from typing import Any

from dvc.cli import main
from dvc.parsing.context import Context

from rebuttal.base import paths


def choose(profile: str) -> None:
    """From now on, in this process, `${profile}` in dvc.yaml is this one."""
    load = Context.load_from_vars

    def chosen(self: Context, *given: Any, **options: Any) -> None:
        load(self, *given, **options)
        if "profile" in self:
            self["profile"] = profile

    Context.load_from_vars = chosen


if __name__ == "__main__":
    if wanted := os.environ.get(paths.PROFILE):
        choose(wanted)
    sys.exit(main(sys.argv[1:]))
