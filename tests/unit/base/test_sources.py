"""What source files mean is remembered, and never believed where it is not theirs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from torrey.base import sources
from torrey.base.sources import parse, parse_package

FILES = {
    "__init__.py": "",
    "one.py": "import json\nfrom torrey import base\n\nX = 1\n",
    "room/two.py": '"""Two."""\nfrom torrey.one import X  # one\n',
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "package"


def memories(root: Path) -> list[Path]:
    return list((root / "__pycache__").iterdir())


def fresh(root: Path) -> dict[Path, sources.Source]:
    return {root / name: parse(text.encode()) for name, text in FILES.items()}


def forbid_parsing(monkeypatch):
    def refuse(content: bytes) -> None:
        raise AssertionError(f"parsed again: {content!r}")

    monkeypatch.setattr(sources, "parse", refuse)


def test_names_are_those_of_all_imports():
    assert parse(FILES["one.py"].encode()).names == ("json", "torrey", "torrey.base")


def test_layout_comments_and_docstrings_mean_nothing():
    other = '"""In other\nwords."""\n\n\nfrom torrey.one import (\n    X,\n)\n'
    assert parse(other.encode()) == parse(FILES["room/two.py"].encode())
    changed = parse(other.replace("X", "Y").encode())
    assert changed.meaning != parse(other.encode()).meaning


def test_what_is_known_is_not_parsed_again(root, monkeypatch):
    first = parse_package(root)
    assert first == fresh(root)
    forbid_parsing(monkeypatch)
    assert parse_package(root) == first


def test_a_file_that_changed_is_parsed_whatever_its_time(root):
    parse_package(root)
    path = root / "one.py"
    times = path.stat()
    path.write_text(FILES["one.py"].replace("1", "2"), encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert parse_package(root)[path] == parse(path.read_bytes())


def test_one_version_of_each_file_is_remembered(root):
    parse_package(root)
    [memory] = memories(root)
    size = memory.stat().st_size
    for text in ("X = 2\n", FILES["one.py"]):
        (root / "one.py").write_text(text, encoding="utf-8")
        parse_package(root)
    assert [found.stat().st_size for found in memories(root)] == [size]


@pytest.mark.parametrize("part", range(4))
def test_a_damaged_memory_is_not_believed(root, part):
    parse_package(root)
    [memory] = memories(root)
    whole = memory.read_bytes()
    damages = [
        b"",
        whole[: len(whole) // 2],
        b"\xff" + whole,
        whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:],
    ]
    memory.write_bytes(damages[part])
    assert parse_package(root) == fresh(root)
    assert memory.read_bytes() == whole


def test_nothing_is_needed_where_nothing_can_be_written(root):
    (root / "__pycache__").write_text("in the way", encoding="utf-8")
    assert parse_package(root) == fresh(root)
