"""What a long job writes into its log while it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def told_to(log: str | Path) -> Callable[[str], None]:
    """Return what writes lines into a log, which is begun anew.

    Where that is impossible, nobody is told: the job goes on.
    """
    path = Path(log)
    mode = "w"

    def say(text: str) -> None:
        nonlocal mode
        try:
            with path.open(mode, encoding="utf-8") as stream:
                stream.write(f"{text}\n")
            mode = "a"
        except OSError:
            pass

    return say
