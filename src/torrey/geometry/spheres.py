"""Spheres in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torrey.base.fields import declared
from torrey.geometry.balls import Ball
from torrey.geometry.packing import Packing


@dataclass(frozen=True)
class Sphere(Ball):
    """A sphere.

    See `Ball`.
    """

    center: tuple[float, ...] = declared(
        description="three numbers in [0, 1[, such as [0.5, 0.5, 0.5]", min_length=3, max_length=3
    )

    dimension: ClassVar[int] = 3


@dataclass(frozen=True)
class Spheres(Packing):
    """Spheres in a cubic cell that neither overlap nor touch, periodic images included.

    See `Balls`.
    """

    cells: tuple[Sphere, ...] = declared(
        description="a list of spheres, such as {center: [0.5, 0.5, 0.5], radius: 0.4}"
    )

    kind: ClassVar[str] = "spheres"
    dimension: ClassVar[int] = 3
    dimensions: ClassVar[tuple[int, ...]] = (3,)
    ball: ClassVar[type[Ball]] = Sphere
