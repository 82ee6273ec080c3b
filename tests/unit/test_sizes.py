"""Files and functions that can be read at a glance."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("src", "workflow", "benchmarks", "tools", "docs")
    for path in (ROOT / folder).rglob("*.py")
)
LONGEST_FILE, LONGEST_FUNCTION = 450, 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_too_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert {node.name: lines(node) for node in functions if lines(node) > LONGEST_FUNCTION} == {}


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Length of a function with its docstring."""
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1
