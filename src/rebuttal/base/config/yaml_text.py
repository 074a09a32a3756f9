"""YAML text to plain values, with what a YAML reader usually lets pass refused: doubled keys and surprising types.

Scalars are read as YAML 1.2 does, and so as DVC reads the same file: 1e-3 is a number, `on` is a text.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from rebuttal.base.errors import InputError, refuse

TEXT_TAG = "tag:yaml.org,2002:str"


class Loader(yaml.SafeLoader):
    """The safe loader with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012  # the name and form are pyyaml's


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def read(path: Path, name: str | None = None) -> dict[str, Any]:
    """The file's sections as plain dicts, lists and scalars.

    Raises:
        InputError: one line that calls the file `name` (default: its own), with the line where there is one.
    """
    name = name or path.name
    content = _content(path, name)
    try:
        value = _parse(name, content)
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax(name, error)) from error
    except yaml.YAMLError as error:
        raise InputError(f"{name}: got {str(error).splitlines()[0]}; allowed: YAML text") from error
    if not isinstance(value, dict):
        raise refuse(name, value, "sections of `key: value`")
    return value


def _parse(file: str, content: str) -> Any:
    loader = Loader(content)
    try:
        node = loader.get_single_node()
        if node is None:
            raise InputError(f"{file}: got an empty file; allowed: sections of `key: value`")
        _refuse_doubled(file, node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _content(path: Path, name: str) -> str:
    if not path.is_file():
        raise InputError(f"{name}: got no such file in {path.parent}; allowed: a readable YAML file")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{name}: got {error}; allowed: a readable YAML file in UTF-8") from error


def _syntax(file: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line = f", line {mark.line + 1}" if mark else ""
    problem = " ".join(str(error.problem or error.context).split())
    return f"{file}{line}: got a syntax error ({problem}); allowed: YAML text"


def _refuse_doubled(file: str, root: yaml.Node) -> None:
    for key, mapping in _mappings(root, "", frozenset()):
        seen: set[str] = set()
        for name, _ in mapping.value:
            place = f"{file}, line {name.start_mark.line + 1}"
            if name.tag != TEXT_TAG:
                raise refuse(f"{place}: key in {key or 'the file'}", name.value, "names as keys")
            if name.value in seen:
                raise InputError(
                    f"{place}: {_join(key, name.value)}: got this key twice; allowed: each key once"
                )
            seen.add(name.value)


def _mappings(node: yaml.Node, key: str, above: frozenset[int]) -> Iterator[tuple[str, yaml.MappingNode]]:
    """Every mapping below `node` with its dotted key; a mapping that holds itself is entered once."""
    if id(node) in above:
        return
    above |= {id(node)}
    if isinstance(node, yaml.MappingNode):
        yield key, node
        for name, value in node.value:
            yield from _mappings(value, _join(key, str(name.value)), above)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _mappings(value, _join(key, str(index)), above)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
