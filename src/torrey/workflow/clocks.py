"""Times of files that lie in the future, as a wrong clock or a copy leaves them."""

from __future__ import annotations

import os
from pathlib import Path

from torrey.base.errors import TorreyError


class FutureTimeError(TorreyError):
    """A file whose time lies in the future and cannot be set."""


def settle_future_times(folder: Path, now: int) -> list[Path]:
    """Set times that lie in the future to the present, in the order they had.

    Snakemake takes what a job makes for older than such an input, stops, and deletes it.

    Parameters
    ----------
    folder : Path
        All files below it are looked at.
    now : int
        The present by the clock of the file system, in ns.

    Returns
    -------
    list of Path
        The files whose times were set.

    Raises
    ------
    FutureTimeError
        If this user may not set the time of a file.
    """
    future = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                modified = path.lstat().st_mtime_ns
            except FileNotFoundError:
                continue
            if modified > now:
                future[path] = modified
    # Which of two is newer decides what is made again: the order stays, a microsecond apart.
    ranks = {modified: rank for rank, modified in enumerate(sorted(set(future.values())), 1)}
    for path, modified in future.items():
        present = now - 1000 * (len(ranks) - ranks[modified])
        try:
            os.utime(path, ns=(present, present), follow_symlinks=False)
        except PermissionError as error:
            raise FutureTimeError(
                f"the time of {path} lies in the future and only its owner can set it: touch {path}"
            ) from error
    return list(future)
