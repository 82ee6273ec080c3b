"""What the values of a study or a voxel ask for: work, and the condition of what is solved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import (
    MOST_ATTENUATION,
    MOST_DIFFUSION,
    MOST_EXCHANGE,
    MOST_EXCHANGES,
    MOST_FULL_POINTS,
    MOST_PHASE,
    MOST_POINTS,
    MOST_RELAXATION,
)
from torrey.base.errors import InputError, KeyPath
from torrey.cell.material import NO_T1, Material
from torrey.config.domain import Geometry, ReferenceMethod, Voxel
from torrey.config.findings import Findings
from torrey.config.models import StudyModel
from torrey.gradients.sweep import REFERENCE, Acquisition, Product, Sweep
from torrey.gradients.waveforms import Waveform

_TWO_MESHES = "a geometry with mesh.refinements of 1 or more: two meshes tell the error of a signal"


def spend_points(
    findings: Findings,
    path: KeyPath,
    model: StudyModel,
    cells: Mapping[str, tuple[float, ...]],
    protocol: Product | Acquisition | None,
    method: ReferenceMethod,
) -> bool:
    """Whether a study has so few points that they can be listed, beside those of the others.

    Parameters
    ----------
    findings : Findings
        Collects the problems.
    path : tuple of str
        Of the study.
    model : StudyModel
    cells : mapping of str to tuple of float
        Values of the period and of the permeability by their keys.
    protocol : Product or Acquisition, optional
    method : {"full", "projected"}
        How the reference is computed.
    """
    sizes = {key: len(values) for key, values in cells.items() if values}
    if protocol:
        sizes |= {key: len(values) for key, values in protocol.axes().items()}
    points = math.prod(sizes.values())
    axes = ", ".join(f"{size} of {key}" for key, size in sizes.items() if size > 1)
    budgets = {"points": MOST_POINTS}
    if REFERENCE in model.models and method == "full":
        budgets["points that are solved in full"] = MOST_FULL_POINTS
    for noun, most in budgets.items():
        try:
            findings.spend(noun, points, most)
        except InputError as error:
            findings.add(path, f"{error.found} ({axes})" if axes else error.found, error.accepted)
            return False
    return True


def check_meshes(findings: Findings, path: KeyPath, geometry: Geometry) -> None:
    """Note a geometry that tells no error."""
    if geometry.mesh.limit(geometry.shape.dimension) < 1:
        findings.add((*path, "geometry"), f"{geometry.name}, with one mesh", _TWO_MESHES)


def check_scales(findings: Findings, path: KeyPath, sweep: Sweep, material: Material) -> None:
    """Note values that leave no signal, or systems too badly conditioned for their signals.

    Parameters
    ----------
    findings : Findings
        Collects the problems.
    path : tuple of str
        Of the study.
    sweep : Sweep
    material : Material
    """
    measurements = sweep.protocol.measurements
    rates = [np.array(material.extremes(i)) for i in range(len(material.diffusivity))]
    time = max(m.waveform.echo_time for m in measurements)
    scales = _Scales(
        q=max(m.q for m in measurements),
        b=max(m.q**2 * m.waveform.b_factor for m in measurements),
        time=time,
        lengths=(min(sweep.periods), max(sweep.periods)),
        diffusivities=_extremes(np.concatenate(rates)),
        permeability=max(kappa for _, kappa in sweep.cells()) * max((1.0, *material.membranes)),
    )
    key = sweep.protocol.encoding_kind if isinstance(sweep.protocol, Product) else "acquisition"
    _check(findings, path, scales, (key, "period", sweep.permeability_kind), "period")
    _check_relaxation(findings, path, {m.waveform for m in measurements}, material)


def _extremes(rates: NDArray[np.float64]) -> tuple[float, float]:
    """The least and the largest diffusivity of water that moves; ones where none does."""
    largest = float(rates.max())
    moves = rates > 1e-9 * largest
    return (float(rates[moves].min()), largest) if moves.any() else (1.0, 1.0)


def _check_relaxation(
    findings: Findings, path: KeyPath, waveforms: Iterable[Waveform], material: Material
) -> None:
    """Note times after which nothing is left, and stored magnetisation of unknown relaxation."""
    relaxes = any(math.isfinite(time) for time in material.T2)
    if relaxes and not material.T1 and any(waveform.stores for waveform in waveforms):
        findings.add((*path, "T2"), *NO_T1)
        return
    for key, stored, noun in (("T2", False, "an echo after"), ("T1", True, "a storage of")):
        times = getattr(material, key)
        longest = max(
            math.fsum(s.duration for s in waveform.segments if s.stored == stored)
            for waveform in waveforms
        )
        if times and (number := longest / max(times)) > MOST_RELAXATION:
            findings.add(
                (*path, key),
                f"{noun} {number:.3g} times the longest {key}",
                f"at most {MOST_RELAXATION:g} times: nothing is left of the signal",
            )


def check_voxel_scales(findings: Findings, path: KeyPath, voxel: Voxel) -> None:
    """Note the same of a voxel, whose period is the side of the square that one disc has.

    Parameters
    ----------
    findings : Findings
        Collects the problems.
    path : tuple of str
        Of the voxel.
    voxel : Voxel
    """
    apart = voxel.box / math.sqrt(voxel.count)
    waveform, q = voxel.waveform.measure("b", max(voxel.b))
    scales = _Scales(
        q=q,
        b=q**2 * waveform.b_factor,
        time=voxel.waveform.echo_time,
        lengths=(apart, apart),
        diffusivities=(min(voxel.outside, voxel.inside), max(voxel.outside, voxel.inside)),
        permeability=voxel.permeability,
    )
    _check(findings, path, scales, ("b", "waveform", "permeability"), "distance of discs")


@dataclass(frozen=True)
class _Scales:
    """Extremes of what is asked for; lengths and diffusivities are the least and the largest."""

    q: float
    b: float
    time: float
    lengths: tuple[float, float]
    diffusivities: tuple[float, float]
    permeability: float


def _check(
    findings: Findings, path: KeyPath, scales: _Scales, keys: tuple[str, str, str], length: str
) -> None:
    """Note what is too large, at the keys of the gradient, the length and the permeability."""
    encoding, period, permeability = keys
    smallest, largest = scales.lengths
    slowest, fastest = scales.diffusivities
    time, kappa = scales.time, scales.permeability
    if (number := scales.q * largest) > MOST_PHASE:
        findings.add(
            (*path, encoding),
            f"wave numbers up to {number:.3g} rad per {length}",
            f"at most {MOST_PHASE:g} rad: weaker gradients, shorter pulses or a smaller {length}",
        )
    if (number := scales.b * fastest) > MOST_ATTENUATION:
        findings.add(
            (*path, encoding),
            f"b D up to {number:.3g}",
            f"at most {MOST_ATTENUATION:g}: nothing is left of the signal of free water",
        )
    if (number := fastest * time / smallest**2) > MOST_DIFFUSION:
        findings.add(
            (*path, period),
            f"D t / L^2 up to {number:.3g}, for t = {time:g} ms and L = {smallest:g} um",
            f"at most {MOST_DIFFUSION:g}: a larger {length} or a shorter waveform; models of lower "
            "order are exact long before",
        )
    for name, number, most in (
        ("kappa L / D", kappa * largest / slowest, MOST_EXCHANGE),
        ("kappa^2 t / D", kappa**2 * time / slowest, MOST_EXCHANGES),
    ):
        if number > most:
            accepted = f"at most {most:g}: a membrane that lets more through is none"
            findings.add((*path, permeability), f"{name} up to {number:.3g}", accepted)
