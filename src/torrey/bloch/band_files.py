"""Bands, and what is computed from them, as tables for NetCDF files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base import artifacts
from torrey.base.artifacts import Group, Variable
from torrey.bloch.bands import BandBasis, BandSet, band_set
from torrey.bloch.narrow_pulses import short_pulse_magnetisation, short_pulse_signals
from torrey.bloch.sampling import RULES, Plateaus, sample
from torrey.bloch.zone_lines import ZoneLine
from torrey.cell.operators import Array
from torrey.cell.system import AffineSystem
from torrey.gradients.waveforms import Waveform

PathLike = str | Path

#: Points at which a waveform is drawn.
_DRAWN = 401


def band_groups(sets: Sequence[BandSet]) -> dict[str, Group]:
    """Bands along some lines, with the basis of each: groups ``line0``, ``line1``, ...

    Eigenvectors follow from the basis in less time than they take to read, and are left out.
    """
    return {
        f"line{i}": {**_basis_variables(bands.basis), **band_variables(bands)}
        for i, bands in enumerate(sets)
    }


def read_bands(path: PathLike) -> tuple[BandSet, ...]:
    """Bands of a file, in the order in which they were written."""
    sets = []
    for group in artifacts.groups(path):
        data = artifacts.read(path, group)
        sets.append(band_set(_basis(data), data["direction"], int(data["pulses"])))
    return tuple(sets)


def _basis(data: Mapping[str, NDArray[Any]]) -> BandBasis:
    lines = zip(data["line_integers"], data["line_direction"], data["line_width"], strict=True)
    return BandBasis(
        period=float(data["period"]),
        permeability=float(data["permeability"]),
        diffusivity=float(data["diffusivity"]),
        bound=float(data["bound"]),
        frame=data["frame"],
        system=AffineSystem(None, data["static"], data["C"], data["N"]),
        vectors=data["vectors"],
        places=data["places"],
        lines=tuple(
            ZoneLine(tuple(int(m) for m in integers), direction, float(width))
            for integers, direction, width in lines
        ),
        folds=data["folds_real"] + 1j * data["folds_imag"],
        waves=data["waves_real"] + 1j * data["waves_imag"],
        reads=data["reads_real"] + 1j * data["reads_imag"],
    )


def band_variables(bands: BandSet) -> Group:
    """Bands along one line, those that are exact on the mesh, and their means."""
    count = max(bands.n_bands, 1)
    return {
        "direction": Variable(("axis",), bands.line.direction, "1", "direction of the line"),
        "width": Variable(
            (), bands.line.width, "rad um-1", "length of the reciprocal lattice vector along it"
        ),
        "pulses": Variable((), np.int32(bands.pulses), "1", "P: pulses in that vector"),
        "p": Variable(("p",), bands.p, "rad um-1", "wave number along the line"),
        "value": Variable(
            ("p", "band"),
            bands.values[:, :count],
            "ms-1",
            "eigenvalue; the other half of the zone mirrors this one",
        ),
        "mean": Variable(("band",), bands.mean_values()[:count], "ms-1", "mean of the band over p"),
    }


def short_pulse_signals_table(
    sets: Sequence[BandSet], turns: ArrayLike, times: ArrayLike, surface_to_volume: float
) -> Group:
    """Signals of two infinitely narrow pulses along some lines (MMG20 figure A3).

    Parameters
    ----------
    sets : sequence of BandSet
        One per direction.
    turns : (n_q,) array_like
        Wave numbers of the pulses in units of |G|: q a / (2 pi) along an axis, q a / (2 sqrt(2) pi)
        along the diagonal of a square.
    times : (n_times,) array_like, ms
        Delta, between the pulses.
    surface_to_volume : float, 1/um
        sigma, for the law of Debye and Porod.
    """
    q, Delta = np.asarray(turns, dtype=float), np.asarray(times, dtype=float)
    signals = np.array([short_pulse_signals(s, q * s.line.width, Delta).T for s in sets])
    per = ("line", "Delta")
    return {
        **_short_pulses(sets, Delta),
        "turns": Variable(("turns",), q, "1", "wave number of the pulses over width"),
        "signal": Variable((*per, "turns"), signals.real, "1", "real part of the signal"),
        "signal_imag": Variable((*per, "turns"), signals.imag, "1", "imaginary part of the signal"),
        "ratio": Variable(per, _ratio(sets, Delta), "1", "beta, effective over free diffusivity"),
        "surface_to_volume": Variable((), surface_to_volume, "um-1", "sigma"),
    }


def short_pulse_maps_table(
    sets: Sequence[BandSet], node: NDArray[np.int64], turns: float, times: ArrayLike
) -> Group:
    """Magnetisation after two infinitely narrow pulses along some lines (MMG20 figures A1, A2).

    Parameters
    ----------
    sets : sequence of BandSet
        One per direction.
    node : (n_nodes,) int
        Degree of freedom of each node: see `fields.dof_of_node`.
    turns : float
        Wave number of the pulses in units of |G|: 7/3 for q a = 14 pi / 3.
    times : (n_times,) array_like, ms

    Returns
    -------
    mapping of str to Variable
        With signs as in MMG20, where fields are complex conjugates of those of this library.
    """
    Delta = np.asarray(times, dtype=float)
    fields = np.array(
        [[short_pulse_magnetisation(s, turns * s.line.width, t)[node] for t in Delta] for s in sets]
    ).conj()
    dims = ("line", "Delta", "node")
    return {
        **_short_pulses(sets, Delta),
        "shown": Variable((), turns, "1", "wave number of the pulses of the maps over width"),
        "m_real": Variable(dims, fields.real, "1", "real part of m after the pulses"),
        "m_imag": Variable(dims, fields.imag, "1", "imaginary part of m after the pulses"),
    }


def _short_pulses(sets: Sequence[BandSet], Delta: Array) -> Group:
    return {
        "direction": Variable(
            ("line", "axis"), np.array([s.line.direction for s in sets]), "1", "of the gradient"
        ),
        "width": Variable(
            ("line",),
            np.array([s.line.width for s in sets]),
            "rad um-1",
            "reciprocal lattice vector",
        ),
        "Delta": Variable(("Delta",), Delta, "ms", "time between the narrow pulses"),
        "period": Variable((), sets[0].basis.period, "um", "period L of the cell"),
        "diffusivity": Variable((), sets[0].basis.diffusivity, "um2 ms-1", "diffusivity"),
    }


def _ratio(sets: Sequence[BandSet], Delta: Array) -> Array:
    """Beta of MMG20 (A.2): the slope of log S at the smallest wave number of the bands."""
    slopes = [
        -np.log(short_pulse_signals(s, [s.pulse], Delta)[0].real) / (s.pulse**2 * Delta)
        for s in sets
    ]
    return np.array(slopes) / sets[0].basis.diffusivity


def sampling_table(
    waveform: Waveform, q: float, pulse: float, plateaus: Plateaus = "sampled"
) -> Group:
    """Wave number of a waveform and its step functions by all rules (MMG20 figure 2).

    Parameters
    ----------
    waveform, q, pulse, plateaus
        See `sampling.sample`.
    """
    t = np.linspace(0.0, waveform.echo_time, _DRAWN)
    curve = q * waveform.sample(t, 0)[:, 0, 0]
    group: dict[str, Variable] = {
        "time": Variable(("time",), t, "ms", "time"),
        "q": Variable(("time",), curve, "rad um-1", "wave number of the gradient"),
        "pulse": Variable((), pulse, "rad um-1", "weight of a narrow pulse"),
        "b": Variable((), waveform.b_value(q), "ms um-2", "b-value of the gradient"),
    }
    for rule in RULES:
        steps = sample(waveform, q, pulse, rule, plateaus)
        group |= {
            f"{rule}_begin": Variable(
                (f"{rule}_step",), steps.times[:-1], "ms", f"beginning of each step, {rule}"
            ),
            f"{rule}_level": Variable(
                (f"{rule}_step",), steps.levels, "rad um-1", f"wave number of each step, {rule}"
            ),
            f"{rule}_b": Variable((), steps.b, "ms um-2", f"b-value of the steps, {rule}"),
        }
    return group


def _basis_variables(basis: BandBasis) -> Group:
    vector, line, wave = ("vector",), ("line",), ("line", "wave", "vector")
    square, axes = ("vector", "vector_2"), ("component", "component_2")
    group = {
        "period": Variable((), basis.period, "um", "period L of the cell"),
        "permeability": Variable((), basis.permeability, "um ms-1", "of every membrane"),
        "diffusivity": Variable((), basis.diffusivity, "um2 ms-1", "largest diffusivity"),
        "bound": Variable((), basis.bound, "ms-1", "bands below it are those of the mesh"),
        "frame": Variable(("component", "axis"), basis.frame, "1", "axes of the wave vectors"),
        "static": Variable(square, basis.system.static, "ms-1", "W^T A(0) W"),
        "C": Variable(
            ("component", *square), basis.system.C, "um ms-1", "W^T C W / L for each axis"
        ),
        "N": Variable((*axes, *square), basis.system.N, "um2 ms-1", "W^T N W"),
        "vectors": Variable(("dof", *vector), basis.vectors, "1", "W, M-orthonormal"),
        "places": Variable(("dof", "axis"), basis.places, "1", "of the degrees of freedom"),
        "line_integers": Variable(
            ("line", "axis"),
            np.array([one.integers for one in basis.lines], dtype=np.int32),
            "1",
            "G in units of the basis of the reciprocal lattice",
        ),
        "line_direction": Variable(
            ("line", "axis"), np.array([one.direction for one in basis.lines]), "1", "unit vector"
        ),
        "line_width": Variable(
            line, np.array([one.width for one in basis.lines]), "rad um-1", "length of G"
        ),
    }
    texts = {
        "folds": (("line", *square), "W^T M exp(-i G.x) W"),
        "waves": (wave, "W^T M exp(-i j G.x) rho"),
        "reads": (wave, "W^T M exp(-i j G.x)"),
    }
    for name, (dims, text) in texts.items():
        values = getattr(basis, name)
        group[f"{name}_real"] = Variable(dims, values.real, "1", f"{text}, real part")
        group[f"{name}_imag"] = Variable(dims, values.imag, "1", f"{text}, imaginary part")
    return group
