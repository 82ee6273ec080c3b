"""Seals: the last line of a file says what it was made from, and what was written.

A seal is one line of fixed length behind the content of a file; NetCDF readers do not mind it. It
holds two digests. The *key* is that of the recipe, with everything upstream of it: two files with
one key were made in the same way from the same things. The *content* is that of all bytes before
the seal: a file whose content is another one has been damaged. A file without a seal is not
complete, or not one of ours.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

from torrey.base.errors import TorreyError

PathLike = str | Path

KEY_LENGTH: Final = 16
NO_KEY: Final = "0" * KEY_LENGTH
"""Of a file that no workflow made."""

_LINE: Final = "\n# torrey key {key} content {content}\n"
_PATTERN: Final = re.compile(
    _LINE.format(key=f"([0-9a-f]{{{KEY_LENGTH}}})", content="([0-9a-f]{64})").encode()
)
_LENGTH: Final = len(_LINE.format(key=NO_KEY, content="0" * 64))


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
        Digest of its content, 64 hexadecimal digits.
    """

    key: str
    content: str


def sign(path: PathLike, key: str) -> None:
    """Add the seal to a file whose content is complete."""
    with open(path, "r+b") as stream:
        stream.seek(0, os.SEEK_END)
        content = _digest(stream, stream.tell())
        stream.seek(0, os.SEEK_END)
        stream.write(_LINE.format(key=key or NO_KEY, content=content).encode())


def check(path: PathLike) -> Seal:
    """Seal of a file whose content is what was written.

    A file is read once as long as nobody touches it.

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
    return _checked(
        os.path.abspath(path), str(path), state.st_ino, state.st_size, state.st_ctime_ns
    )


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
        length = stream.seek(0, os.SEEK_END) - _LENGTH
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
