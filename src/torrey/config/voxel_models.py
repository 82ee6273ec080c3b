"""What a configuration may say of a voxel."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from torrey.base.units import UNITS
from torrey.config.quantities import (
    BValue,
    Diffusivity,
    Length,
    Model,
    Number,
    OneOrMore,
    Permeability,
    or_more,
)
from torrey.config.waveform_models import AnyWaveform

_D: Final = UNITS["diffusivity"].accepted


class VoxelDiffusivityModel(Model):
    """Diffusivities between the discs and in them."""

    outside: Diffusivity = Field(description=_D)
    inside: Diffusivity = Field(description=f"{_D}, of all discs")


class VoxelModel(Model):
    """The signal of a square in the middle of a random packing, from the packing and alone."""

    geometry: str = Field(description="the name of a geometry of kind packing")
    voxel: Length | None = Field(
        None,
        description=f"{UNITS['length'].accepted} (side of the square in the middle of the box "
        "whose signal is wanted, from the box and alone; without it, all of the box)",
    )
    diffusivity: VoxelDiffusivityModel = Field(
        description="a mapping, such as {outside: 3e-3 mm^2/s, inside: 3e-3 mm^2/s}"
    )
    permeability: Permeability = Field(
        description=f"{UNITS['permeability'].accepted}; 0 m/s is impermeable"
    )
    waveform: AnyWaveform = Field(description=AnyWaveform.accepted())
    direction: Annotated[list[Number], Field(min_length=2, max_length=2)] = Field(
        description="two numbers, such as [1, 0]: gradients in the plane of the discs"
    )
    b: OneOrMore[BValue] = Field(description=or_more("b_value", "of the waveform"))
    tolerance: Number = Field(
        1e-3,
        ge=1e-6,
        le=1e-1,
        description="a number from 1e-6 to 0.1: largest error of a signal, which is 1 without "
        "gradient",
    )
    segments: int = Field(
        6,
        ge=6,
        le=48,
        description="a whole number of 6 to 48: elements around a disc on the coarsest mesh",
    )
    refinements: int = Field(
        1, ge=1, le=3, description="a whole number of 1 to 3: refinements of the coarsest mesh"
    )
