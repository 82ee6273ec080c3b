"""Where water may be immobile in a cell, move radially, or give way to a growing ball."""

from __future__ import annotations

import numpy as np

from torrey.base.errors import InputError
from torrey.cell.material import Material, Radial
from torrey.geometry.membranes import Radius
from torrey.geometry.shapes import Shape


def check_motion(material: Material, shape: Shape, passes: bool) -> None:
    """Refuse immobile water where it would be continuous with other water, or exchange with it.

    And diffusivities that are radial where there is no centre. In a coat of radial diffusivity 0
    water moves along its membranes alone, and exchanges as little.

    Parameters
    ----------
    material : Material
        That fits the shape.
    shape : Shape
    passes : bool
        Whether some permeability, or relaxivity of surfaces, is above zero.

    Raises
    ------
    InputError
        At the diffusivity of the region, or at the permeability.
    """
    rings = shape.radial_centres()
    for i, value in enumerate(material.diffusivity):
        if isinstance(value, Radial) and i not in rings:
            raise InputError(
                f"a radial diffusivity of {shape.region_names[i]}",
                "a number or a matrix: radial and tangential are of coats around discs and spheres",
                at=("diffusivity", i),
            )
    owners = np.array(shape.region_compartment)
    around = [
        isinstance(D, Radial) and D.radial == 0.0 < D.tangential for D in material.diffusivity
    ]
    still = material.axes_of_motion(shape.dimension) == 0
    for region in np.flatnonzero(still):
        if not np.all(still[owners == owners[region]]):
            raise InputError(
                f"{shape.region_names[region]}, immobile and continuous with other water",
                "a diffusivity above zero, or a compartment behind membranes of its own",
                at=("diffusivity", int(region)),
            )
    # Water that moves along a membrane alone does not reach it either.
    words = dict.fromkeys(owners[around].tolist(), "water without a radial diffusivity")
    words |= dict.fromkeys(owners[still].tolist(), "immobile water")
    for number, membrane in enumerate(shape.membranes()):
        factor = material.membranes[number] if material.membranes else 1.0
        relaxes = bool(material.relaxivity) and material.relaxivity[number] > 0.0
        beside = words.keys() & {membrane.outside, membrane.inside}
        if beside and (relaxes or (passes and factor > 0.0)):
            name = shape.compartment_names[min(beside)]
            raise InputError(
                f"a value above zero at {membrane.name}, beside the {words[min(beside)]} of {name}",
                "0 m/s, or a factor of 0 on it: nothing moves to and from the membrane",
                at=("permeability",),
            )


def derivable_radii(material: Material, shape: Shape) -> tuple[Radius, ...]:
    """Radii of a cell by which signals may be derived: none where `radii_refused` says why."""
    return () if radii_refused(material, shape) else shape.named_radii()


def radii_refused(material: Material, shape: Shape) -> str:
    """Say why there are no derivatives by radii; empty where there are some.

    A growing ball would take in water of another density, and change it. Magnetisation that is
    stored along z has relaxation times of its own.
    """
    if not shape.named_radii():
        return "the cell has no discs or spheres with membranes or surfaces"
    if not material.is_uniform:
        return "a growing ball would take in water of another density"
    return "there is a T1 beside T2" if material.T1 else ""
