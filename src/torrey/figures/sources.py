"""Files that a figure or a table is made from, by what they hold and what they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from torrey.base import artifacts
from torrey.geometry.registry import shape_from_dict
from torrey.geometry.shapes import Shape


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

    def with_fits(self, paths: Sequence[str]) -> Self:
        """Together with ``fit.nc`` of inversions, by the names of their folders."""
        fits = {Path(path).parent.name: path for path in paths}
        return replace(self, files={**self.files, "fit": fits}) if fits else self

    def cells(self) -> dict[str, str]:
        """Say in words what the cell of each entry is; nothing if no meshes are read.

        Different cells of which one says the same are told apart by their names.
        """
        meshes = self.files.get("mesh", {})
        words = {name: cell_in_words(path) for name, path in meshes.items()}
        return {
            name: text
            if all(meshes[other] == meshes[name] for other, said in words.items() if said == text)
            else f"{name.replace('_', ' ')}: {text}"
            for name, text in words.items()
        }


def cell_in_words(mesh: str | Path) -> str:
    """Say what a cell is, such as ``disc, R = 0.4``, from the file of its meshes."""
    return shape_of(mesh).describe()


def shape_of(mesh: str | Path) -> Shape:
    """The cell of a file of meshes."""
    return shape_from_dict(parameters_of(mesh))


def parameters_of(path: str | Path) -> dict[str, Any]:
    """Parameters of the job that made a file."""
    found: dict[str, Any] = json.loads(artifacts.attributes(path)["parameters"])
    return found
