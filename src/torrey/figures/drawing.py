"""What a figure is made from and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from torrey import artifacts
from torrey.artifacts import Group
from torrey.figures.catalogue import Recipe
from torrey.provenance import Provenance


@dataclass(frozen=True)
class FigureFiles:
    """Files that a figure is drawn from.

    Attributes
    ----------
    files : mapping of str to mapping of str to str
        ``files[kind][name]`` with kind ``mesh``, ``signals``, ``convergence``, ... (the stem of the
        file) and the name of the geometry or study, in the order of the configuration.
    """

    files: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, paths: Sequence[str], names: Sequence[str]) -> FigureFiles:
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


@dataclass(frozen=True)
class Drawing:
    """A finished figure and the data behind it."""

    figure: Figure
    data: Group


def draw(recipe: Recipe, files: FigureFiles) -> Drawing:
    """Call the function of a recipe."""
    function = getattr(import_module(recipe.module), recipe.function)
    drawing: Drawing = function(files)
    return drawing


def save(drawing: Drawing, pdf: str, png: str, data: str, provenance: Provenance) -> None:
    """Write a figure as PDF and PNG, and its data as NetCDF."""
    artifacts.write(data, drawing.data, provenance)
    # No date in the file: the same data give the same bytes. Type 42: journals ask for it.
    with rc_context({"pdf.fonttype": 42}), artifacts.whole(pdf) as name:
        drawing.figure.savefig(name, format="pdf", metadata={"CreationDate": None})
    with artifacts.whole(png) as name:
        drawing.figure.savefig(name, format="png", dpi=200, metadata={"Software": None})
