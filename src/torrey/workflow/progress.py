"""What a long job says while it runs: into its log, and now and then to whoever watches the run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

#: Seconds between two lines of a log, on average.
_INTERVAL: Final = 3.0
#: Parts whose beginning is told at once, though the line before is not that old: what comes first
#: takes little time as a rule, and what takes long must not begin in silence.
_AT_ONCE: Final = 4
#: Seconds before a job says something in the terminal, and between two lines there: there may be
#: many jobs.
_PATIENCE: Final = 15.0


class Teller:
    """Says how far a job is, with the time left as it follows from what is done so far.

    It is a `torrey.base.progress.Progress`. The job has begun its log anew
    (`torrey.workflow.jobs`): nothing that this job wrote is lost. Where the log cannot be written,
    nobody is told and the job goes on.

    Parameters
    ----------
    log : path
    name : str
        Of the job, before each line in the terminal.
    clock : callable
        Gives seconds.
    """

    def __init__(
        self, log: str | Path, name: str = "", clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._log = Path(log)
        self._name = name
        self._clock = clock
        self._watched = clock()
        self._said = clock()
        self._at_once = float(_AT_ONCE)
        self._began: dict[str, float] = {}

    def __call__(self, fraction: float, part: str) -> None:
        """Say how much of a part is done, unless something was said just now."""
        now = self._clock()
        begins = part not in self._began
        began = self._began.setdefault(part, now)
        if fraction <= 0.0 < now - began:
            # The same once more, such as another point on the same mesh.
            began = self._began[part] = now
            begins = True
        recently = now - self._said < _INTERVAL
        if recently and not (begins and self._at_once >= 1.0):
            return
        self._at_once = min(self._at_once + (now - self._said) / _INTERVAL, _AT_ONCE)
        self._at_once -= 1.0
        self.say(_line(fraction, part, now - began))

    def say(self, text: str) -> None:
        """Write a line into the log, and into the terminal if nothing was said there for long."""
        now = self._said = self._clock()
        with suppress(OSError), self._log.open("a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
        if self._name and now - self._watched >= _PATIENCE:
            self._watched = now
            print(f"{self._name}: {text}", file=sys.stderr, flush=True)


def _line(fraction: float, part: str, seconds: float) -> str:
    if fraction <= 0.0:
        return f"{part}: begins"
    if fraction >= 1.0:
        return f"{part}: done in {seconds:.0f} s"
    left = seconds * (1.0 - fraction) / fraction
    return f"{part}: {fraction:.0%} in {seconds:.0f} s, about {left:.0f} s left"
