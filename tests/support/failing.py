"""A project in whose runs the writing of some files fails, in its last step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from support.project import Project

# Loaded by every Python of a run, if its directory is on the path: the last step, in which a
# complete file gets its name, fails for files of this kind.
_FAILING = """\
import errno, os, signal

rename = os.replace


def fail(source, target, **options):
    if any(part in str(target) for part in {parts}):
        {action}
    rename(source, target, **options)


os.replace = fail
"""
NO_SPACE = 'raise OSError(errno.EFBIG, "File too large")'
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"


def failing(project: Project, directory: Path, parts: Sequence[str], action: str) -> Project:
    """The same project, in whose runs the writing of some files fails."""
    directory.mkdir()
    text = _FAILING.format(parts=list(parts), action=action)
    (directory / "sitecustomize.py").write_text(text, encoding="utf-8")
    path = f"{directory}{os.pathsep}{project.path('src')}"
    return Project(project.root, {"PYTHONPATH": path})
