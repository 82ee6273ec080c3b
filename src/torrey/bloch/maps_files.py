"""Magnetisation after an echo, and signals against the gradient, as variables of NetCDF files.

Gradients are told by their gradient length l_g = (D / G)^(1/3) and pulses by the diffusion length
l_delta = sqrt(D delta), as in MMG20; Delta = delta.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.artifacts import Group, Variable
from torrey.bloch.fields import dof_of_node
from torrey.bloch.folded_basis import count_modes, folded_models, road
from torrey.bloch.folded_signals import Propagator, converged_signal, magnetisation
from torrey.bloch.spectrum_files import mesh_variables, scales
from torrey.cell.operators import BlochTorrey
from torrey.geometry.mesh import CellMesh
from torrey.waveforms import Pgse

Array = NDArray[np.float64]
Integers = tuple[int, ...]

#: Of the steps in time, relative to the signal.
_TOLERANCE = 1e-5


def maps_variables(
    operators: BlochTorrey,
    mesh: CellMesh,
    period: float,
    permeability: float,
    directions: Sequence[Integers],
    gradient_lengths: Sequence[float],
    ratio: float,
) -> Group:
    """m(T_E) over the cell for pulses with l_delta / l_g = ratio.

    The sign is that of MMG20 (1), in which the gradient adds +i g.x.

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
    """
    dofs = dof_of_node(mesh, operators.cell)
    D = _diffusivity(operators)
    fields, signals = [], []
    for k in directions:
        fine, coarse = _propagators(operators, period, permeability, k, min(gradient_lengths))
        axis = _axis(fine, k)
        for length in gradient_lengths:
            waveform, q = _pulses(length * period, ratio * length * period, D)
            found = converged_signal(fine, coarse, waveform, axis, q, _TOLERANCE)
            m = magnetisation(fine, waveform, axis, q, found.steps)
            fields.append(m[dofs].conj())
            signals.append(found.signal.real)
    shape = (len(directions), len(gradient_lengths))
    values = np.array(fields).reshape(*shape, -1)
    at = ("direction", "gradient_length")
    return {
        "direction_vector": Variable(
            ("direction", "reciprocal_axis"),
            np.array(directions, dtype=np.int32),
            "1",
            "direction of the gradient in the reciprocal lattice",
        ),
        "gradient_length": Variable(
            ("gradient_length",), np.asarray(gradient_lengths, dtype=float), "1", "l_g / L"
        ),
        "ratio": Variable((), ratio, "1", "l_delta / l_g"),
        "magnetisation_real": Variable((*at, "node"), values.real, "1", "m(T_E), real part"),
        "magnetisation_imag": Variable((*at, "node"), values.imag, "1", "m(T_E), imaginary part"),
        "signal": Variable(at, np.array(signals).reshape(shape), "1", "signal, real part"),
        **mesh_variables(mesh),
        **scales(operators, period),
    }


def strength_variables(
    operators: BlochTorrey,
    period: float,
    permeability: float,
    directions: Sequence[Integers],
    pulse_lengths: Sequence[float],
    strengths: ArrayLike,
) -> Group:
    """Signals against the strength of the gradient for pulses of some lengths.

    Parameters
    ----------
    operators, period, permeability, directions
        See `maps_variables`.
    pulse_lengths : sequence of float
        l_delta / L.
    strengths : (n,) array_like
        (l_delta / l_g)^6 = D G^2 delta^3.
    """
    D = _diffusivity(operators)
    strengths = np.asarray(strengths, dtype=float)
    shortest = float(strengths.max()) ** (-1 / 6)
    results = []
    for k, pulse in product(directions, pulse_lengths):
        fine, coarse = _propagators(operators, period, permeability, k, pulse * shortest)
        axis = _axis(fine, k)
        for strength in strengths:
            length = pulse * strength ** (-1 / 6)
            waveform, q = _pulses(length * period, pulse * period, D)
            found = converged_signal(fine, coarse, waveform, axis, q, _TOLERANCE)
            results.append((found.signal.real, found.basis_error + found.time_error))
    shape = (len(directions), len(pulse_lengths), len(strengths))
    signal, error = np.array(results).T
    at = ("direction", "pulse_length", "strength")
    return {
        "direction_vector": Variable(
            ("direction", "reciprocal_axis"),
            np.array(directions, dtype=np.int32),
            "1",
            "direction of the gradient in the reciprocal lattice",
        ),
        "pulse_length": Variable(
            ("pulse_length",), np.asarray(pulse_lengths, dtype=float), "1", "l_delta / L"
        ),
        "strength": Variable(("strength",), strengths, "1", "(l_delta / l_g)^6 = D G^2 delta^3"),
        "signal": Variable(at, signal.reshape(shape), "1", "signal"),
        "signal_error": Variable(
            at, error.reshape(shape), "1", "estimated error of basis and steps, absolute"
        ),
        **scales(operators, period),
    }


def _diffusivity(operators: BlochTorrey) -> float:
    return float(np.trace(operators.diffusivity[0])) / operators.cell.dimension


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
