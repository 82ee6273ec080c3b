"""Processes that several machines may want to know of: which, where, and whether they live."""

from __future__ import annotations

import getpass
import json
import os
import re
import secrets
import socket
import time
from dataclasses import asdict, dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Self

_PROC = Path("/proc")


class Life(Enum):
    """What one process can know of another."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Process:
    """A process, so that it can be told from every other one that ever was.

    Attributes
    ----------
    host : str
        Name of the machine.
    machine : str
        Number that its system got when it was installed; empty where there is none.
    boot : str
        Number that its kernel drew when it started; empty where there is none.
    namespace : str
        Within which the process has its number: containers have their own.
    pid : int
        The number, which is given to another process later.
    start : int
        When it started, in ticks of the kernel since that started.
    user : str
        Whose it is.
    since : str
        When its record was made, for people.
    """

    host: str
    machine: str
    boot: str
    namespace: str
    pid: int
    start: int
    user: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host} since {self.since}"

    def label(self) -> str:
        """Name for a file, that nobody else has."""
        host = re.sub(r"[^A-Za-z0-9_-]", "_", self.host)[:60]
        return f"{host}-{self.pid}-{secrets.token_hex(6)}"

    def to_json(self) -> str:
        """All attributes as text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If it is anything else.
        """
        values = json.loads(text)
        kinds = {f.name: int if f.name in ("pid", "start") else str for f in fields(cls)}
        if not isinstance(values, dict) or {k: type(v) for k, v in values.items()} != kinds:
            raise ValueError("not the record of a process")
        return cls(**values)

    def life(self, seen_from: Process) -> Life:
        """Whether this process lives, as far as another one can know."""
        me = seen_from
        if (self.host, self.machine) != (me.host, me.machine):
            return Life.UNKNOWN
        if self.boot != me.boot:
            # The same installation has been started again; two machines may share a mere name.
            return Life.DEAD if self.machine and self.boot and me.boot else Life.UNKNOWN
        if not self.boot or self.namespace != me.namespace:
            return Life.UNKNOWN
        return Life.ALIVE if _lives(self.pid, self.start) else Life.DEAD


def this_process() -> Process:
    """The process that asks."""
    return Process(
        host=socket.gethostname(),
        machine=_first_line(Path("/etc/machine-id")),
        boot=_first_line(_PROC / "sys/kernel/random/boot_id"),
        namespace=_namespace(),
        pid=os.getpid(),
        start=_start(os.getpid()) or 0,
        user=_user(),
        since=time.strftime("%Y-%m-%d %H:%M:%S"),
    )


def read_process(path: Path) -> Process:
    """Read the record of a process.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds anything else.
    """
    return Process.from_json(path.read_text(encoding="utf-8"))


def marked_processes(variable: str, values: set[str]) -> set[int]:
    """Numbers of living processes of this machine that began with one of these values.

    Parameters
    ----------
    variable : str
        Name of an environment variable.
    values : set of str
        Values of it that are looked for.
    """
    wanted = {f"{variable}={value}".encode() for value in values}
    found = set()
    for folder in _PROC.glob("[0-9]*"):
        pid = int(folder.name)
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # gone, or somebody else's
        if pid != os.getpid() and wanted.intersection(environment) and _start(pid) is not None:
            found.add(pid)
    return found


def _lives(pid: int, start: int) -> bool:
    found = _start(pid)
    if found is not None:
        return found == start
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It is there; this system hides the processes of other users, their start included.
        return not (_PROC / str(pid)).exists()
    return False  # it is a zombie: dead, though nobody has asked for its exit code yet


def _start(pid: int) -> int | None:
    """Start of a living process in ticks; None if it is dead or cannot be seen."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the command in parentheses, which may hold spaces and parentheses.
    words = text.rpartition(")")[2].split()
    if len(words) < 20 or words[0] in "ZX":
        return None
    return int(words[19])


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
