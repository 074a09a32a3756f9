"""Select a profile: `python -m rebuttal.params.profile ci` rewrites the line `profile:` of params.yaml.

The file is the only place that says how large a run is, so that the pipeline and version control both see a change.
"""

import re
import sys
from pathlib import Path

from rebuttal import paths
from rebuttal.errors import InputError, refuse
from rebuttal.params.schema import PROFILES

LINE = re.compile(r"^profile:[ \t]*[^\s#]*", re.MULTILINE)


def select(profile: str, path: Path | None = None) -> bool:
    """Write `profile` into the file, leaving every other character; whether that changed it. Raises InputError."""
    if profile not in PROFILES:
        raise refuse("profile", profile, PROFILES)
    path = path or paths.root() / "params.yaml"
    before = path.read_text(encoding="utf-8")
    after, lines = LINE.subn(f"profile: {profile}", before)
    if lines != 1:
        raise refuse(path.name, f"{lines} lines that start with 'profile:'", "one such line")
    if after != before:
        new = path.with_suffix(".yaml.new")
        new.write_text(after, encoding="utf-8")
        new.replace(path)
    return after != before


def main(arguments: list[str]) -> int:
    """The command; 2 for a bad argument, with one line on stderr."""
    try:
        changed = select(" ".join(arguments))
    except (InputError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if changed:
        sys.stderr.write(f"params.yaml: the profile is now {arguments[0]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
