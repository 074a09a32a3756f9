"""What DVC cannot read in a parameter file: its parser, in C, takes no bare colon inside a word between brackets."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from rebuttal.base.config.yaml_text import Loader
from rebuttal.base.errors import InputError


def check(path: Path, name: str) -> None:
    """Refuse a word such as a:b between brackets, unless it is quoted. Raises InputError with the file and the line."""
    for node in _nodes(yaml.compose(path.read_text(encoding="utf-8"), Loader), frozenset()):
        if isinstance(node, yaml.CollectionNode) and node.flow_style:
            for inner in _children(node):
                if isinstance(inner, yaml.ScalarNode) and inner.style is None and ":" in inner.value:
                    given, place = inner.value, f"{name}, line {inner.start_mark.line + 1}"
                    raise InputError(
                        f'{place}: got {given} between brackets; allowed: it in quotes, "{given}"'
                    )


def _nodes(node: yaml.Node | None, above: frozenset[int]) -> Iterator[yaml.Node]:
    """A node and all below it; one that holds itself is entered once."""
    if node is not None and id(node) not in above:
        yield node
        for inner in _children(node):
            yield from _nodes(inner, above | {id(node)})


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
