"""One alarm at a time, however many are asked for.

Snakemake bounds how many jobs it starts per second. After each look at the jobs that are ready it
asks to look again a second later, every time by a timer of its own, and each timer that rings makes
a look, which asks for another one: their number grows with every job that ends. After 450 jobs
(Snakemake 9.27) hundreds of looks per second took a third of a core from the jobs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Alarm:
    """Calls something after a delay, unless a call is already due.

    Parameters
    ----------
    ring : callable
        Called without arguments, in a thread of its own.
    """

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._lock = threading.Lock()
        self._is_due = False

    def __call__(self, delay: float) -> None:
        """Ring after so many seconds, if no call is due."""
        with self._lock:
            if self._is_due:
                return
            self._is_due = True
        threading.Timer(delay, self._call).start()

    def _call(self) -> None:
        # What is asked for while it rings is a new call.
        with self._lock:
            self._is_due = False
        self._ring()
