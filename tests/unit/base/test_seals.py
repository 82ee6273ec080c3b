"""The last line of a file says what it was made from, and what was written."""

from __future__ import annotations

import hashlib
import os

import pytest

from torrey.base import seals
from torrey.base.seals import NO_KEY, DamagedError, Seal

KEY = "0123456789abcdef"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    seals.sign(path, KEY)
    return path


def test_a_seal_is_one_line_behind_the_content(file):
    content, line, rest = file.read_bytes().partition(b"\n# torrey")
    assert content == b"content"
    assert line + rest == b"\n# torrey key 0123456789abcdef content " + (
        hashlib.sha256(file.read_bytes()[:-65]).hexdigest().encode() + b"\n"
    )
    assert len(line + rest) == 104


def test_a_seal_is_read(file):
    content = hashlib.sha256(b"content\n# torrey key 0123456789abcdef content ").hexdigest()
    assert seals.check(file) == Seal(KEY, content)


def test_without_a_key_there_are_zeros(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    seals.sign(path, "")
    assert seals.check(path).key == NO_KEY


@pytest.mark.parametrize("change", [b"", b"x", b"content", b"content\n# torrey key \n"])
def test_a_file_without_a_seal_is_damaged(tmp_path, change):
    path = tmp_path / "file"
    path.write_bytes(change)
    with pytest.raises(DamagedError, match="file is damaged: its last line"):
        seals.check(path)


def test_what_is_added_or_taken_away_is_noticed(file):
    whole = file.read_bytes()
    for changed in (whole + b"x", whole[:-1], whole[1:], b"x" + whole, whole[:3] + whole[4:]):
        file.write_bytes(changed)
        with pytest.raises(DamagedError):
            seals.check(file)
    file.write_bytes(whole)
    assert seals.check(file).key == KEY


def test_each_bit_of_a_file_counts_those_of_its_seal_too(file):
    whole = file.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            file.write_bytes(changed)
            with pytest.raises(DamagedError):
                seals.check(file)


def test_a_change_after_a_check_is_noticed(file):
    seals.check(file)
    content = file.read_bytes()
    file.write_bytes(b"d" + content[1:])
    with pytest.raises(DamagedError):
        seals.check(file)


def test_a_file_that_is_not_there_is_no_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        seals.check(tmp_path / "nowhere")


def test_what_is_no_file_is_not_opened(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(DamagedError, match="is no file. Delete it"):
            seals.check(path)
