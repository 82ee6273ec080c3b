"""What a long job writes into its log while it runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def told_to(log: str | Path) -> Callable[[str], None]:
    """Return what writes lines into a log, after what is in it.

    The job has begun it anew (`torrey.workflow.jobs`): nothing that this job wrote is lost.
    Where that is impossible, nobody is told: the job goes on.
    """
    path = Path(log)

    def say(text: str) -> None:
        with suppress(OSError), path.open("a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")

    return say
