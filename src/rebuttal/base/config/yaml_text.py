"""YAML text to plain values, read by the parser that DVC has (YAML 1.2: 1e-3 is a number, `on` is a text).

Doubled keys, and keys that are no text, are refused.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from rebuttal.base.errors import InputError, refuse

TEXT_TAG = "tag:yaml.org,2002:str"
MOST_BYTES, MOST_NODES = 2**22, 100_000  # of a file, and of what it holds once its aliases are written out
MOST_LEVELS, DEEP = 100, "too many levels"
WORD = re.compile(r"[^\s,\[\]{}]+")  # a text without quotes, between brackets


def read(path: Path, name: str | None = None) -> dict[str, Any]:
    """The file's sections as plain dicts, lists and scalars.

    Raises:
        InputError: one line that calls the file `name` (default: its own), with the line where there is one.
    """
    name = name or path.name
    content = _content(path, name)
    reader = YAML(typ="safe")
    try:
        _refuse_depth(content)
        node = reader.compose(content)
        if node is None:
            raise InputError(f"{name}: got an empty file; allowed: sections of `key: value`")
        _refuse_size(name, node)
        _refuse_keys(name, node)
        value = reader.constructor.construct_document(node)
    except RecursionError:
        raise InputError(f"{name}: got {DEEP}; allowed: a few levels of sections and lists") from None
    except MarkedYAMLError as error:
        raise InputError(_syntax(name, content, error)) from error
    except YAMLError as error:
        raise InputError(f"{name}: got {str(error).splitlines()[0]}; allowed: YAML text") from error
    if not isinstance(value, dict):
        raise refuse(name, value, "sections of `key: value`")
    return value


def parsed(key: str, text: str) -> Any:
    """What a text without a file means, such as the value of an option. Raises InputError if it is no YAML."""
    try:
        _refuse_depth(text)
        return YAML(typ="safe").load(text)
    except (YAMLError, RecursionError):
        raise refuse(key, text, "a value as in params.yaml") from None


def dumped(content: Any) -> str:
    """Plain values as YAML for a reader, in blocks, keys in their order."""
    writer, text = YAML(typ="safe", pure=True), io.StringIO()
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # pyright: ignore[reportAttributeAccessIssue]: ruamel reads it
    writer.dump(content, text)
    return text.getvalue()


def _content(path: Path, name: str) -> str:
    if not path.is_file():
        raise InputError(f"{name}: got no such file in {path.parent}; allowed: a readable YAML file")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise refuse(name, f"{path.stat().st_size:,} bytes", f"at most {MOST_BYTES:,}")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{name}: got {error}; allowed: a readable YAML file in UTF-8") from error


def _syntax(file: str, content: str, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line = f", line {mark.line + 1}" if mark else ""
    problem = " ".join(str(error.problem or error.context).split())
    if mark and problem == "found unexpected ':'":
        for word in WORD.finditer(content.splitlines()[mark.line]):
            if word.start() < mark.column < word.end():
                return f'{file}{line}: got {word[0]} between brackets; allowed: it in quotes, "{word[0]}"'
    return f"{file}{line}: got a syntax error ({problem}); allowed: YAML text"


def _refuse_depth(content: str) -> None:
    """Raises RecursionError for more levels than a file of ours has: the parser ends the process at some of them."""
    level = 0
    for event in YAML(typ="safe").parse(content):
        level += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if level > MOST_LEVELS:
            raise RecursionError


def _refuse_size(name: str, root: Node) -> None:
    """Refuse a text whose aliases stand for more than a file of ours holds, or that stands in itself."""
    sizes: dict[int, int] = {}

    def size(node: Node, above: frozenset[int]) -> int:
        if id(node) in above:
            raise InputError(
                f"{name}, line {node.start_mark.line + 1}: got an alias within itself; allowed: none"
            )
        if id(node) not in sizes:
            inside = above | {id(node)}
            sizes[id(node)] = 1 + sum(size(one, inside) for one in _below(node))
        return sizes[id(node)]

    if (found := size(root, frozenset())) > MOST_NODES:
        raise InputError(
            f"{name}: got aliases that stand for {found:,} values; allowed: at most {MOST_NODES:,}"
        )


def _below(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [one for pair in node.value for one in pair]
    return node.value if isinstance(node, SequenceNode) else []


def _refuse_keys(file: str, root: Node) -> None:
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


def _mappings(node: Node, key: str, above: frozenset[int]) -> Iterator[tuple[str, MappingNode]]:
    """Every mapping below `node` with its dotted key; a mapping that holds itself is entered once."""
    if id(node) in above:
        return
    above |= {id(node)}
    if isinstance(node, MappingNode):
        yield key, node
        for name, value in node.value:
            yield from _mappings(value, _join(key, str(name.value)), above)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _mappings(value, _join(key, str(index)), above)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
