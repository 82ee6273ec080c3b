"""What is asked of a periodic medium at any gradient, from plain values to variables of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from torrey.base.progress import Progress, untold
from torrey.base.stored import Group, group_of
from torrey.bloch.bands import BandSet, band_basis, band_set
from torrey.bloch.dispersion import run_dispersion
from torrey.bloch.echo_runs import run_maps, run_schemes, run_strengths
from torrey.bloch.fields import dof_of_node, outside_diffusivity
from torrey.bloch.files import band_groups
from torrey.bloch.narrow_runs import run_narrow_maps, run_narrow_signals, run_sampling
from torrey.bloch.spectrum_runs import run_modes, run_spectrum
from torrey.cell.folding import Zone
from torrey.cell.operators import BlochTorrey
from torrey.cell.refinement import ONE_MESH
from torrey.geometry.mesh import CellMesh
from torrey.gradients.waveforms import Pgse

Levels = Sequence[BlochTorrey]
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """Variables of the root group, and of others."""

    variables: Group
    groups: Mapping[str, Group] = field(default_factory=dict)


def compute(
    recipe: Mapping[str, str | int | float],
    levels: Levels,
    meshes: Sequence[CellMesh],
    progress: Progress = untold,
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
    progress : Progress
        Is told how far the longer ones are.

    Raises
    ------
    ValueError
        If there is no such kind, or a single mesh where two are compared.
    """
    kind = str(recipe["kind"])
    if kind not in KINDS:
        raise ValueError(f"found the kind {kind}, accepted: {', '.join(KINDS)}")
    sizes = float(recipe["period"]), float(recipe["permeability"])
    medium = Medium(levels, meshes[-1], *sizes, progress)
    return KINDS[kind](medium, json.loads(str(recipe["settings"])))


@dataclass(frozen=True)
class Medium:
    """Operators and finest mesh of a periodic cell, its size and its membranes.

    Attributes
    ----------
    levels : sequence of BlochTorrey
        Operators by mesh, coarsest first.
    mesh : CellMesh
        The finest.
    period : float, um
    permeability : float, um/ms
    progress : Progress
        Is told how far a run on it is.
    """

    levels: Levels
    mesh: CellMesh
    period: float
    permeability: float
    progress: Progress = untold

    @property
    def finest(self) -> BlochTorrey:
        """Operators on the finest mesh."""
        return self.levels[-1]

    @property
    def two(self) -> list[BlochTorrey]:
        """The two finest meshes, the coarser one first."""
        if len(self.levels) < 2:
            raise ValueError(ONE_MESH)
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


def _maps(medium: Medium, settings: Settings) -> Result:
    found = run_maps(
        medium.finest,
        medium.mesh,
        medium.period,
        medium.permeability,
        _tuples(settings["directions"]),
        settings["gradient_lengths"],
        settings["ratio"],
        settings["pulses"],
        medium.progress,
    )
    return Result(group_of(found))


def _strengths(medium: Medium, settings: Settings) -> Result:
    found = run_strengths(
        medium.finest,
        medium.period,
        medium.permeability,
        _tuples(settings["directions"]),
        settings["pulse_lengths"],
        settings["strengths"],
        settings["pulses"],
        medium.progress,
    )
    return Result(group_of(found))


def _schemes(medium: Medium, settings: Settings) -> Result:
    found = run_schemes(
        medium.two,
        medium.mesh,
        medium.period,
        medium.permeability,
        tuple(settings["direction"]),
        settings["gradient_length"],
        settings["ratio"],
        settings["pulses"],
        settings["modes"],
        settings["resolution"],
    )
    return Result(group_of(found))


def _spectrum(medium: Medium, settings: Settings) -> Result:
    gradients = [medium.gradient(strength) for strength in settings["strengths"]]
    direction = tuple(settings["direction"])
    found = run_spectrum(
        medium.two, medium.period, medium.permeability, direction, gradients, settings["count"]
    )
    return Result(group_of(found))


def _modes(medium: Medium, settings: Settings) -> Result:
    gradients = [medium.gradient(length**-3) for length in settings["gradient_lengths"]]
    direction = tuple(settings["direction"])
    found = run_modes(
        medium.two,
        medium.mesh,
        medium.period,
        medium.permeability,
        direction,
        gradients,
        settings["count"],
        progress=medium.progress,
    )
    return Result(group_of(found))


def _band_sets(medium: Medium, settings: Settings) -> list[BandSet]:
    """Bands along each direction, on a basis of its own: smaller than one for all."""
    operators, resolution = medium.finest, float(settings["resolution"]) * medium.period
    zone = Zone(operators.cell.lattice, medium.period)
    sets = []
    for k in _tuples(settings["directions"]):
        vector = zone.vector(k)
        direction = vector / np.linalg.norm(vector)
        basis = band_basis(operators, medium.period, medium.permeability, [direction], resolution)
        sets.append(band_set(basis, direction, settings["pulses"], medium.progress))
    return sets


def _bands(medium: Medium, settings: Settings) -> Result:
    return Result({}, band_groups(_band_sets(medium, settings)))


def _narrow_signals(medium: Medium, settings: Settings) -> Result:
    shape = medium.finest.cell
    ones = np.ones(shape.n_dofs)
    surface = ones @ (shape.matrix(shape.jump(np.ones(shape.n_membranes))) @ ones)
    found = run_narrow_signals(
        _band_sets(medium, settings),
        [0.0, *settings["turns"]],
        medium.times(settings["diffusion_lengths"]),
        float(surface / shape.measures().sum() / medium.period),
    )
    return Result(group_of(found))


def _narrow_maps(medium: Medium, settings: Settings) -> Result:
    found = run_narrow_maps(
        _band_sets(medium, settings),
        dof_of_node(medium.mesh, medium.finest.cell),
        settings["turns"],
        medium.times(settings["diffusion_lengths"]),
    )
    return Result(group_of(found))


def _sampling(medium: Medium, settings: Settings) -> Result:
    turn = 2.0 * np.pi / medium.period
    waveform = Pgse(settings["delta"], settings["Delta"])
    found = run_sampling(waveform, settings["turns"] * turn, turn / settings["pulses"])
    return Result(group_of(found))


def _dispersion(medium: Medium, settings: Settings) -> Result:
    zone = Zone(medium.finest.cell.lattice, medium.period)
    vectors = [zone.vector(k) for k in _tuples(settings["directions"])]
    found = run_dispersion(
        medium.two,
        medium.period,
        medium.permeability,
        [vector / np.linalg.norm(vector) for vector in vectors],
        settings["times"],
        settings["frequencies"],
    )
    return Result(group_of(found))


def _tuples(directions: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    return [tuple(direction) for direction in directions]


KINDS: Final[Mapping[str, Callable[[Medium, Settings], Result]]] = {
    "bands": _bands,
    "narrow-maps": _narrow_maps,
    "narrow-signals": _narrow_signals,
    "sampling": _sampling,
    "schemes": _schemes,
    "maps": _maps,
    "strengths": _strengths,
    "spectrum": _spectrum,
    "modes": _modes,
    "dispersion": _dispersion,
}
"""What a configuration may ask for, by the name of the kind."""
