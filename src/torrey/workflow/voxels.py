"""Files of voxels: what each is made from and how, for `torrey.workflow.recipes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torrey.config import Voxel
from torrey.workflow import layout as paths
from torrey.workflow.layout import Layout
from torrey.workflow.stage import Stage
from torrey.workflow.stages import GatherVoxel, HomogeniseVoxel, MeshVoxel, SolveVoxel

Inputs = Mapping[str, str | list[str]]


def voxel_files(layout: Layout) -> Iterator[tuple[str, Stage, Inputs]]:
    """Yield the path, the stage and the inputs of all files of all voxels."""
    for voxel in layout.config.voxels.values():
        for domain in voxel.domains:
            yield from _of_domain(layout, voxel, domain)
        yield _gathered(layout, voxel)


def _of_domain(layout: Layout, voxel: Voxel, domain: str) -> Iterator[tuple[str, Stage, Inputs]]:
    """Mesh, homogenised numbers and signals of the box, or of the voxel alone."""
    names = {"voxel": voxel.name, "domain": domain}
    mesh = paths.VOXEL_MESH.format(**names)
    side = 0.0 if domain == "box" else voxel.domains[domain]
    packing = paths.PACKING.format(geometry=voxel.geometry)
    yield mesh, MeshVoxel(side=side, segments=voxel.segments), {"packing": packing}
    homogenise = HomogeniseVoxel(
        outside=voxel.outside,
        inside=voxel.inside,
        permeability=voxel.permeability,
        direction=voxel.direction,
    )
    yield paths.VOXEL_HOMOGENISED.format(**names), homogenise, {"mesh": mesh}
    files, points = layout.voxel_signals(voxel, domain), voxel.points(domain)
    for path, point in zip(files, points, strict=True):
        solve = SolveVoxel(
            point=point,
            outside=voxel.outside,
            inside=voxel.inside,
            window=voxel.window,
            tolerance=voxel.tolerance,
            refinements=voxel.refinements,
        )
        yield path, solve, {"mesh": mesh}


def _gathered(layout: Layout, voxel: Voxel) -> tuple[str, Stage, Inputs]:
    """All signals of a voxel."""
    domains = tuple(voxel.domains)
    stage = GatherVoxel(
        domains=domains,
        points=tuple(voxel.points("box")),
        b=voxel.b,
        window=voxel.window,
        outside=voxel.outside,
        inside=voxel.inside,
    )
    names = [{"voxel": voxel.name, "domain": domain} for domain in domains]
    inputs: Inputs = {
        "meshes": [paths.VOXEL_MESH.format(**each) for each in names],
        "homogenised": [paths.VOXEL_HOMOGENISED.format(**each) for each in names],
        "signals": [file for domain in domains for file in layout.voxel_signals(voxel, domain)],
    }
    return paths.VOXEL_SIGNALS.format(voxel=voxel.name), stage, inputs
