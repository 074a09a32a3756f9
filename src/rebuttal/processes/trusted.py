"""Workloads of a user's own in recorded runs: told apart by content, and read only from where the verifier says.

Whoever made a recorded run chose the name of its workload. A name that stands for a file is code or data of theirs, so
the file that the name leads to is never opened: the verifier says which file it is, and the run says its content.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rebuttal.base import own_code
from rebuttal.base.errors import refuse
from rebuttal.core import division
from rebuttal.workloads import NAMES, user_data


def fingerprints(workload: str) -> dict[str, str]:
    """Name -> SHA-256 of the images or the text of a user's own; empty for every other workload."""
    workload = division.base(workload)
    if ":" not in workload or own_code.is_named(workload):
        return {}
    return {workload: user_data.fingerprint(workload)}


def file_of(key: str, name: str, recorded: Mapping[str, str], trust: Sequence[Path]) -> Path:
    """The one of the trusted files that a run means by a name. recorded: name -> SHA-256, as the run says.

    Raises:
        InputError: none has the content that the run recorded; `key` is what the name is given for.
    """
    if not trust:
        allowed = f"trust=[FILE] (--trust FILE), once you have read that file: the {key} is none of ours"
        raise refuse("trust", f"no file for {name}", allowed)
    here = {user_data.content_digest(path): path for path in trust if path.exists()}
    wanted = recorded.get(name)
    if wanted not in here:
        given = (
            ", ".join(f"{path} with the sha256 {found}" for found, path in here.items())
            or "no file that is there"
        )
        raise refuse(
            "trust", given, f"the file of the run, whose sha256 is {wanted or 'not in the timeline'}"
        )
    return here[wanted].resolve()


def workload_name(name: str, recorded: Mapping[str, str], trust: Sequence[Path]) -> str:
    """The name under which the workload of a recorded run may be loaded.

    Raises:
        InputError: no workload of ours, and as `file_of`.
    """
    base, law = division.parsed(name)
    if base in NAMES:
        return name
    if ":" not in base:
        raise refuse("timeline: workload", base, NAMES)
    kind, _, rest = base.partition(":")
    model = f"{rest.partition(':')[0]}:" if kind == "images" else ""
    return f"{kind}:{model}{file_of('workload', base, recorded, trust)}{law or ''}"


def code_name(key: str, name: str, recorded: Mapping[str, str], trust: Sequence[Path]) -> str:
    """A name of ours as it is; one of a file of code as that of the trusted file. Raises InputError as `file_of`."""
    return f"{own_code.PREFIX}{file_of(key, name, recorded, trust)}" if own_code.is_named(name) else name
