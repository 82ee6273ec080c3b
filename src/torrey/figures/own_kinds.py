"""Which function draws a figure of one's own of some kind, and what it reads."""

from __future__ import annotations

from typing import Final

from torrey.figures.entries import Entry
from torrey.figures.needs import FitNeeds, Needs, runs

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
    "angles": Entry(
        "torrey.figures.own_angles",
        "own_angles",
        ("signals", "mesh"),
        "Signals of models beside the reference, against the direction of the gradient",
    ),
    "orders": Entry(
        "torrey.figures.own_orders",
        "own_orders",
        ("convergence", "mesh"),
        "Errors of models against the period, with their orders of convergence",
    ),
    "cumulants": Entry(
        "torrey.figures.own_cumulants",
        "own_cumulants",
        ("cumulants", "mesh"),
        "Apparent diffusivity and kurtosis at b -> 0, without a fit",
    ),
    "magnetisation": Entry(
        "torrey.figures.own_magnetisation",
        "own_magnetisation",
        ("magnetisation", "mesh"),
        "Magnetisation in a cell at some times of one measurement",
        Needs(most=1),
        film=True,
    ),
    "dispersion": Entry(
        "torrey.figures.dispersion",
        "own_dispersion",
        ("bloch", "mesh"),
        "Diffusivity and kurtosis against time and frequency, with exchange and without",
        runs("dispersion", most=4, directions=1, shared=("times", "frequencies")),
    ),
    "fit": Entry(
        "torrey.figures.fits",
        "own_fit",
        ("inversion",),
        "Estimates from measured signals, by voxel, with their intervals and their correlation",
        Needs(most=1, fits=FitNeeds("measured")),
    ),
    "maps": Entry(
        "torrey.figures.fits",
        "own_maps",
        ("inversion",),
        "Maps of the parameters that are fitted to measured volumes, and of their errors",
        Needs(most=1, fits=FitNeeds("volumes")),
    ),
    "geometry": Entry(
        "torrey.figures.own_geometry",
        "own_geometry",
        ("mesh",),
        "Cells, their meshes, and the cells among their neighbours",
    ),
}
"""Functions ``function(FigureFiles, settings) -> Drawing``; what a figure can show is checked by
`torrey.config.own_figures` when the configuration is read, and by the needs of its kind."""
