"""Cells of one's own: the cell, its mesh, and the cell among its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from torrey.base import artifacts
from torrey.base.stored import Variable
from torrey.figures import style
from torrey.figures.cell_pictures import draw_on
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.plane_cells import MARGIN
from torrey.geometry.files import read_mesh

_WORDS: Final = {
    "cell": "cell",
    "mesh": "coarsest mesh",
    "extension": "cell and its neighbours",
}
#: Part of the cell's width that an extension shows of its neighbours.
_FAR: Final = 1.0


@style.styled
def own_geometry(files: FigureFiles, settings: Mapping[str, Any]) -> Drawing:
    """Cells of any dimension, a row for each and a panel for each of what is shown of it.

    Parameters
    ----------
    files : FigureFiles
        With the ``mesh`` of each geometry.
    settings : mapping
        ``show``, some of ``cell``, ``mesh`` and ``extension``.
    """
    paths, show = files.files["mesh"], list(settings["show"])
    width = style.PAGE if len(show) > 1 else style.COLUMN
    side = width / len(show)
    figure = style.new_figure(width, 1.12 * side * len(paths))
    axes = figure.subplots(len(paths), len(show), squeeze=False)
    letters = iter(style.letters(axes.size))
    words = files.cells()
    counts = {}
    for row, (name, path) in zip(axes, paths.items(), strict=True):
        mesh = read_mesh(path)
        regions = [str(region) for region in artifacts.read(path)["region"]]
        counts[name] = np.bincount(mesh.region).sum()
        for ax, part in zip(row, show, strict=True):
            margin = _FAR if part == "extension" else MARGIN
            draw_on(ax, mesh, regions, part == "mesh", "in units of the cell", margin)
            style.panel_title(ax, next(letters), f"{words[name]}\n{_WORDS[part]}")
    data = {
        "geometry": Variable(
            ("geometry",), np.array(list(counts), dtype=object), "", "name of the geometry"
        ),
        "elements": Variable(
            ("geometry",), np.array(list(counts.values())), "1", "elements of the coarsest mesh"
        ),
    }
    return Drawing(figure, data)
