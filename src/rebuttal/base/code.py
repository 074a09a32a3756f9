"""Which code made this: the modules that a run can bring in, their files, and one hash of both.

What a module can bring in is read off its source, wherever in it: imports, also those inside functions; strings that
name a module of the package, or with a star all of a folder, for what is imported later; strings that name a file of
code beside it. A package that fetches public names when they are first used (by a table WHERE and `__getattr__`) brings
in what the names lead to that are used, not its whole table. What only type checkers see does not count.
"""

import ast
import functools
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import resolve_name
from pathlib import Path

from rebuttal.base.errors import InputError, nearest

PACKAGE = Path(__file__).parents[1]
NAME = PACKAGE.name
TABLE = "WHERE"  # public name -> module, of a package that fetches names when they are first used
ANY_NAME = ("*", TABLE)  # who uses these of a package may use every name of its table
STRING = re.compile(
    rf"""(["'])(?:({NAME}(?:\.\w+)+(?:\.\*)?)|(\w+)\.py)\1"""
)  # a module, or a file beside the source
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # where a statement holds others
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
CACHES = ("__pycache__",)

Listing = list[tuple[str, int, int]]


@dataclass(frozen=True)
class _Facts:
    """The references of a source file to modules of the package.

    imported: dotted names, of modules or of something in them. named: those in strings, modules or nothing. bound:
    (name in the source, the dotted name that it stands for). table: name that others may use of it -> its module.
    """

    imported: frozenset[str]
    named: frozenset[str]
    bound: frozenset[tuple[str, str]]
    table: Mapping[str, str]


@dataclass(frozen=True)
class _Modules:
    """The modules of the package on disk: module -> file. A source is read when it is first needed."""

    files: Mapping[str, Path]
    _sources: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    _tables: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def led_to(self, source: bytes, package: str = "") -> set[str]:
        """The modules that a source leads to, which lies in a package."""
        facts = _facts(source, package)
        names = set(facts.imported)
        if any(self._table(meant) for _, meant in facts.bound):
            used = _used(source)
            names |= {f"{meant}.{rest}" for name, meant in facts.bound for rest in used.get(name, ())}
        led_to = {module for name in names for module in self._along(name)}
        return led_to.union(*map(self._meant, facts.named))

    def source(self, module: str) -> tuple[bytes, str]:
        """A module's source, and the package that it lies in."""
        if module not in self._sources:
            file = self.files[module]
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            self._sources[module] = file.read_bytes(), package
        return self._sources[module]

    def _meant(self, name: str) -> set[str]:
        """The modules that a string names: one, or with a star in the place of its own name all of a package."""
        package, _, own = name.rpartition(".")
        if own != "*":
            return {name} & self.files.keys()
        return {module for module in self.files if module.rpartition(".")[0] == package}

    def _along(self, name: str) -> Iterator[str]:
        """The modules that a dotted name leads through, and those of the names that are fetched on its way."""
        here = ""
        for part in name.split("."):
            yield from self._fetched(here, part)
            here = f"{here}.{part}".lstrip(".")
            if here not in self.files:
                return
            yield here

    def _fetched(self, module: str, name: str) -> Iterator[str]:
        """The modules from which a module fetches a name, one of which may fetch it from the next."""
        table = self._table(module)
        for one in table if name in ANY_NAME else {name} & table.keys():
            yield table[one]
            yield from self._fetched(table[one], one)

    def _table(self, module: str) -> Mapping[str, str]:
        """The table of names that a module fetches when they are first used; empty for anything that is no module."""
        if module not in self._tables:
            self._tables[module] = _facts(*self.source(module)).table if module in self.files else {}
        return self._tables[module]


def closure(*entries: str, without: Collection[str] = ()) -> frozenset[str]:
    """The modules of the package that executing some of them can bring in, the packages that they lie in included.

    without: what is neither counted nor followed; a package stands for all in it. Entries count in any case.
    Raises InputError for an entry that is no module of the package.
    """
    _places(entries)  # refuses what is no module
    modules = _modules()
    found, waiting = set[str](), list(entries)
    while waiting:
        module = waiting.pop()
        if module in found or (module not in entries and not _upwards(module).isdisjoint(without)):
            continue
        found.add(module)
        led_to = {module, *modules.led_to(*modules.source(module))}
        waiting += {name for one in led_to for name in _upwards(one)}
    return frozenset(found)


def room(module: str) -> str:
    """The name, directly in the package, of the file or folder that a module lies in; of the package, __init__."""
    return _place(module).relative_to(PACKAGE).parts[0].removesuffix(".py")


def arrows() -> dict[str, set[str]]:
    """Room -> the other rooms that its modules lead to."""
    modules = _modules()
    found: dict[str, set[str]] = {room(module): set() for module in modules.files}
    for module in modules.files:
        led_to = modules.led_to(*modules.source(module)) - {NAME}
        found[room(module)] |= {room(one) for one in led_to} - {room(module)}
    return found


def everything() -> frozenset[str]:
    """All modules of the package."""
    return frozenset(_modules().files)


def notebook_entries(path: Path) -> tuple[str, ...]:
    """The modules of the package that a notebook's cells use. Raises InputError for cells that are no plain Python."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    try:
        return tuple(sorted(_modules().led_to(source.encode())))
    except SyntaxError as error:
        raise InputError(f"{path}: got {error.text!r}; allowed: cells of plain Python") from error


def rooms(modules: Iterable[str]) -> list[str]:
    """The rooms of the package that hold any of the modules, as paths from the project's root.

    A room is a file or a folder directly in the package; of a folder that holds nothing but packages, each is one.
    """
    places = [path.relative_to(PACKAGE).parts for path in _places(modules)]
    return sorted({"/".join(("src", NAME, *parts[: 1 + _is_floor(PACKAGE / parts[0])])) for parts in places})


def files(modules: Iterable[str]) -> list[Path]:
    """The files of some modules: their code, and what lies beside the code of those that are packages.

    A file that is no code belongs to the package in whose folder it lies, or in a folder below without code.
    """
    places = _places(modules)
    packages = {place.parent for place in places if place.name == "__init__.py"}
    lying = lying_in(PACKAGE) if packages else []
    return sorted({*places, *(path for path in lying if path.suffix != ".py" and _home(path) in packages)})


def digest(modules: Iterable[str], *, meaning: bool = False) -> str:
    """A hash of the files of some modules and of their names.

    meaning: of what the code does: comments, layout and docstrings do not count.
    """
    total = hashlib.sha256()
    for path in files(modules):
        content = path.read_bytes()
        if meaning and path.suffix == ".py":
            content = _meaning(content)
        of_file = hashlib.sha256(content).hexdigest()
        total.update(f"{of_file} {path.relative_to(PACKAGE).as_posix()}\n".encode())
    return total.hexdigest()


def listing() -> Listing:
    """Name, size and time of change of every file of the package: quick, for whoever asks again and again."""
    found = ((path, path.stat()) for path in lying_in(PACKAGE))
    return [(str(path), about.st_size, about.st_mtime_ns) for path, about in found]


def lying_in(folder: Path) -> list[Path]:
    """Every file of a folder of code, in a fixed order, without caches and what is hidden."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in CACHES]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _is_floor(folder: Path) -> bool:
    """Whether a folder of code holds nothing but packages."""
    return folder.is_dir() and [path.name for path in folder.glob("*.py")] == ["__init__.py"]


def _modules() -> _Modules:
    """The package's modules, as they are now."""
    return _Modules({_name(path): path for path in lying_in(PACKAGE) if path.suffix == ".py"})


def _places(modules: Iterable[str]) -> list[Path]:
    """The file of each module. Raises InputError for what is none of the package's."""
    found = {name: _place(name) for name in modules}
    for name, place in found.items():
        if name.partition(".")[0] != NAME or not place.is_file():
            raise InputError(f"module: got {name!r}; allowed: one of {NAME}'s{nearest(name, everything())}")
    return list(found.values())


def _place(module: str) -> Path:
    """Where the file of a module would be; of a package, its __init__."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _name(path: Path) -> str:
    """The module that a file is."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join((NAME, *parts)).removesuffix(".__init__")


def _home(path: Path) -> Path:
    """The nearest folder of a package that a file lies in."""
    return next((folder for folder in path.parents if (folder / "__init__.py").is_file()), PACKAGE)


@functools.cache
def _upwards(module: str) -> frozenset[str]:
    """A module and the packages that it lies in."""
    parts = module.split(".")
    return frozenset(".".join(parts[:count]) for count in range(1, len(parts) + 1))


@functools.cache
def _facts(source: bytes, package: str) -> _Facts:
    """The references of a source file that lies in this package."""
    tree, lines = ast.parse(source), source.decode().splitlines()
    table = _table(tree)
    if table:
        lines[table.lineno - 1 : table.end_lineno] = []
    strings = [(module, beside) for _, module, beside in STRING.findall("\n".join(lines))]
    bound = {one for node in _imports(tree) for one in _bound(node, package) if one[1].startswith(NAME)}
    return _Facts(
        imported=frozenset(meant for _, meant in bound),
        named=frozenset(module or f"{package}.{beside}" for module, beside in strings),
        bound=frozenset(bound),
        table=ast.literal_eval(table) if table else {},
    )


def _table(tree: ast.Module) -> ast.Dict | None:
    """The table of a source that fetches names when they are first used."""
    if not any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body):
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [TABLE]:
            return node.value if isinstance(node.value, ast.Dict) else None
    return None


def _imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import of a source, but not those that only type checkers see."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        types_only = isinstance(node, ast.If) and _types_only(node.test)
        for block in ("orelse",) if types_only else _blocks(type(node)):
            waiting += getattr(node, block)


@functools.cache
def _blocks(kind: type[ast.AST]) -> tuple[str, ...]:
    """Where a statement of some kind holds others."""
    return tuple(name for name in kind._fields if name in BLOCKS)


def _types_only(test: ast.expr) -> bool:
    """Whether a condition holds for type checkers alone."""
    return isinstance(test, ast.Name | ast.Attribute) and ast.unparse(test).endswith("TYPE_CHECKING")


def _bound(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, str]]:
    """(name in the source, what it stands for) of what an import brings; `import a.b` brings a.b, and binds a."""
    if isinstance(node, ast.ImportFrom):
        base = resolve_name("." * node.level + (node.module or ""), package)
        yield from ((one.asname or one.name, f"{base}.{one.name}") for one in node.names)
        return
    for one in node.names:
        top = one.name.partition(".")[0]
        yield from [(one.asname, one.name)] if one.asname else [("", one.name), (top, top)]


@functools.cache
def _used(source: bytes) -> dict[str, set[str]]:
    """Name in a source -> the attributes that are taken of it ("b.c" of a.b.c); "*" where it stands alone."""
    found: dict[str, set[str]] = {}
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node, taken = waiting.pop(), list[str]()
        while isinstance(node, ast.Attribute):
            taken.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            found.setdefault(node.id, set()).add(".".join(taken) or "*")
        waiting += ast.iter_child_nodes(node)
    return found


@functools.cache
def _meaning(source: bytes) -> bytes:
    """A source without comments, layout and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree).encode()
