"""`engine` of params.yaml: on what the units of a study are computed. Whatever it is, results are the same."""

import re

from rebuttal.base.errors import nearest, refuse

LOCAL = "local"
ALLOWED = "local (processes of this machine), or the address of a Dask scheduler, as in tcp://host:8786"
ADDRESS = re.compile(r"(?:tcp|tls)://(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")
PORTS = range(1, 2**16)


def check(given: str) -> None:
    """Refuse what is neither `local` nor of the form of an address; whether anybody is there is not asked.

    Raises:
        InputError: one line with the form that is wanted.
    """
    found = ADDRESS.fullmatch(given)
    if given != LOCAL and not (found and int(found[1]) in PORTS):
        raise refuse("engine", given, ALLOWED + nearest(given, [LOCAL]))
