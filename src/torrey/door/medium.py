"""Meshes, operators and ladders of projected models: each made when first asked for, and kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from torrey.base.lazy import Lazy
from torrey.cell.build import geometries
from torrey.cell.demand import FinerCells, Levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import MeshOptions, Shape
from torrey.geometry.mesh import CellMesh
from torrey.geometry.meshing import build_meshes
from torrey.reference.sensitive import MaterialLadders


@dataclass(frozen=True)
class Discretisation:
    """A shape and its meshes, which all materials and periods share.

    Parameters
    ----------
    shape : Shape
    options : MeshOptions
    """

    shape: Shape
    options: MeshOptions

    @cached_property
    def meshes(self) -> tuple[CellMesh, ...]:
        """Meshes, coarsest first."""
        return build_meshes(self.shape, self.options.kept_only(self.shape.dimension))

    @cached_property
    def cells(self) -> FinerCells:
        """Geometric operators by mesh, and on finer ones where a tolerance needs them."""
        kept = geometries(self.shape, self.meshes)
        return FinerCells(kept, self.meshes, lambda: self.shape, self.options)


@dataclass(frozen=True)
class Medium:
    """A material in a discretised cell: what does not depend on period, permeability, gradient.

    Parameters
    ----------
    discretisation : Discretisation
    material : Material
    """

    discretisation: Discretisation
    material: Material

    @cached_property
    def finer(self) -> Levels:
        """Operators by mesh, coarsest first, and on finer ones where a tolerance needs them."""
        return Levels(self.discretisation.cells, self.material)

    @cached_property
    def levels(self) -> Lazy[BlochTorrey]:
        """Operators by mesh, coarsest first: on the meshes that models are computed on."""
        return self.finer.at_hand

    @cached_property
    def in_space(self) -> Medium:
        """The same for gradients of three components."""
        return Medium(self.discretisation, replace(self.material, in_space=True))

    @cached_property
    def within(self) -> Medium:
        """The same for gradients that lie within the cell."""
        inner = self.material.within(self.discretisation.shape.dimension)
        return self if inner == self.material else Medium(self.discretisation, inner)

    def for_axes(self, n_axes: int) -> Medium:
        """The same for gradients of as many components.

        Raises
        ------
        InputError
            If a diffusivity along one of the axes is missing.
        """
        dimension = self.discretisation.shape.dimension
        if n_axes == dimension or self.material.in_space:
            return self
        self.in_space.material.tensors(dimension)
        return self.in_space

    @cached_property
    def ladders(self) -> MaterialLadders:
        """Ladders on each mesh, by the directions and the reach of some points."""
        return MaterialLadders(self.finer, self.finer.slopes)

    def filled_with(self, shape: Shape, options: MeshOptions, material: Material) -> Medium:
        """Another medium, with the meshes and operators of this one where they are the same."""
        discretisation = Discretisation(shape, options)
        if discretisation == self.discretisation:
            discretisation = self.discretisation
            if material == self.material:
                return self
        return Medium(discretisation, material)
