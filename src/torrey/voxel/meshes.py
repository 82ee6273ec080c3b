"""From a placed packing to the mesh of a voxel."""

from __future__ import annotations

from torrey.base.progress import Progress, untold
from torrey.geometry.balls.packing_files import StoredPacking
from torrey.voxel.files import VoxelMesh
from torrey.voxel.medium import DiscMedium
from torrey.voxel.triangulation import triangulate


def mesh_square(
    packing: StoredPacking, side: float, segments: int, progress: Progress = untold
) -> VoxelMesh:
    """Mesh the square in the middle of a packing.

    Parameters
    ----------
    packing : StoredPacking
    side : float
        Of the square (um); 0 for all of the box.
    segments : int
        Elements around a disc.
    progress : Progress
        Is told that the mesh begins, and that it is done.
    """
    whole = DiscMedium.of(packing)
    medium = whole.inner(side) if side else whole
    part = f"mesh of {len(medium.radii):,} discs"
    progress(0.0, part)
    mesh = VoxelMesh(medium, triangulate(medium, segments))
    progress(1.0, part)
    return mesh
