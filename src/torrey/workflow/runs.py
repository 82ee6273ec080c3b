"""Runs of the workflow in one folder: who may start, and what a killed one left behind.

Snakemake locks a folder, but a run that was killed keeps its lock, and a run that ends removes the
locks of all others. So each run writes a record of its process while it lives. Whether a process
lives is a question to its own machine only: of runs on other machines nobody here can know, and
then a second run is refused. No lock of the file system is used, because many network file systems
have none or keep them to one machine.
"""

from __future__ import annotations

import atexit
import getpass
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from torrey.base.errors import TorreyError
from torrey.workflow.clocks import FutureTimeError, settle_future_times
from torrey.workflow.processes import Life, Process, marked_processes, read_process, this_process

MARK: Final = "TORREY_RUN"
"""Environment variable by which the processes of a run are known; its value names the record."""

# Calls of Snakemake that make no results, and need no folder to write in or at least no run.
_NEEDS_NOTHING = {"--lint", "--list", "--list-rules", "-l", "--list-target-rules", "--lt"}
_READS = {
    "--dry-run",
    "--dryrun",
    "-n",
    "--dag",
    "--rulegraph",
    "--filegraph",
    "--d3dag",
    "--summary",
    "-S",
    "--detailed-summary",
    "-D",
    "--report",
    "--list-changes",
    "--list-untracked",
    "--lu",
}
_PATIENCE = 10.0  # seconds that killed processes have to vanish


class RunError(TorreyError):
    """A run that may not start here."""


class Run:
    """A run that has begun; its record goes when it ends.

    Parameters
    ----------
    record : Path
        The file that says that this process lives.
    """

    def __init__(self, record: Path) -> None:
        self.record = record
        self.pid = os.getpid()
        os.environ[MARK] = record.stem
        atexit.register(self.end)

    def end(self) -> None:
        """Remove the record. A fork of the process does not speak for the run."""
        if os.getpid() == self.pid:
            self.record.unlink(missing_ok=True)
            atexit.unregister(self.end)
            if os.environ.get(MARK) == self.record.stem:
                del os.environ[MARK]

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def begin_run(
    state: Path,
    results: Path,
    words: Sequence[str] = (),
    dry: bool = False,
    say: Callable[[str], object] = print,
) -> Run | None:
    """Take the folder for this run, and clear away what a killed run left behind.

    Snakemake's lock of a run that is dead is removed, jobs that outlived it are ended, and results
    whose times lie in the future get the present one.

    Parameters
    ----------
    state : Path
        Snakemake's own folder (``.snakemake``).
    results : Path
        The folder of all results.
    words : sequence of str
        Arguments that Snakemake was called with; those that only ask do not begin a run, and
        ``--unlock`` declares dead all runs that are not known to live.
    dry : bool
        Whether nothing will be made, so that nothing may be written here either.
    say : callable
        Takes each line that the user should read.

    Returns
    -------
    Run or None
        To be ended with the process; None for a call that makes nothing.

    Raises
    ------
    RunError
        If the folder cannot be written, or another run lives in it or may live in it.
    """
    options = {word.split("=")[0] for word in words}
    if options & _NEEDS_NOTHING:
        return None
    _check_rights(state, results)
    if dry or options & _READS:
        return None
    records = state / "runs"
    if "--unlock" in options:
        _forget_uncertain(records)
        return None
    me = this_process()
    run = Run(_write(records, me))
    try:
        dead = _others(records, run.record, me, refuse="--nolock" not in options)
        _clear_away(dead, state, say)
        _settle(results, run.record.stat().st_mtime_ns, say)
    except BaseException:
        run.end()
        raise
    return run


def _check_rights(state: Path, results: Path) -> None:
    """Find out before any work where this user may not write."""
    parts = ("metadata", "incomplete", "log", "locks", "runs")
    for folder in (state, *(state / part for part in parts), results):
        if folder.exists() and not folder.is_dir():
            raise RunError(
                f"{folder.resolve()}: found a file, accepted: a folder, or nothing: "
                "give the file another name or delete it"
            )
        place = folder if folder.exists() else folder.parent
        if place.exists() and not os.access(place, os.W_OK | os.X_OK):
            raise RunError(_not_writable(place, "no permission"))


def _not_writable(place: Path, reason: str) -> str:
    return (
        f"{place.resolve()} cannot be written by {_user()} ({reason}); Snakemake keeps its notes "
        "and results there: ask its owner for the right to write, or work in a copy of the project"
    )


def _user() -> str:
    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError):
        return f"user number {os.getuid()}"


def _write(records: Path, me: Process) -> Path:
    """Write the record of this process, whole or not at all."""
    record = records / f"{me.label()}.json"
    part = record.with_suffix(".part")
    try:
        records.mkdir(parents=True, exist_ok=True)
        part.write_text(me.to_json(), encoding="utf-8")
        part.replace(record)
    except OSError as error:
        raise RunError(_not_writable(records, error.strerror or str(error))) from error
    return record


def _others(records: Path, own: Path, me: Process, refuse: bool) -> list[Path]:
    """Records of dead runs; a run that lives or may live stops this one, if it is to be refused.

    The own record is written before the others are read: of two that start at once, at least one
    sees the other.
    """
    dead = []
    for path in sorted(records.glob("*.json")):
        if path == own:
            continue
        try:
            other = read_process(path)
        except FileNotFoundError:
            continue  # ended just now
        except (OSError, ValueError) as error:
            if refuse:
                raise RunError(
                    _may_live(f"whose record {path} cannot be read ({error})")
                ) from error
            continue
        life = other.life(seen_from=me)
        if life is Life.DEAD:
            dead.append(path)
        elif refuse:
            raise RunError(_lives(other) if life is Life.ALIVE else _may_live(str(other)))
    return dead


def _lives(other: Process) -> str:
    return (
        f"this folder is locked: another run lives here, {other}. Wait for its end or stop it, "
        "or use a copy of the project"
    )


def _may_live(other: str) -> str:
    return (
        f"this folder is locked: another run may live here, {other}; this machine cannot see "
        "whether it does. If it does not: snakemake --unlock, then start again"
    )


def _forget_uncertain(records: Path) -> None:
    """Remove all records but those of processes that live for certain."""
    me = this_process()
    for path in [*records.glob("*.json"), *records.glob("*.part")]:
        try:
            alive = read_process(path).life(seen_from=me) is Life.ALIVE
        except (OSError, ValueError):
            alive = False
        if not alive and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif not alive:
            path.unlink(missing_ok=True)


def _clear_away(dead: Sequence[Path], state: Path, say: Callable[[str], object]) -> None:
    """End the jobs of dead runs, remove their locks and, last, their records."""
    if not dead:
        return
    ended = _end_jobs({path.stem for path in dead})
    if ended:
        left = (
            "1 process behind, which is" if ended == 1 else f"{ended} processes behind, which are"
        )
        say(f"A run that was killed has left {left} ended now.")
    shutil.rmtree(state / "locks", ignore_errors=True)
    for path in dead:
        path.unlink(missing_ok=True)


def _end_jobs(names: set[str]) -> int:
    """Kill the processes of dead runs, and wait until they are gone.

    They would go on beside this run, with the configuration of theirs. What they write has its
    final name only when it is complete, so that nothing half done remains.
    """
    found = set()
    deadline = time.monotonic() + _PATIENCE
    while living := marked_processes(MARK, names):
        found |= living
        if time.monotonic() > deadline:
            numbers = ", ".join(map(str, sorted(living)))
            raise RunError(f"processes {numbers} of a run that was killed do not end: kill them")
        for pid in living:
            _kill(pid)
        time.sleep(0.05)
    return len(found)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # has ended by itself
    except PermissionError as error:
        raise RunError(
            f"process {pid} of a run that was killed still works here and belongs to somebody "
            "else: wait for its end"
        ) from error


def _settle(results: Path, now: int, say: Callable[[str], object]) -> None:
    try:
        settled = settle_future_times(results, now)
    except FutureTimeError as error:
        raise RunError(str(error)) from error
    if settled:
        say(
            f"The times of {len(settled)} files, {settled[0]} among them, lay in the future, so "
            "that Snakemake would refuse what is made of them; they are set to the present."
        )
