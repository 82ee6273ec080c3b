"""From the text of one voxel to a `Voxel`: the checks that need more than one key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from torrey.base.budgets import MOST_VOXEL_SIGNALS
from torrey.base.errors import KeyPath
from torrey.config.domain import Geometry, Voxel
from torrey.config.findings import Findings
from torrey.config.protocols import read_shapes, swept
from torrey.config.scales import check_voxel_scales
from torrey.config.voxel_models import VoxelModel
from torrey.geometry.balls.random_packing import RandomPacking
from torrey.gradients.waveforms import Segment, Waveform

#: Of so many that are expected in a voxel, six or more were left in 180 packings, once it was cut
#: out; with four or five discs in a square every seventh has no mesh.
_FEWEST: Final = 12
#: Part of the box that a voxel may fill: what lies around it is what it is compared with.
_LARGEST: Final = 0.9
#: Component of a waveform, of a largest one of 1, that is none.
_ROUNDING: Final = 1e-12


def read_voxel(findings: Findings, name: str, geometries: Mapping[str, Geometry]) -> Voxel | None:
    """Build an entry of the section ``voxels``, or note what is wrong with it and return None."""
    path = ("voxels", name)
    before = len(findings.problems)
    model = findings.validate(path, VoxelModel)
    if model is None:
        return None
    b = swept(findings, path, model, "b")
    waveform = _waveform(findings, path, model)
    length = math.hypot(*model.direction)
    if not 1e-6 <= length <= 1e6:
        accepted = "a direction such as [1, 0], of a length from 1e-6 to 1e6"
        findings.add((*path, "direction"), f"a vector of length {length:g}", accepted)
    geometry = geometries.get(model.geometry)
    if geometry is None:
        findings.require_entry((*path, "geometry"), model.geometry, "geometries")
        return None
    _check_packing(findings, path, geometry, model)
    with findings.under(*path, "b"):
        domains = 1 if model.voxel is None else 2
        findings.spend("signals of voxels", domains * len(b), MOST_VOXEL_SIGNALS)
    if waveform is None or len(findings.problems) > before:
        return None
    assert isinstance(geometry.shape, RandomPacking)
    voxel = Voxel(
        name=name,
        geometry=geometry.name,
        box=geometry.shape.box,
        count=len(geometry.shape.radii),
        side=float(model.voxel) if model.voxel is not None else None,
        outside=float(model.diffusivity.outside),
        inside=float(model.diffusivity.inside),
        permeability=float(model.permeability),
        waveform=waveform,
        direction=tuple(x / length + 0.0 for x in model.direction),
        b=b,
        tolerance=model.tolerance,
        segments=model.segments,
        refinements=model.refinements,
    )
    check_voxel_scales(findings, path, voxel)
    return None if len(findings.problems) > before else voxel


def _waveform(findings: Findings, path: KeyPath, model: VoxelModel) -> Waveform | None:
    """Return the one waveform of a voxel."""
    place = (*path, "waveform")
    shapes, _ = read_shapes(findings, path, model.waveform)
    if shapes is None:
        return None
    several = {name: given for name, given in shapes.axes.items() if len(given) > 1}
    for name, given in several.items():
        findings.add((*place, name), f"{len(given)} values", "one value")
    if several:
        return None
    (waveform,) = shapes.waveforms
    if any(map(_leaves_first_axis, waveform.segments)):
        findings.add(
            place,
            "gradients along more than the first axis",
            "gradients along one direction: of several components all but the first are 0, as at "
            "an angle of 0 or 180 degree",
        )
        return None
    return waveform


def _leaves_first_axis(segment: Segment) -> bool:
    """Whether a component of F other than the first, of a largest |F| of 1, is not zero."""
    sizes = [
        abs(x) * segment.duration**m for m, c in enumerate(segment.coefficients) for x in c[1:]
    ]
    if segment.wave is not None:
        sizes += map(abs, segment.wave.amplitude[1:])
    return any(size > _ROUNDING for size in sizes)


def _check_packing(
    findings: Findings, path: KeyPath, geometry: Geometry, model: VoxelModel
) -> None:
    """Note a geometry that is no packing of water, and a voxel that does not fit into it."""
    shape = geometry.shape
    if not isinstance(shape, RandomPacking) or shape.interior != "water" or shape.dimension != 2:
        kind = shape.kind
        if isinstance(shape, RandomPacking):
            kind = "spheres" if shape.dimension == 3 else "obstacles"
        accepted = "a geometry of kind packing, with interior: water"
        if kind == "spheres":
            accepted += " and dimension: 2"
        findings.add((*path, "geometry"), f"{geometry.name}, of {kind}", accepted)
        return
    side = shape.box if model.voxel is None else float(model.voxel)
    if model.voxel is not None and side > _LARGEST * shape.box:
        findings.add(
            (*path, "voxel"),
            f"{side:g} um",
            f"at most {_LARGEST * shape.box:g} um, {_LARGEST:g} of the box of {geometry.name}; or "
            "no such key",
        )
    expected = len(shape.radii) * (side / shape.box) ** 2
    if expected < _FEWEST:
        findings.add(
            (*path, "geometry" if model.voxel is None else "voxel"),
            f"{side:g} um with about {expected:.3g} discs",
            f"a square of at least {_FEWEST} discs",
        )
