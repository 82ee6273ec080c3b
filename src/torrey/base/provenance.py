"""What made a file: version, digests of code and inputs, parameters.

Imported modules are invisible to a workflow engine's triggers. `code_digest` follows the imports of
a module within this package and digests what it finds, so that an edit to a solver is seen by every
rule that uses it, and an edit to a comment by none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torrey
from torrey.base.sources import Source, parse, parse_package

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
    return _digest(map(_path, modules), {})


def script_digest(script: Path, *modules: str) -> str:
    """Digest of a script, of all that it imports from this package, and of further modules.

    What stands around a job (`torrey.workflow`) changes no result and does not count.

    Parameters
    ----------
    script : Path
    *modules : str
        Modules that the script imports by a name that it is given.
    """
    source = parse(script.read_bytes())
    return _digest([*_files(source.names), *map(_path, modules)], {script.name: source})


def _digest(modules: Iterable[Path], scripts: Mapping[str, Source]) -> str:
    closure: set[Path] = set()
    for module in modules:
        _follow(module, closure)
    total = hashlib.sha256()
    for path in sorted(closure):
        total.update(path.relative_to(_ROOT).as_posix().encode())
        total.update(_package()[path].meaning.encode())
    for name, source in scripts.items():
        total.update(name.encode())
        total.update(source.meaning.encode())
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


@cache
def _path(module: str) -> Path:
    base = _ROOT.joinpath(*module.split(".")[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path in _package():
            return path
    raise ModuleNotFoundError(f"no module {module} in {_ROOT}")


def _follow(path: Path, seen: set[Path]) -> None:
    if path in seen or path.relative_to(_ROOT).parts[0] == _AROUND:
        return
    seen.add(path)
    for found in _imports(path):
        _follow(found, seen)


@cache
def _package() -> dict[Path, Source]:
    return parse_package(_ROOT)


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """Files of this package that one of them imports."""
    return tuple(set(_files(_package()[path].names)))


def _files(names: Iterable[str]) -> Iterator[Path]:
    """Files of modules of this package, packages on the way included."""
    for name in names:
        parts = name.split(".")
        if parts[0] != torrey.__name__:
            continue
        for end in range(2, len(parts) + 1):
            try:
                yield _path(".".join(parts[:end]))
            except ModuleNotFoundError:  # a function or a class, not a module
                break
