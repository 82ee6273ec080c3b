"""The kinds of geometry: each is named here, and nowhere else.

Configuration, schema, documentation, messages and the jobs that read plain values find them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from torrey.base.errors import InputError, either
from torrey.geometry.balls.discs import Discs
from torrey.geometry.balls.random_packing import RandomPacking
from torrey.geometry.balls.spheres import Spheres
from torrey.geometry.bodies.cylinders import Cylinders
from torrey.geometry.bodies.ellipsoids import Ellipsoids
from torrey.geometry.layers import Layers
from torrey.geometry.outlines.ellipses import Ellipses
from torrey.geometry.outlines.images import LabelImage
from torrey.geometry.outlines.polygons import Polygons
from torrey.geometry.own.own_mesh import OwnMesh
from torrey.geometry.own.surfaces import Surfaces
from torrey.geometry.shapes import Shape

KINDS: Final[tuple[type[Shape], ...]] = (
    Discs,
    Spheres,
    Layers,
    RandomPacking,
    Cylinders,
    OwnMesh,
    Ellipsoids,
    Ellipses,
    Polygons,
    Surfaces,
    LabelImage,
)


def kinds() -> tuple[type[Shape], ...]:
    """Return the kinds of geometry there are."""
    return KINDS


def kind_named(name: str) -> type[Shape]:
    """Return the kind of a name.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    found = {kind.kind: kind for kind in kinds()}
    if name not in found:
        raise InputError(f'"{name}"', either(found), at=("kind",))
    return found[name]


def shape_from_dict(plain: Mapping[str, str | int | float]) -> Shape:
    """Rebuild a shape of any kind from what its `to_dict` returned.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    return kind_named(str(plain["kind"])).from_dict(plain)
