"""Which function draws a figure of one's own of some kind, and what it reads."""

from __future__ import annotations

from typing import Final

from torrey.figures.entries import Entry

KINDS: Final[dict[str, Entry]] = {
    "signals": Entry(
        "torrey.figures.own_signals",
        "own_signals",
        ("signals", "mesh"),
        "Signals of models beside the reference",
    ),
    "errors": Entry(
        "torrey.figures.own_errors",
        "own_errors",
        ("signals", "mesh"),
        "Errors of models, above the numerical error",
    ),
    "geometry": Entry(
        "torrey.figures.own_geometry",
        "own_geometry",
        ("mesh",),
        "Cells, their meshes, and the cells among their neighbours",
    ),
}
"""Functions ``function(FigureFiles, settings) -> Drawing``; what a figure can show is checked by
`torrey.config.own_figures` when the configuration is read."""
