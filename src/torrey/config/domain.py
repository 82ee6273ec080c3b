"""What a configuration means: geometries, studies and figures, checked and in internal units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torrey.geometry.shapes import MeshOptions, Shape
from torrey.material import Material
from torrey.protocol import Point
from torrey.sweep import Index, Sweep


@dataclass(frozen=True)
class Geometry:
    """A named cell and how it is meshed."""

    name: str
    shape: Shape
    mesh: MeshOptions


@dataclass(frozen=True)
class Study:
    """A sweep in one cell and one material, and the models to evaluate.

    Parameters
    ----------
    name, geometry : str
        Names of the study and of its geometry.
    shape : Shape
    mesh : MeshOptions
    material : Material
    sweep : Sweep
    models : tuple of str
        ``reference``, ``R0``, ``R2``, ``lumped-R0``, ...
    tolerance : float
        Relative, for the reference.
    method : {"full", "projected"}
        How the reference is computed.
    notes : tuple of str
        What was read from files, in words.
    """

    name: str
    geometry: str
    shape: Shape
    mesh: MeshOptions
    material: Material
    sweep: Sweep
    models: tuple[str, ...]
    tolerance: float
    method: Literal["full", "projected"] = "full"
    notes: tuple[str, ...] = ()

    def points(self) -> dict[Index, Point]:
        """Return every point of the sweep by its index along the axes."""
        return self.sweep.points()


@dataclass(frozen=True)
class Figure:
    """What a figure shows: geometries or studies, by name."""

    name: str
    geometries: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """A checked configuration, by name."""

    geometries: Mapping[str, Geometry]
    studies: Mapping[str, Study]
    figures: Mapping[str, Figure]
