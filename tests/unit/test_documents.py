"""What the documents point to is there: files, sections, modules and commands."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for folder in (".", "docs", "config", "benchmarks")
    for path in (ROOT / folder).glob("*.md")
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)

LINK = re.compile(r"\]\(([^)#\s]*)#?([^)\s]*)\)")
CODE = re.compile(r"`([^`\n]+)`")
MODULE = re.compile(r"\btorrey(?:\.[A-Za-z_]\w*)+")
PLACE = re.compile(
    r"(?:\.ci|\.github|benchmarks|config|docs|profiles|src|tests|tools|workflow)/[\w./-]+"
)


def sections(document: Path) -> set[str]:
    """Anchors of the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), flags=re.M)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def exists(name: str) -> bool:
    """Whether a dotted name is a module of the library, or something in one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_there_are_documents():
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "config/README.md"} <= set(NAMES)


@each_document
def test_links_lead_to_files_and_sections(document):
    broken = []
    for target, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path = (document.parent / target).resolve() if target else document
        if not path.exists() or (anchor and anchor not in sections(path)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@each_document
def test_modules_that_are_named_are_there(document):
    named = set(MODULE.findall(document.read_text(encoding="utf-8")))
    assert sorted(name for name in named if not exists(name)) == []


@each_document
def test_files_that_are_named_are_there(document):
    """In code, such as `tools/common.sh`; names with a placeholder in capitals are no files."""
    missing = []
    for code in CODE.findall(document.read_text(encoding="utf-8")):
        place = PLACE.fullmatch(code)
        if place and not re.search(r"\b[A-Z]+\b", code) and not (ROOT / code).exists():
            missing.append(code)
    assert missing == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130
