"""Meshes and signals of voxels in NetCDF files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable, group_of, nested, object_of, stacked, stored
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import axis_declaration
from torrey.gradients.waveforms import Waveform
from torrey.voxel.exchange import Homogenised, cell_signal, class_signal, lumped_signal
from torrey.voxel.medium import DiscMedium
from torrey.voxel.results import VoxelSignal
from torrey.voxel.triangulation import Triangles


@dataclass(frozen=True)
class VoxelMesh:
    """A medium and its coarsest mesh."""

    medium: DiscMedium = field(metadata=nested())
    triangles: Triangles = field(metadata=nested())


def write_mesh(path: str | Path, mesh: VoxelMesh, provenance: Provenance) -> None:
    """Write a mesh."""
    artifacts.write(path, group_of(mesh), provenance)


def read_mesh(path: str | Path) -> VoxelMesh:
    """Read what `write_mesh` wrote."""
    found = object_of(VoxelMesh, artifacts.read(path))
    # A file has no type for them.
    inside = found.triangles.inside.astype(bool)
    return replace(found, triangles=replace(found.triangles, inside=inside))


@dataclass(frozen=True)
class _Signals:
    """Signals of one domain against b."""

    signal: NDArray[np.complex128] = field(
        metadata=stored(("b",), "1", "signal over its value without gradient", dtype=complex)
    )
    space_error: NDArray[np.float64] = field(
        metadata=stored(("b",), "1", "estimated error of the mesh, absolute")
    )
    time_error: NDArray[np.float64] = field(
        metadata=stored(("b",), "1", "estimated error of time steps and solvers, absolute")
    )
    numerical_error: NDArray[np.float64] = field(
        metadata=stored(("b",), "1", "estimate of the whole numerical error, absolute")
    )
    unknowns: NDArray[np.int64] = field(
        metadata=stored(("b",), "1", "degrees of freedom on the finest mesh")
    )
    steps: NDArray[np.int64] = field(
        metadata=stored(("b",), "1", "time steps on the finest mesh", dtype=np.int32)
    )
    lumped_R0: NDArray[np.float64] = field(
        metadata=stored(("b",), "1", "signal by R0 with all discs of the domain in one compartment")
    )
    class_R0: NDArray[np.float64] = field(
        metadata=stored(
            ("b",), "1", "signal by R0 with a compartment for each class of radii of the domain"
        )
    )
    cell_R0: NDArray[np.float64] = field(
        metadata=stored(
            ("b",),
            "1",
            "signal by R0 of one disc in a square cell, with the fraction and "
            "|Gamma|/|Y_c| of the domain",
        )
    )
    side: float = field(metadata=stored((), "um", "side of the periodic domain"))
    discs: int = field(metadata=stored((), "1", "discs in the domain", dtype=np.int32))
    dropped: int = field(
        metadata=stored(
            (), "1", "discs that found no room when the domain was cut out", dtype=np.int32
        )
    )
    homogenised: Homogenised = field(metadata=nested())


def write_signal(
    path: str | Path, found: VoxelSignal, point: Point, provenance: Provenance
) -> None:
    """Write one signal."""
    b_value = Variable((), point.b, "ms um-2", "b-value")
    artifacts.write(path, {**group_of(found), "b_value": b_value}, provenance, compress=False)


def gather_voxel(
    domains: Sequence[str],
    meshes: Sequence[str],
    homogenised: Sequence[str],
    signals: Sequence[str],
    points: Sequence[Point],
    b: Sequence[float],
    window: float,
    diffusivities: tuple[float, float],
) -> Group:
    """All signals of a voxel against b, with what R0 makes of its packing.

    Parameters
    ----------
    domains : sequence of str
        Where the equation is solved: ``box``, that of the packing, which comes first, and
        ``voxel``, the square in its middle alone.
    meshes, homogenised : sequence of str
        A file for each domain.
    signals : sequence of str
        A file for each b of each domain, domain by domain.
    points : sequence of Point
        For each b, all of one waveform and permeability; in which domain does not matter.
    b : sequence of float
        ms/um^2
    window : float
        Side of the square over which signals are integrated (um).
    diffusivities : (float, float)
        Outside of the discs and inside (um^2/ms).
    """
    media = [object_of(DiscMedium, artifacts.read(mesh)) for mesh in meshes]
    box, count = media[0], len(points)
    rows = [signals[i * count : (i + 1) * count] for i in range(len(domains))]
    found = [
        _domain(medium, numbers, files, points)
        for medium, numbers, files in zip(media, homogenised, rows, strict=True)
    ]
    first = points[0]
    return {
        **stacked(found, "domain"),
        "domain": Variable(("domain",), np.array(domains), "", "where the equation is solved"),
        "b": Variable(("b",), np.array(b), "ms um-2", "b-value"),
        "q": Variable(
            ("b",), np.array([point.q for point in points]), "rad um-1", "largest wave number"
        ),
        **_water(first, diffusivities),
        **_timings(first.waveform),
        "window": Variable((), window, "um", "side of the square that signals are integrated over"),
        "disc_center": Variable(
            ("disc", "axis"),
            box.centres - box.side / 2,
            "um",
            "centre of each disc, from that of the box",
        ),
        "disc_radius": Variable(("disc",), box.radii, "um", "radius of each disc"),
        "gap": Variable((), box.gap, "um", "least distance of two circles in the box"),
    }


def _water(point: Point, diffusivities: tuple[float, float]) -> Group:
    """Diffusivities and permeability."""
    outside, inside = diffusivities
    return {
        "permeability": Variable(
            (), point.permeability, "um ms-1", "permeability of all membranes"
        ),
        "outside_diffusivity": Variable((), outside, "um2 ms-1", "diffusivity between the discs"),
        "inside_diffusivity": Variable((), inside, "um2 ms-1", "diffusivity in discs"),
    }


def _timings(waveform: Waveform) -> Group:
    """Kind of the waveform, and its times in their order, as far as it has any."""
    kind = str(waveform.to_dict()["waveform"])
    found = {
        name: Variable((), value, "degree" if name == "angle" else "ms", f"{name} of the waveform")
        for name, value in waveform.parameters.items()
        if axis_declaration(name).unit in ("time", "angle")
    }
    return {"waveform": Variable((), np.array(kind), "", "kind of the waveform"), **found}


def _domain(
    medium: DiscMedium, numbers: str, files: Sequence[str], points: Sequence[Point]
) -> _Signals:
    packing = object_of(Homogenised, artifacts.read(numbers))
    waveform, permeability = points[0].waveform, points[0].permeability
    q = np.array([point.q for point in points])
    data = [artifacts.read(file) for file in files]

    def column(name: str) -> NDArray:
        return np.array([each[name] for each in data])

    space, time = column("space_error"), column("time_error")
    return _Signals(
        signal=column("signal_real") + 1j * column("signal_imag"),
        space_error=space,
        time_error=time,
        numerical_error=space + time,
        unknowns=column("unknowns"),
        steps=column("steps"),
        lumped_R0=lumped_signal(packing, waveform, q),
        class_R0=class_signal(packing, permeability, waveform, q),
        cell_R0=cell_signal(packing, waveform, q),
        side=medium.side,
        discs=len(medium.radii),
        dropped=medium.dropped,
        homogenised=packing,
    )
