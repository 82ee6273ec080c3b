"""Where the workflow itself is: in a clone of the project, or inside the installed library."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torrey
from torrey.base.errors import TorreyError

INSTALLED: Final = "snakemake_files"
"""Folder of the installed library with the Snakefile and all that it reads (see pyproject.toml)."""


def program() -> Path:
    """Return the folder of the Snakefile.

    Raises
    ------
    TorreyError
        If there is none: the library was installed without it.
    """
    library = Path(torrey.__file__).parent
    for folder in (library / INSTALLED, library.parents[1]):
        if (folder / "Snakefile").is_file() and (folder / "workflow" / "scripts").is_dir():
            return folder
    raise TorreyError(
        f"{library}: found no Snakefile with the library, accepted: the library as `pip install .` "
        "installs it, or a clone of the project with `make env`"
    )


def snakefile_option() -> str:
    """Return what a command of Snakemake needs here beside targets, or nothing in a clone."""
    folder = program()
    if folder.resolve() == Path.cwd().resolve():
        return ""
    return f"--snakefile {folder / 'Snakefile'} "
