"""Seals: the last line of a file says what it was made from, and what was written.

A seal is one line of fixed length behind the content of a file; NetCDF readers do not mind it. It
holds two digests. The *key* is that of the recipe, with everything upstream of it: two files with
one key were made in the same way from the same things. The *content* is that of all bytes that
stand before it, the key among them: where they are others, the file has been damaged. A file
without a seal is not complete, or not one of ours.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

from torrey.base.errors import TorreyError

PathLike = str | Path

KEY_LENGTH: Final = 16
NO_KEY: Final = "0" * KEY_LENGTH
"""Of a file that no workflow made."""

_BEGIN: Final = "\n# torrey key {key} content "
_CONTENT_LENGTH: Final = 64
_PATTERN: Final = re.compile(
    f"{_BEGIN.format(key=f'([0-9a-f]{{{KEY_LENGTH}}})')}([0-9a-f]{{{_CONTENT_LENGTH}}})\n".encode()
)
_END_LENGTH: Final = _CONTENT_LENGTH + 1
_LENGTH: Final = len(_BEGIN.format(key=NO_KEY)) + _END_LENGTH

_TICK: Final = 100_000_000
"""ns: longer than the steps in which file systems count time."""


class DamagedError(TorreyError):
    """A file whose content is not what was written."""


@dataclass(frozen=True)
class Seal:
    """What a file says of itself.

    Attributes
    ----------
    key : str
        Digest of how it was made, 16 hexadecimal digits.
    content : str
        Digest of its content and of its key, 64 hexadecimal digits.
    """

    key: str
    content: str


def sign(path: PathLike, key: str) -> None:
    """Add the seal to a file whose content is complete."""
    with open(path, "r+b") as stream:
        stream.seek(0, os.SEEK_END)
        stream.write(_BEGIN.format(key=key or NO_KEY).encode())
        content = _digest(stream, stream.tell())
        stream.seek(0, os.SEEK_END)
        stream.write(f"{content}\n".encode())


def check(path: PathLike) -> Seal:
    """Seal of a file whose content is what was written.

    A file is read once as long as nobody touches it. One that was written a moment ago is read
    again, because a change within one step of the file system's clock would not be seen.

    Raises
    ------
    DamagedError
        If it has no seal, or its content is another one.
    OSError
        If it cannot be read.
    """
    state = os.stat(path)
    if not stat.S_ISREG(state.st_mode):
        raise DamagedError(f"{path} is no file. Delete it and run again")
    settled = time.time_ns() - state.st_ctime_ns > _TICK
    read = _checked if settled else _checked.__wrapped__
    return read(os.path.abspath(path), str(path), state.st_ino, state.st_size, state.st_ctime_ns)


def digest(path: PathLike) -> str:
    """Digest of all bytes of a file, seal included."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@lru_cache(maxsize=4096)
def _checked(path: str, name: str, *_state: int) -> Seal:
    with open(path, "rb") as stream:
        seal = _last_line(stream)
        if seal is None:
            raise DamagedError(
                f"{name} is damaged: its last line, which says what it holds, is not there. "
                "Delete it and run again"
            )
        length = stream.seek(0, os.SEEK_END) - _END_LENGTH
        if _digest(stream, length) != seal.content:
            raise DamagedError(
                f"{name} is damaged: its content is not what was written. Delete it and run again"
            )
    return seal


def _last_line(stream: BinaryIO) -> Seal | None:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, end - _LENGTH))
    found = _PATTERN.fullmatch(stream.read(_LENGTH))
    return Seal(found[1].decode(), found[2].decode()) if found else None


def _digest(stream: BinaryIO, length: int) -> str:
    """SHA-256 of the first bytes of a file."""
    total = hashlib.sha256()
    stream.seek(0)
    while length > 0:
        block = stream.read(min(length, 1 << 20))
        if not block:
            break
        total.update(block)
        length -= len(block)
    return total.hexdigest()
