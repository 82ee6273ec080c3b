"""The table of faults in the documentation has those that the tests try, and all were survived."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"


def collector() -> ModuleType:
    """The module that writes the table."""
    spec = importlib.util.spec_from_file_location("fault_table", TESTS / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def marked() -> set[tuple[str, str]]:
    """Faults and what happens, as the tests are marked."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
                what, then = (ast.literal_eval(argument) for argument in node.args)
                found.add((what, then))
    return found


def test_the_table_has_the_faults_that_are_tried():
    table = collector().read_faults(PAGE.read_text(encoding="utf-8"))
    assert set(table) == marked()
    assert len(table) > 20


def test_every_fault_was_survived():
    table = collector().read_faults(PAGE.read_text(encoding="utf-8"))
    assert all(tried == survived != "0" for tried, survived in table.values())


def test_a_row_is_renewed_and_the_others_stay(tmp_path):
    module = collector()
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n{module.BEGIN}{module.END}After.\n")
    module.write_faults(page, {("a", "b"): [True, True], ("c", "d"): [False]})
    module.write_faults(page, {("a", "b"): [True]})
    text = page.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("After.\n")
    assert module.read_faults(text) == {("a", "b"): ("1", "1"), ("c", "d"): ("1", "0")}
