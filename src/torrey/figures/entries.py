"""How a figure or a table is made: which function of which module, and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torrey.figures.needs import Needs

Source = Literal[
    "mesh",
    "signals",
    "convergence",
    "kurtosis",
    "cumulants",
    "eigenvalues",
    "tensors",
    "inversion",
    "bloch",
    "voxel",
    "magnetisation",
]
"""Kinds of files that figures and tables are made from; the workflow knows where they are."""


@dataclass(frozen=True)
class Entry:
    """How a figure is made.

    Attributes
    ----------
    module, function : str
        ``function(FigureFiles) -> Drawing`` in ``module``.
    reads : tuple of str
        Kinds of files, each for all that the figure shows.
    caption : str
        For the report.
    needs : Needs
        What it can show, which is checked before anything is computed.
    beside : Needs, optional
        Of the inversions that it can show beside that.
    film : bool
        Whether a film is made with it.
    """

    module: str
    function: str
    reads: tuple[Source, ...]
    caption: str
    needs: Needs = Needs()
    beside: Needs | None = None
    film: bool = False
