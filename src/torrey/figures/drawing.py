"""What a figure is made from and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.figure import Figure

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group
from torrey.figures.entries import Entry
from torrey.figures.films import Film, write_film
from torrey.figures.sources import SourceFiles


@dataclass(frozen=True)
class FigureFiles(SourceFiles):
    """Files that a figure is drawn from."""


@dataclass(frozen=True)
class Drawing:
    """A finished figure and the data behind it; some have a film beside them."""

    figure: Figure
    data: Group
    film: Film | None = None

    @property
    def figures(self) -> list[Figure]:
        """The figure, and that of the film."""
        return [self.figure] if self.film is None else [self.figure, self.film.figure]


def draw(entry: Entry, files: FigureFiles, settings: Mapping[str, Any] | None = None) -> Drawing:
    """Call the function of an entry of the catalogue, or of a kind with a figure's settings."""
    function = getattr(import_module(entry.module), entry.function)
    drawing: Drawing = function(files) if settings is None else function(files, settings)
    return drawing


def save(
    drawing: Drawing, pdf: str, png: str, data: str, provenance: Provenance, gif: str = ""
) -> None:
    """Write a figure as PDF and PNG, and then its data as NetCDF, with the digests of both.

    A film is written beside them where it is given a path.
    """
    _settle(drawing.figure)
    # No date in the file: the same data give the same bytes. Type 42: journals ask for it.
    with rc_context({"pdf.fonttype": 42}), artifacts.whole(pdf) as name:
        drawing.figure.savefig(name, format="pdf", metadata={"CreationDate": None})
    with artifacts.whole(png) as name:
        drawing.figure.savefig(name, format="png", dpi=200, metadata={"Software": None})
    beside = [pdf, png]
    if gif and drawing.film is not None:
        _settle(drawing.film.figure)
        with artifacts.whole(gif) as name:
            write_film(drawing.film, name)
        beside.append(gif)
    artifacts.write(data, drawing.data, provenance, attributes=artifacts.beside(*beside))


#: Places in a figure keep so many decimals, in units of its size.
_DECIMALS: Final = 7


def _settle(figure: Figure) -> None:
    """Lay a figure out once and for all.

    The layout of matplotlib differs by a rounding from one process to the next, which a pixel can
    show; and it is computed anew for each file.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        if ax.get_axes_locator() is None:
            box = ax.get_position(original=True)
            x, y, width, height = (round(x, _DECIMALS) for x in box.bounds)
            ax.set_position((x, y, width, height))
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((round(x, _DECIMALS), round(y, _DECIMALS)))
