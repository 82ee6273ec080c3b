"""Source files of Python: what they import, and what they mean, whatever their layout.

Parsing a library takes longer than planning a small run, and each job plans. What was found is
therefore remembered beside the bytecode of the package, as Python remembers its own: a file that
may be deleted at any time, and that is not needed where it cannot be written.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: Of what is remembered: to be changed with what `parse` finds.
_VERSION = 1


@dataclass(frozen=True)
class Source:
    """What a file says.

    Attributes
    ----------
    names : tuple of str
        All that it imports, sorted: modules, and what it takes from them.
    meaning : str
        Digest of its syntax tree, without comments, docstrings and layout.
    """

    names: tuple[str, ...]
    meaning: str


def parse(content: bytes) -> Source:
    """Read the content of a source file.

    Raises
    ------
    SyntaxError
        If it is no Python.
    """
    tree = ast.parse(content)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        _strip(node)
    return Source(tuple(sorted(names)), hashlib.sha256(ast.dump(tree).encode()).hexdigest())


def parse_package(root: Path) -> dict[Path, Source]:
    """Read all source files below a directory; those that are known are not parsed again.

    Parameters
    ----------
    root : Path
        Of a package: what is found is remembered in its ``__pycache__``, by content.

    Raises
    ------
    SyntaxError
        If a file is no Python.
    """
    memory = root / "__pycache__" / f"sources.{sys.implementation.cache_tag}.json"
    known = _recall(memory)
    contents = {path: path.read_bytes() for path in sorted(root.rglob("*.py"))}
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    new = {digest: parse(contents[path]) for path, digest in digests.items() if digest not in known}
    if new:
        there = {digest: known[digest] for digest in digests.values() if digest in known}
        _remember(memory, {**there, **new})
    return {path: new.get(digest) or known[digest] for path, digest in digests.items()}


def _strip(node: ast.AST) -> None:
    """Take the docstring off."""
    body = getattr(node, "body", None)
    if not isinstance(body, list) or not body:
        return
    match body[0]:
        case ast.Expr(value=ast.Constant(value=str())):
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]


def _recall(memory: Path) -> dict[str, Source]:
    """What was remembered, or nothing, if that is not whole."""
    try:
        check, text = memory.read_text(encoding="utf-8").split("\n", 1)
        if check != _check(text):
            return {}
        return {key: Source(tuple(names), meaning) for key, (names, meaning) in json.loads(text)}
    except (OSError, ValueError, TypeError):
        return {}


def _remember(memory: Path, sources: Mapping[str, Source]) -> None:
    """Replace what is remembered in one step, because several jobs may do so at once."""
    text = json.dumps([(key, (found.names, found.meaning)) for key, found in sources.items()])
    with suppress(OSError):
        memory.parent.mkdir(exist_ok=True)
        number, name = tempfile.mkstemp(dir=memory.parent, prefix=memory.name)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as stream:
                stream.write(f"{_check(text)}\n{text}")
            os.replace(name, memory)
        except OSError:
            os.unlink(name)


def _check(text: str) -> str:
    return hashlib.sha256(f"{_VERSION} {text}".encode()).hexdigest()
