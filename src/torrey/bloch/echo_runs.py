"""Runs of echoes: magnetisation over the cell, and signals against the gradient, by both schemes.

Gradients are told by their gradient length l_g = (D / G)^(1/3) and pulses by the diffusion length
l_delta = sqrt(D delta), as in MMG20; Delta = delta. The scheme of MMG20 replaces the gradient by
narrow pulses, P in a reciprocal lattice vector; the other one takes the gradient as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.base.progress import Progress, each, untold
from torrey.base.stored import nested, stored
from torrey.bloch.bands import BandSet, band_basis, band_set
from torrey.bloch.fields import DrawnMesh, Scales, dof_of_node, outside_diffusivity
from torrey.bloch.folded_basis import FoldedModel, count_modes, folded_models, road
from torrey.bloch.folded_signals import Propagator, converged_signal, magnetisation
from torrey.bloch.narrow_pulses import magnetisation as narrow_magnetisation
from torrey.bloch.narrow_pulses import pulsed_signal, signal_of
from torrey.bloch.sampling import RULES, Rule, sample
from torrey.bloch.shared_bands import folded_bands
from torrey.bloch.visited import Case, SignalTable
from torrey.cell.operators import BlochTorrey
from torrey.geometry.mesh import CellMesh
from torrey.gradients.waveforms import Pgse, Waveform

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Integers = tuple[int, ...]

#: Of the steps in time, relative to the signal.
_TOLERANCE = 1e-5
#: Resolution of bands over the gradient length l whose basis of folded fields takes their place: at
#: its wave vectors this has the bands up to 7 D / l^2, which are 1.3 D / resolution^2, and some
#: more (`count_modes`). It has 0.7 to 1.4 times as many functions as theirs.
_RESOLVED = 0.43
_STRENGTHS = ("direction", "pulse_length", "strength")
_P = "P: narrow pulses per |G|"


@dataclass(frozen=True)
class Directions:
    """Directions of the gradients of a run."""

    vector: tuple[Integers, ...] = field(
        metadata=stored(
            ("direction", "reciprocal_axis"),
            "1",
            "direction of the gradient in the reciprocal lattice",
            name="direction_vector",
            dtype=np.int32,
        )
    )


@dataclass(frozen=True)
class EchoMaps:
    """m(T_E) over the cell for some gradients; the sign is that of MMG20 (1): +i g.x."""

    directions: Directions = field(metadata=nested())
    gradient_length: Array = field(
        metadata=stored(("gradient_length",), "1", "l_g / L", dtype=float)
    )
    ratio: float = field(metadata=stored((), "1", "l_delta / l_g"))
    magnetisation: ComplexArray = field(
        metadata=stored(("direction", "gradient_length", "node"), "1", "m(T_E)", dtype=complex)
    )
    signal: Array = field(
        metadata=stored(("direction", "gradient_length"), "1", "signal, real part")
    )
    pulses: int = field(metadata=stored((), "1", _P, dtype=np.int32))
    pulsed_magnetisation: ComplexArray = field(
        metadata=stored(
            ("direction", "gradient_length", "node"),
            "1",
            "m(T_E), gradient as narrow pulses by rounding",
            dtype=complex,
        )
    )
    pulsed_signal: Array = field(
        metadata=stored(
            ("direction", "gradient_length"), "1", "signal, gradient as narrow pulses by rounding"
        )
    )
    mesh: DrawnMesh = field(metadata=nested())
    scales: Scales = field(metadata=nested())


@dataclass(frozen=True)
class EchoSignals:
    """Signals against the strength of the gradient for pulses of some lengths."""

    directions: Directions = field(metadata=nested())
    pulse_length: Array = field(metadata=stored(("pulse_length",), "1", "l_delta / L", dtype=float))
    strength: Array = field(
        metadata=stored(("strength",), "1", "(l_delta / l_g)^6 = D G^2 delta^3")
    )
    signal: Array = field(metadata=stored(_STRENGTHS, "1", "signal"))
    signal_error: Array = field(
        metadata=stored(_STRENGTHS, "1", "estimated error of basis and steps, absolute")
    )
    pulses: int = field(metadata=stored((), "1", _P, dtype=np.int32))
    pulsed_signal: Array = field(
        metadata=stored(_STRENGTHS, "1", "signal, gradient as narrow pulses by rounding")
    )
    scales: Scales = field(metadata=nested())


@dataclass(frozen=True)
class Schemes:
    """One echo: m(T_E) on the finest mesh, and its signal by both schemes on each mesh.

    The sign of m is that of MMG20 (1): +i g.x.
    """

    direction: Array = field(metadata=stored(("axis",), "1", "direction of the gradient"))
    gradient_length: float = field(metadata=stored((), "1", "l_g / L"))
    ratio: float = field(metadata=stored((), "1", "l_delta / l_g"))
    width: float = field(
        metadata=stored((), "rad um-1", "reciprocal lattice vector along the gradient, |G|")
    )
    q: float = field(metadata=stored((), "rad um-1", "largest wave number"))
    magnetisation: ComplexArray = field(metadata=stored(("node",), "1", "m(T_E)", dtype=complex))
    unknowns: tuple[int, ...] = field(
        metadata=stored(("mesh",), "1", "degrees of freedom of the mesh")
    )
    functions: tuple[int, ...] = field(
        metadata=stored(("mesh",), "1", "basis of the continuous scheme")
    )
    signal: tuple[float, ...] = field(metadata=stored(("mesh",), "1", "signal, gradient as it is"))
    signal_error: tuple[float, ...] = field(
        metadata=stored(("mesh",), "1", "estimated error of basis and steps, absolute")
    )
    pulses: tuple[int, ...] = field(metadata=stored(("pulses",), "1", "P: pulses per |G|"))
    modes: tuple[int, ...] = field(metadata=stored(("modes",), "1", "modes at each wave vector"))
    rule: tuple[Rule, ...] = field(metadata=stored(("rule",), "1", "rule by which q(t) is sampled"))
    pulsed_signal: Array = field(
        metadata=stored(
            ("mesh", "pulses", "modes", "rule"), "1", "signal, gradient as narrow pulses"
        )
    )
    mesh: DrawnMesh = field(metadata=nested())
    scales: Scales = field(metadata=nested())


def run_maps(
    operators: BlochTorrey,
    mesh: CellMesh,
    period: float,
    permeability: float,
    directions: Sequence[Integers],
    gradient_lengths: Sequence[float],
    ratio: float,
    pulses: int,
    progress: Progress = untold,
) -> EchoMaps:
    """m(T_E) over the cell for pulses with l_delta / l_g = ratio, by both schemes.

    Parameters
    ----------
    operators : BlochTorrey
    mesh : CellMesh
        That of the operators.
    period : float, um
    permeability : float, um/ms
    directions : sequence of tuple of int
        Gradients along B k, (1, 0) and (1, 1) for instance.
    gradient_lengths : sequence of float
        l_g / L.
    ratio : float
    pulses : int
        P, of the scheme of MMG20, by rounding; on the basis of the other scheme.
    progress : Progress
        Is told how many gradients are done.
    """
    dofs = dof_of_node(mesh, operators.cell)
    D = outside_diffusivity(operators)
    fields, signals, pulsed_fields, pulsed_signals = [], [], [], []
    for k in directions:
        fine, coarse = _propagators(operators, period, permeability, k, min(gradient_lengths))
        axis = _axis(fine, k)
        bands = folded_bands(fine.model, operators, permeability, k, pulses)
        for length in each(gradient_lengths, progress, f"echoes along {k}"):
            waveform, q = _pulses(length * period, ratio * length * period, D)
            found = converged_signal(fine, coarse, waveform, axis, q, _TOLERANCE)
            m = magnetisation(fine, waveform, axis, q, found.steps)
            fields.append(m[dofs].conj())
            signals.append(found.signal.real)
            steps = pulsed_signal(bands, waveform, q)
            pulsed_fields.append(narrow_magnetisation(bands, steps.state)[dofs].conj())
            pulsed_signals.append(steps.signal.real)
    shape = (len(directions), len(gradient_lengths))
    return EchoMaps(
        directions=Directions(tuple(directions)),
        gradient_length=np.asarray(gradient_lengths, dtype=float),
        ratio=ratio,
        magnetisation=np.array(fields).reshape(*shape, -1),
        signal=np.array(signals).reshape(shape),
        pulses=pulses,
        pulsed_magnetisation=np.array(pulsed_fields).reshape(*shape, -1),
        pulsed_signal=np.array(pulsed_signals).reshape(shape),
        mesh=DrawnMesh.of(mesh),
        scales=Scales.of(operators, period),
    )


def run_strengths(
    operators: BlochTorrey,
    period: float,
    permeability: float,
    directions: Sequence[Integers],
    pulse_lengths: Sequence[float],
    strengths: ArrayLike,
    pulses: int,
    progress: Progress = untold,
) -> EchoSignals:
    """Signals against the strength of the gradient for pulses of some lengths, by both schemes.

    Parameters
    ----------
    operators, period, permeability, directions, pulses, progress
        See `run_maps`.
    pulse_lengths : sequence of float
        l_delta / L.
    strengths : (n,) array_like
        (l_delta / l_g)^6 = D G^2 delta^3.
    """
    D = outside_diffusivity(operators)
    strengths = np.asarray(strengths, dtype=float)
    shortest = float(strengths.max()) ** (-1 / 6)
    results = []
    pairs = list(product(directions, pulse_lengths))
    for k, pulse in each(pairs, progress, "directions and lengths of pulses"):
        fine, coarse = _propagators(operators, period, permeability, k, pulse * shortest)
        bands = folded_bands(fine.model, operators, permeability, k, pulses)
        lengths = pulse * strengths ** (-1 / 6)
        axis = _axis(fine, k)
        cases = [
            Case(waveform, axis, q)
            for waveform, q in (_pulses(x * period, pulse * period, D) for x in lengths)
        ]
        found = SignalTable(fine.model, coarse.model, k, cases, _TOLERANCE).converged()
        errors = found.basis_error + found.time_error
        for case, value, own in zip(cases, found.signal.real, errors, strict=True):
            narrow = signal_of(bands, sample(case.waveform, case.q, bands.pulse)).real
            results.append((value, own, narrow))
    shape = (len(directions), len(pulse_lengths), len(strengths))
    signal, error, pulsed = np.reshape(results, (*shape, 3)).transpose(3, 0, 1, 2)
    return EchoSignals(
        directions=Directions(tuple(directions)),
        pulse_length=np.asarray(pulse_lengths, dtype=float),
        strength=strengths,
        signal=signal,
        signal_error=error,
        pulses=pulses,
        pulsed_signal=pulsed,
        scales=Scales.of(operators, period),
    )


def run_schemes(
    levels: Sequence[BlochTorrey],
    mesh: CellMesh,
    period: float,
    permeability: float,
    k: Integers,
    gradient_length: float,
    ratio: float,
    pulses: Sequence[int],
    modes: Sequence[int],
    resolution: float,
) -> Schemes:
    """One echo: m(T_E) over the cell, and its signal by both schemes on each mesh.

    The continuous one has neither pulses nor a rule; its error is that of basis and steps. In the
    other one gradients are narrow pulses (MMG20 2.3), and modes are cut (MMG20 3.1).

    Parameters
    ----------
    levels, mesh, period, permeability, ratio
        See `run_maps`.
    k, gradient_length
        The gradient points along B k, and has the length l_g / L.
    pulses, modes : sequence of int
        Narrow pulses P in the reciprocal lattice vector along the gradient, and Laplacian modes at
        each wave vector.
    resolution : float
        Of the bases, in units of the period. Both schemes share one where it has so many modes.
    """
    l_g, D = gradient_length * period, outside_diffusivity(levels[0])
    waveform, q = _pulses(l_g, ratio * l_g, D)
    rows, pulsed = [], list[float]()
    length = min(gradient_length, resolution / _RESOLVED)
    for operators in levels:
        fine, coarse = _propagators(operators, period, permeability, k, length)
        found = converged_signal(fine, coarse, waveform, _axis(fine, k), q, _TOLERANCE)
        rows.append((operators.cell.n_dofs, fine.model.rank, found.signal.real, found.error))
        sets = _sets(fine.model, operators, permeability, k, max(modes), resolution)
        pulsed += _pulsed(sets, waveform, q, pulses, modes)
    axis = _axis(fine, k)
    m = magnetisation(fine, waveform, axis, q, found.steps)[dof_of_node(mesh, levels[-1].cell)]
    unknowns, functions, signals, errors = zip(*rows, strict=True)
    return Schemes(
        direction=axis[0],
        gradient_length=gradient_length,
        ratio=ratio,
        width=float(np.linalg.norm(fine.model.zone.vector(k))),
        q=q,
        magnetisation=m.conj(),
        unknowns=unknowns,
        functions=functions,
        signal=signals,
        signal_error=errors,
        pulses=tuple(pulses),
        modes=tuple(modes),
        rule=RULES,
        pulsed_signal=np.array(pulsed).reshape(len(levels), len(pulses), len(modes), len(RULES)),
        mesh=DrawnMesh.of(mesh),
        scales=Scales.of(levels[-1], period),
    )


def _sets(
    model: FoldedModel,
    operators: BlochTorrey,
    permeability: float,
    k: Integers,
    count: int,
    resolution: float,
) -> Callable[[int], BandSet]:
    """Bands for each P: on the basis of the continuous scheme, or a larger one for more modes."""
    if count <= model.rank:
        return lambda P: folded_bands(model, operators, permeability, k, P)
    period, direction = model.zone.period, model.zone.vector(k)
    basis = band_basis(operators, period, permeability, [direction], resolution * period)
    if count > basis.size:
        raise InputError(f"{count} modes", f"up to {basis.size}, or a smaller resolution")
    return lambda P: band_set(basis, direction, P)


def _pulsed(
    sets: Callable[[int], BandSet],
    waveform: Waveform,
    q: float,
    pulses: Sequence[int],
    modes: Sequence[int],
) -> Iterator[float]:
    """Signals by narrow pulses for each P, number of modes and rule, the rule changing fastest."""
    for P in pulses:
        bands = sets(P)
        for count, rule in product(modes, RULES):
            yield pulsed_signal(bands.truncate(count), waveform, q, rule).signal.real


def _propagators(
    operators: BlochTorrey, period: float, permeability: float, k: Integers, length: float
) -> tuple[Propagator, Propagator]:
    """Small systems for gradient lengths down to one, in units of the period."""
    measure = float(operators.cell.measures().sum())
    count = count_modes(measure, operators.cell.dimension, length)
    fine, coarse = folded_models(operators, period, permeability, road(k), count, [k])
    return Propagator(fine), Propagator(coarse)


def _axis(propagator: Propagator, k: Integers) -> Array:
    """Direction of the gradient, shape (1, d)."""
    vector = propagator.model.zone.vector(k)
    axis: Array = (vector / np.linalg.norm(vector))[None]
    return axis


def _pulses(gradient_length: float, pulse_length: float, D: float) -> tuple[Pgse, float]:
    """Waveform and q (rad/um) of two lengths (um)."""
    delta = pulse_length**2 / D
    return Pgse(delta, delta), D / gradient_length**3 * delta
