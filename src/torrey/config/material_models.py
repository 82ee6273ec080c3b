"""What may stand in a configuration file for what fills a cell: values by part or by name."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, TypeVar

from pydantic import ConfigDict, Discriminator, Field, Tag
from pydantic.fields import FieldInfo

from torrey.base.budgets import MOST_CELLS
from torrey.base.units import UNITS
from torrey.config.quantities import (
    DiffusivityEntry,
    Model,
    NotNegativeDiffusivity,
    RelaxationTime,
    Share,
)

V = TypeVar("V")

#: Numbers in the row of a matrix: more than any cell has dimensions.
_LONGEST: Final = 8


def form_inside(value: object) -> str:
    """Tell one value from a list: a matrix is a list of rows, a list of matrices is deeper."""
    first = value[0] if isinstance(value, list) and value else None
    is_matrix = isinstance(first, list) and not any(isinstance(entry, list) for entry in first)
    return "list" if isinstance(value, list) and not is_matrix else "one"


_D: Final = UNITS["diffusivity"].accepted


class RadialModel(Model):
    """Diffusivity in a coat: along the radius, and in all directions across it."""

    radial: NotNegativeDiffusivity = Field(description=_D)
    tangential: NotNegativeDiffusivity = Field(description=_D)


def _form_of_diffusivity(value: object) -> str:
    if isinstance(value, list):
        return "matrix"
    return "radial" if isinstance(value, dict) else "number"


AnyDiffusivity = Annotated[
    Annotated[NotNegativeDiffusivity, Tag("number")]
    | Annotated[RadialModel, Tag("radial")]
    | Annotated[
        list[Annotated[list[DiffusivityEntry], Field(min_length=1, max_length=_LONGEST)]],
        Field(min_length=1, max_length=_LONGEST),
        Tag("matrix"),
    ],
    Discriminator(_form_of_diffusivity),
]


# One value for all compartments inside, or a list with one for each.
Inside = Annotated[
    Annotated[V, Tag("one")]
    | Annotated[list[V], Field(min_length=1, max_length=MOST_CELLS), Tag("list")],
    Discriminator(form_inside),
]

_LAYER_0: Final = "(of layer 0 where there are layers)"
_PER_CELL: Final = "or a list with one per cell"
_PER_COAT: Final = "or a list with one per cell, in the layers around cells"
_PER_RING: Final = "or a list with one per cell, in the coats around cells"
_DIFFUSIVITY: Final = f"{UNITS['diffusivity'].accepted}, or a symmetric matrix of them, row by row"
_T2: Final = f"{UNITS['relaxation_time'].accepted}, or infinite"
_DENSITY: Final = "a number, at least 0"


def _absent() -> Any:
    """Stand for a key that is not there: an empty list, which a key in a file cannot be."""
    return []


class ByRegion(Model):
    """Values by part of a cell; other keys are names of compartments or regions."""

    model_config = ConfigDict(extra="allow")

    named: ClassVar[FieldInfo]
    """What a name stands for."""

    def by_name(self) -> dict[str, Any]:
        """Return what is given by the name of a compartment or region."""
        return dict(self.__pydantic_extra__ or {})


class DiffusivityModel(ByRegion):
    """Diffusivities of the compartments."""

    __pydantic_extra__: dict[str, AnyDiffusivity]
    named: ClassVar[FieldInfo] = FieldInfo(annotation=AnyDiffusivity, description=_DIFFUSIVITY)

    outside: AnyDiffusivity = Field(default_factory=list, description=f"{_DIFFUSIVITY} {_LAYER_0}")
    inside: Inside[AnyDiffusivity] = Field(
        default_factory=list, description=f"{_DIFFUSIVITY}, {_PER_CELL}"
    )
    layer: Inside[AnyDiffusivity] = Field(
        default_factory=list, description=f"{_DIFFUSIVITY}, {_PER_COAT}"
    )
    coat: Inside[AnyDiffusivity] = Field(
        default_factory=list,
        description=f"{_DIFFUSIVITY}, or {{radial: , tangential: }}, {_PER_RING}",
    )


class RelaxationModel(ByRegion):
    """Relaxation times of the compartments."""

    __pydantic_extra__: dict[str, RelaxationTime]
    named: ClassVar[FieldInfo] = FieldInfo(annotation=RelaxationTime, description=_T2)

    outside: RelaxationTime = Field(default_factory=_absent, description=f"{_T2} {_LAYER_0}")
    inside: Inside[RelaxationTime] = Field(default_factory=list, description=f"{_T2}, {_PER_CELL}")
    layer: Inside[RelaxationTime] = Field(default_factory=list, description=f"{_T2}, {_PER_COAT}")
    coat: Inside[RelaxationTime] = Field(default_factory=list, description=f"{_T2}, {_PER_RING}")


class DensityModel(ByRegion):
    """Initial spin densities of the compartments, relative to each other."""

    __pydantic_extra__: dict[str, Share]
    named: ClassVar[FieldInfo] = FieldInfo(annotation=Share, description=_DENSITY)

    outside: Share = Field(default_factory=_absent, description=f"{_DENSITY} {_LAYER_0}")
    inside: Inside[Share] = Field(default_factory=list, description=f"{_DENSITY}, {_PER_CELL}")
    coat: Inside[Share] = Field(default_factory=list, description=f"{_DENSITY}, {_PER_RING}")
