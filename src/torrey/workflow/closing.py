"""What a run says at its end: what was made, and where it is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from torrey.workflow.layout import RESULTS

#: Folders with results that have names, and what one and several of them are called.
_NAMED: Final[dict[str, tuple[str, str]]] = {
    "figures": ("figure", "figures"),
    "tables": ("table", "tables"),
    "studies": ("study", "studies"),
    "dictionaries": ("dictionary", "dictionaries"),
    "inversions": ("inversion", "inversions"),
    "designs": ("design", "designs"),
    "bloch": ("run of bloch", "runs of bloch"),
    "voxels": ("voxel", "voxels"),
    "geometry": ("geometry", "geometries"),
}


def closing_words(files: Iterable[str]) -> list[str]:
    """Say in a few lines what a run has made; nothing if it has made nothing.

    Parameters
    ----------
    files : iterable of str
        Paths of all files that jobs of the run have made.
    """
    made = sorted({PurePosixPath(file) for file in files})
    if not made:
        return []
    named: dict[str, set[str]] = {}
    others = 0
    for path in made:
        folder = path.parts[1] if len(path.parts) > 2 and path.parts[0] == RESULTS else ""
        if folder in _NAMED:
            # A name is that of a folder, or of files that differ in their kind alone.
            name = path.parts[2] if len(path.parts) > 3 else path.stem
            named.setdefault(folder, set()).add(name)
        else:
            others += 1
    lines = [
        f"    {len(names)} {_NAMED[folder][len(names) > 1]} in {RESULTS}/{folder}/"
        for folder, names in sorted(named.items(), key=lambda item: list(_NAMED).index(item[0]))
    ]
    if others:
        noun = "file" if others == 1 else "files"
        lines.append(f"    {others} {noun} elsewhere in {RESULTS}/, on the way to these")
    count = "1 file was" if len(made) == 1 else f"{len(made):,} files were"
    logs = f"What each job said is in {RESULTS}/logs/."
    return [f"{count} made in this run, for:", *lines, logs]
