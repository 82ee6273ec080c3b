"""What is asked of a periodic medium at any gradient, from plain values to variables of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from torrey.base.stored import Group
from torrey.bloch.band_files import (
    band_groups,
    sampling_table,
    short_pulse_maps_table,
    short_pulse_signals_table,
)
from torrey.bloch.bands import BandSet, band_basis, band_set
from torrey.bloch.fields import dof_of_node
from torrey.bloch.maps_files import maps_variables, schemes_variables, strength_variables
from torrey.bloch.spectrum_files import modes_variables, outside_diffusivity, spectrum_variables
from torrey.cell.folding import Zone
from torrey.cell.operators import BlochTorrey
from torrey.geometry.mesh import CellMesh
from torrey.gradients.waveforms import Pgse


@dataclass(frozen=True)
class Result:
    """Variables of the root group, and of others."""

    variables: Group
    groups: Mapping[str, Group] = field(default_factory=dict)


Levels = Sequence[BlochTorrey]


def compute(
    recipe: Mapping[str, str | int | float], levels: Levels, meshes: Sequence[CellMesh]
) -> Result:
    """Variables of one run, and groups of them.

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
    found = _RUNS[kind](cell, json.loads(str(recipe["settings"])))
    return found if isinstance(found, Result) else Result(found)


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
        return self.levels[-1]

    @property
    def two(self) -> list[BlochTorrey]:
        """The two finest meshes, the coarser one first."""
        if len(self.levels) < 2:
            raise ValueError("one mesh tells no error: allow mesh.refinements of 1 or more")
        return list(self.levels[-2:])

    @property
    def diffusivity(self) -> float:
        """Of the outside, um^2/ms."""
        return outside_diffusivity(self.finest)

    def times(self, lengths: Sequence[float]) -> list[float]:
        """Times (ms) in which water diffuses by some lengths, in units of the period."""
        return [(length * self.period) ** 2 / self.diffusivity for length in lengths]

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


def _schemes(cell: _Cell, settings: Mapping[str, Any]) -> Group:
    return schemes_variables(
        cell.two,
        cell.mesh,
        cell.period,
        cell.permeability,
        tuple(settings["direction"]),
        settings["gradient_length"],
        settings["ratio"],
        settings["pulses"],
        settings["modes"],
        settings["resolution"],
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


def _band_sets(cell: _Cell, settings: Mapping[str, Any]) -> list[BandSet]:
    """Bands along each direction, on a basis of its own: smaller than one for all."""
    operators, resolution = cell.finest, float(settings["resolution"]) * cell.period
    zone = Zone(operators.cell.lattice, cell.period)
    sets = []
    for k in _tuples(settings["directions"]):
        vector = zone.vector(k)
        direction = vector / np.linalg.norm(vector)
        basis = band_basis(operators, cell.period, cell.permeability, [direction], resolution)
        sets.append(band_set(basis, direction, settings["pulses"]))
    return sets


def _bands(cell: _Cell, settings: Mapping[str, Any]) -> Result:
    return Result({}, band_groups(_band_sets(cell, settings)))


def _narrow_signals(cell: _Cell, settings: Mapping[str, Any]) -> Group:
    shape = cell.finest.cell
    ones = np.ones(shape.n_dofs)
    surface = ones @ (shape.matrix(shape.jump(np.ones(shape.n_membranes))) @ ones)
    return short_pulse_signals_table(
        _band_sets(cell, settings),
        [0.0, *settings["turns"]],
        cell.times(settings["diffusion_lengths"]),
        float(surface / shape.measures().sum() / cell.period),
    )


def _narrow_maps(cell: _Cell, settings: Mapping[str, Any]) -> Group:
    return short_pulse_maps_table(
        _band_sets(cell, settings),
        dof_of_node(cell.mesh, cell.finest.cell),
        settings["turns"],
        cell.times(settings["diffusion_lengths"]),
    )


def _sampling(cell: _Cell, settings: Mapping[str, Any]) -> Group:
    turn = 2.0 * np.pi / cell.period
    waveform = Pgse(settings["delta"], settings["Delta"])
    return sampling_table(waveform, settings["turns"] * turn, turn / settings["pulses"])


def _tuples(directions: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    return [tuple(direction) for direction in directions]


_RUNS: dict[str, Callable[[_Cell, Mapping[str, Any]], Group | Result]] = {
    "bands": _bands,
    "narrow-signals": _narrow_signals,
    "narrow-maps": _narrow_maps,
    "sampling": _sampling,
    "maps": _maps,
    "strengths": _strengths,
    "schemes": _schemes,
    "spectrum": _spectrum,
    "modes": _modes,
}
