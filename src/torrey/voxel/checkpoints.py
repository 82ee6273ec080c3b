"""Where a long run was when it was last written down, so that a killed one can go on."""

from __future__ import annotations

import json
import os
import zipfile
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from torrey.base.artifacts import StorageError, whole
from torrey.voxel.steps import History

INTERVAL_VARIABLE: Final = "TORREY_CHECKPOINT_SECONDS"

#: A job that is done may take the empty folder from under another that is about to write there.
_TRIALS: Final = 5
#: What a reader may find in the place of a checkpoint.
_UNREADABLE: Final = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Progress:
    """How far a job has come.

    Attributes
    ----------
    done : mapping of str to mapping
        What the runs that have ended gave, by their names.
    run : str
        Name of the run that was under way; empty between two.
    segment : int
        Segment of its waveform.
    history : History, optional
    seconds : float
        Wall time so far.
    """

    done: dict[str, dict[str, Any]]
    run: str = ""
    segment: int = 0
    history: History | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds the progress of one job.

    Attributes
    ----------
    path : Path
    key : str
        Digest of all that the job depends on: progress of another one is not taken.
    interval : float
        Seconds between two writings.
    """

    path: Path
    key: str
    interval: float = 60.0

    @classmethod
    def beside(cls, path: str | Path, key: str) -> Self:
        """Return the checkpoint of a job of this key at a path.

        ``TORREY_CHECKPOINT_SECONDS`` in the environment is the time between two writings.
        """
        given = os.environ.get(INTERVAL_VARIABLE, "")
        return cls(Path(path), key, float(given)) if given else cls(Path(path), key)

    def load(self) -> Progress | None:
        """Return the progress; None where there is none of this job, or it is damaged."""
        try:
            # Checks the sum of what it reads.
            with np.load(self.path, allow_pickle=False) as file:
                plain = json.loads(str(file["progress"]))
                if plain.pop("key") != self.key:
                    return None
                found = plain.pop("history")
                history = found and History(**found, differences=file["differences"])
                return Progress(**plain, history=history)
        except _UNREADABLE:
            return None

    def save(self, progress: Progress) -> None:
        """Write the progress, all of it or nothing.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        history = progress.history
        plain: dict[str, Any] = {
            "key": self.key,
            "done": progress.done,
            "run": progress.run,
            "segment": progress.segment,
            "seconds": progress.seconds,
            "history": None,
        }
        arrays: dict[str, Any] = {}
        if history is not None:
            names = [f.name for f in fields(history) if f.name != "differences"]
            plain["history"] = {name: getattr(history, name) for name in names}
            arrays["differences"] = history.differences
        for trial in range(_TRIALS):
            try:
                with whole(self.path) as name, open(name, "wb") as stream:
                    np.savez(stream, progress=np.array(json.dumps(plain)), **arrays)
                return
            except StorageError as error:
                folder_gone = isinstance(error.__cause__, FileNotFoundError)
                if not folder_gone or trial == _TRIALS - 1:
                    raise

    def remove(self) -> None:
        """Remove the file: the job is done."""
        self.path.unlink(missing_ok=True)
        with suppress(OSError):  # others may have theirs there
            self.path.parent.rmdir()
