"""What is asked of a periodic medium at any gradient, from plain values to variables of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from torrey.artifacts import Group
from torrey.bloch.maps_files import maps_variables, strength_variables
from torrey.bloch.spectrum_files import modes_variables, spectrum_variables
from torrey.cell.operators import BlochTorrey
from torrey.geometry.mesh import CellMesh

Levels = Sequence[Callable[[], BlochTorrey]]


def compute(
    recipe: Mapping[str, str | int | float], levels: Levels, meshes: Sequence[CellMesh]
) -> Group:
    """Variables of one run.

    Parameters
    ----------
    recipe : mapping
        ``kind``, ``period`` (um), ``permeability`` (um/ms) and ``settings``, the keys of the kind
        as JSON; lengths in ``settings`` are in units of the period.
    levels : sequence of callables
        Operators by mesh, coarsest first.
    meshes : sequence of CellMesh

    Raises
    ------
    ValueError
        If there is no such kind, or a single mesh where two are compared.
    """
    kind = str(recipe["kind"])
    if kind not in _RUNS:
        raise ValueError(f"found the kind {kind}, accepted: {', '.join(_RUNS)}")
    cell = _Cell(levels, meshes, float(recipe["period"]), float(recipe["permeability"]))
    return _RUNS[kind](cell, json.loads(str(recipe["settings"])))


class _Cell:
    """Operators and meshes of a run, and its size."""

    def __init__(
        self, levels: Levels, meshes: Sequence[CellMesh], period: float, permeability: float
    ) -> None:
        self.levels = levels
        self.mesh = meshes[-1]
        self.period = period
        self.permeability = permeability

    @property
    def finest(self) -> BlochTorrey:
        return self.levels[-1]()

    @property
    def two(self) -> list[BlochTorrey]:
        """The two finest meshes, the coarser one first."""
        if len(self.levels) < 2:
            raise ValueError("one mesh tells no error: allow mesh.refinements of 1 or more")
        return [level() for level in self.levels[-2:]]

    @property
    def diffusivity(self) -> float:
        """Of the outside, um^2/ms."""
        D = self.finest.diffusivity[0]
        return float(np.trace(D)) / len(D)

    def gradient(self, strength: float) -> float:
        """G (rad/um/ms) of (L/l_g)^3 = G L^3/D."""
        return strength * self.diffusivity / self.period**3


def _maps(cell: _Cell, settings: Mapping[str, Any]) -> Group:
    return maps_variables(
        cell.finest,
        cell.mesh,
        cell.period,
        cell.permeability,
        _tuples(settings["directions"]),
        settings["gradient_lengths"],
        settings["ratio"],
    )


def _strengths(cell: _Cell, settings: Mapping[str, Any]) -> Group:
    return strength_variables(
        cell.finest,
        cell.period,
        cell.permeability,
        _tuples(settings["directions"]),
        settings["pulse_lengths"],
        settings["strengths"],
    )


def _spectrum(cell: _Cell, settings: Mapping[str, Any]) -> Group:
    gradients = [cell.gradient(strength) for strength in settings["strengths"]]
    direction = tuple(settings["direction"])
    return spectrum_variables(
        cell.two, cell.period, cell.permeability, direction, gradients, settings["count"]
    )


def _modes(cell: _Cell, settings: Mapping[str, Any]) -> Group:
    gradients = [cell.gradient(length**-3) for length in settings["gradient_lengths"]]
    direction = tuple(settings["direction"])
    return modes_variables(
        cell.two,
        cell.mesh,
        cell.period,
        cell.permeability,
        direction,
        gradients,
        settings["count"],
    )


def _tuples(directions: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    return [tuple(direction) for direction in directions]


_RUNS: dict[str, Callable[[_Cell, Mapping[str, Any]], Group]] = {
    "maps": _maps,
    "strengths": _strengths,
    "spectrum": _spectrum,
    "modes": _modes,
}
