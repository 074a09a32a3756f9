"""Methods of a user's own: the one frozen dataclass with programs in a Python file, by the name `file:PATH.py`."""

import ast
from typing import TypeGuard

from rebuttal.base import own_code
from rebuttal.base.errors import InputError, refuse
from rebuttal.base.own_classes import OwnKind

KEY = "method"
KIND = OwnKind(KEY, ("programs", "nodes"))


def class_of(name: str) -> type:
    """The method of a file.

    Raises:
        InputError: one without its number of servers, or as `OwnKind.class_of`.
    """
    only = KIND.class_of(name)
    servers = getattr(only, "servers", None)
    if not isinstance(servers, int) or servers < 0:
        allowed = f"a number >= 0: how many nodes of {only.__name__} are servers, ClassVar[int]"
        raise refuse(f"{KEY} {own_code.short(name)}.servers", servers, allowed)
    return only


def definition(name: str) -> str:
    """The first line of what the file says of its method, read without running it; empty if there is none."""
    try:
        tree = ast.parse(own_code.path_of(name, KEY).read_bytes())
    except (InputError, OSError, SyntaxError, ValueError):
        return ""
    classes = sorted(filter(_looks_like_one, tree.body), key=_has_programs, reverse=True)
    said = [ast.get_docstring(one) for one in (*classes[:1], tree)] if classes else []
    return next(filter(None, said), "").strip().partition("\n")[0]


def _looks_like_one(part: ast.stmt) -> TypeGuard[ast.ClassDef]:
    """Whether it is a class that may be the method: with programs, or a frozen dataclass that may inherit them."""
    return isinstance(part, ast.ClassDef) and (
        _has_programs(part) or any("frozen=True" in ast.unparse(one) for one in part.decorator_list)
    )


def _has_programs(one: ast.ClassDef) -> bool:
    return any(isinstance(part, ast.FunctionDef) and part.name == "programs" for part in one.body)
