"""Runs of the workflow in one directory: who is alive."""

from __future__ import annotations

import fcntl
import shutil
import socket
from pathlib import Path
from typing import TextIO


def forget_dead_runs(state: Path) -> TextIO:
    """Remove the lock of a run that was killed, so that starting again is enough.

    Each run holds a shared lock on one file, which the kernel takes back when the process ends,
    however it ends. Who gets it alone knows that no other run lives here, and that a lock of the
    workflow engine is a dead one's.

    Parameters
    ----------
    state : Path
        The engine's directory (``.snakemake``).

    Returns
    -------
    TextIO
        To be kept open as long as the run lasts.
    """
    state.mkdir(exist_ok=True)
    running = open(state / "running", "a+")  # noqa: SIM115 - open as long as the run
    try:
        fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)
        running.seek(0)
        # Where locks do not reach other machines, only the runs of this one are known to be dead.
        if running.read() in ("", socket.gethostname()):
            shutil.rmtree(state / "locks", ignore_errors=True)
        running.truncate(0)
        running.write(socket.gethostname())
        running.flush()
    except OSError:
        pass  # another run lives: the engine will say so
    fcntl.flock(running, fcntl.LOCK_SH)
    return running
