"""Files that a figure or a table is made from, by what they hold and what they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class SourceFiles:
    """Files that a figure or a table is made from.

    Attributes
    ----------
    files : mapping of str to mapping of str to str
        ``files[kind][name]`` with kind ``mesh``, ``signals``, ``convergence``, ... (the stem of the
        file) and the name of the geometry or study, in the order of the configuration.
    """

    files: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, paths: Sequence[str], names: Sequence[str]) -> Self:
        """Sort paths that come kind by kind, each kind in the order of the names.

        Raises
        ------
        ValueError
            If there is not one file per name of every kind.
        """
        if not names or len(paths) % len(names):
            raise ValueError(f"{len(paths)} files for {len(names)} names")
        files: dict[str, dict[str, str]] = {}
        for i, path in enumerate(paths):
            files.setdefault(Path(path).stem, {})[names[i % len(names)]] = path
        return cls(files)
