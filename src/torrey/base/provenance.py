"""What made a file: version, digests of code and inputs, parameters.

Imported modules are invisible to a workflow engine's triggers. `code_digest` follows the imports of
a module within this package and digests what it finds, so that an edit to a solver is seen by every
rule that uses it, and an edit to a comment by none.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torrey

#: What stands around each job and changes no result.
_AROUND = "workflow"
_ROOT = Path(torrey.__file__).parent
_LENGTH = 16

Plain = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Provenance:
    """Where a file comes from.

    Attributes
    ----------
    stage : str
        Name of the rule.
    parameters : mapping
        Plain values of the rule's parameters.
    code : str
        Digest of the modules of the stage.
    inputs : mapping of str to str
        Digest of each input file, by name.
    key : str
        Digest of all of the above and of everything upstream: see `torrey.base.seals`.
    """

    stage: str
    parameters: Plain = field(default_factory=dict)
    code: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    key: str = ""

    def attributes(self) -> dict[str, str]:
        """Global attributes for a NetCDF file."""
        return {
            "Conventions": "CF-1.11",
            "source": f"torrey {torrey.__version__}",
            "torrey_version": torrey.__version__,
            "stage": self.stage,
            "code_digest": self.code,
            "input_digests": json.dumps(dict(self.inputs), sort_keys=True),
            "parameters": json.dumps(dict(self.parameters), sort_keys=True),
        }


def code_digest(*modules: str) -> str:
    """Digest of modules of this package and of everything in it that they import.

    Comments, docstrings and layout do not count.

    Parameters
    ----------
    *modules : str
        Names such as ``"torrey.reference.full"``.
    """
    return _digest(map(_path, modules), ())


def script_digest(script: Path, *modules: str) -> str:
    """Digest of a script, of all that it imports from this package, and of further modules.

    What stands around a job (`torrey.workflow`) changes no result and does not count.

    Parameters
    ----------
    script : Path
    *modules : str
        Modules that the script imports by a name that it is given.
    """
    return _digest([*_read(script).imports, *map(_path, modules)], [script])


def _digest(modules: Iterable[Path], scripts: Iterable[Path]) -> str:
    closure: set[Path] = set()
    for module in modules:
        _follow(module, closure)
    total = hashlib.sha256()
    for path in sorted(closure):
        total.update(path.relative_to(_ROOT).as_posix().encode())
        total.update(_read(path).meaning.encode())
    for path in scripts:
        total.update(path.name.encode())
        total.update(_read(path).meaning.encode())
    return total.hexdigest()[:_LENGTH]


def library_digest() -> str:
    """Digest of all files of this package, to the letter: quick, where nothing has changed."""
    total = hashlib.sha256()
    for path in _sources():
        total.update(path.relative_to(_ROOT).as_posix().encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:_LENGTH]


def library_state() -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of the last change of each file of this package, by path.

    A change that is taken back changes the time: no content can tell that.
    """
    state = {}
    for path in _sources():
        found = path.stat()
        state[str(path)] = (found.st_ino, found.st_size, found.st_ctime_ns)
    return state


def _sources() -> list[Path]:
    return sorted(_ROOT.rglob("*.py"))


def _path(module: str) -> Path:
    base = _ROOT.joinpath(*module.split(".")[1:])
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    if not path.is_file():
        raise ModuleNotFoundError(f"no module {module} in {_ROOT}")
    return path


def _follow(path: Path, seen: set[Path]) -> None:
    if path in seen or path.relative_to(_ROOT).parts[0] == _AROUND:
        return
    seen.add(path)
    for found in _read(path).imports:
        _follow(found, seen)


@dataclass(frozen=True)
class _Module:
    """What a file imports from this package, and its syntax tree without docstrings, as text."""

    imports: frozenset[Path]
    meaning: str


@cache
def _read(path: Path) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        _strip(node)
    inside = {name for name in names if name.split(".")[0] == torrey.__name__}
    return _Module(frozenset(_files(inside)), ast.dump(tree))


def _strip(node: ast.AST) -> None:
    """Take the docstring off."""
    body = getattr(node, "body", None)
    if not isinstance(body, list) or not body:
        return
    match body[0]:
        case ast.Expr(value=ast.Constant(value=str())):
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]


def _files(names: Iterable[str]) -> Iterator[Path]:
    """Files of modules of this package, packages on the way included."""
    for name in names:
        parts = name.split(".")
        for end in range(2, len(parts) + 1):
            try:
                yield _path(".".join(parts[:end]))
            except ModuleNotFoundError:  # a function or a class, not a module
                break
