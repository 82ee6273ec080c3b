"""What may stand in a configuration file, key by key.

The models hold the shape of the file and the units; what the values mean together is checked where
the domain objects are built. The description of a field is what a message offers as accepted and
what an editor shows.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
)

from torrey.base.budgets import MOST_CELLS, MOST_VALUES
from torrey.base.units import UNITS
from torrey.config.bloch import AnyBloch
from torrey.config.data_models import DataFitModel, DataModel, ExchangeInversionModel
from torrey.config.designs import DesignModel
from torrey.config.figure_models import AnyOwnFigure, FigureModel, TableModel
from torrey.config.inversions import AnyInversion
from torrey.config.material_models import DensityModel, DiffusivityModel, RelaxationModel
from torrey.config.quantities import (
    Angle,
    BValue,
    Gradient,
    Length,
    Model,
    NotNegativeDiffusivity,
    Number,
    OneOrMore,
    OrOne,
    Permeability,
    Share,
    WaveNumber,
    absent,
    one_of,
    or_more,
)
from torrey.config.voxel_models import VoxelModel
from torrey.config.waveform_models import AnyAcquisition, AnyWaveform
from torrey.gradients.orientations import FEWEST_ORIENTATIONS, MOST_CONCENTRATED
from torrey.gradients.rules import FEWEST_POINTS, LEBEDEV_DEGREES, MOST_POINTS
from torrey.models import registry

#: Numbers in a vector or in the row of a matrix: more than any cell has dimensions.
_LONGEST: Final = 8
Vector = Annotated[list[Number], Field(max_length=_LONGEST)]

NAME_PATTERN: Final = r"^[A-Za-z0-9_][A-Za-z0-9_-]*$"


def _known_model(name: str) -> str:
    """The name of a model, as it is written; what is accepted is what is known when it is read."""
    return str(registry.parse(name))


ModelName = Annotated[
    str,
    AfterValidator(_known_model),
    WithJsonSchema({"type": "string", "enum": registry.names()}),
]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


MEMBRANE_KEYS: Final = ("permeability", "sigma0")
PERMEABILITY_KEYS: Final = (*MEMBRANE_KEYS, "surface_relaxivity")
ENCODING_KEYS: Final = ("b", "q", "gradient")
GRADIENT_KEYS: Final = (*ENCODING_KEYS, "acquisition")
MATERIAL_KEYS: Final = ("T2", "T1", "density", "permeability_factors")
"""What a material may have beside its diffusivity."""


class ReferenceModel(Model):
    """How the reference is computed."""

    method: Literal["full", "projected"] = Field(
        description="full (the finite-element system, point by point) or projected (the same "
        "system on a small basis, with an estimate of what that changes; a point that it cannot "
        "bring below the tolerance is solved in full)"
    )


class SphereModel(Model):
    """Directions all over the sphere."""

    powder: int = Field(
        0,
        ge=FEWEST_POINTS,
        le=MOST_POINTS,
        description=f"a whole number of directions, from {FEWEST_POINTS} to {MOST_POINTS}",
    )
    lebedev: int = Field(
        0,
        ge=LEBEDEV_DEGREES[0],
        le=LEBEDEV_DEGREES[-1],
        description=f"a degree of Lebedev: {', '.join(map(str, LEBEDEV_DEGREES))}",
    )


_FIBRE: Final = "a vector of three numbers, such as [0, 0, 1]: where the z axis of the cell points"
_ROLL: Final = f"{UNITS['angle'].accepted}: of the cell about its z axis, before that is turned"


class OrientationModel(Model):
    """Where the fibre of a cell points."""

    axis: Vector = Field(description=_FIBRE)
    roll: Angle = Field(default_factory=lambda: Angle(0.0), description=_ROLL)


class WatsonModel(Model):
    """Fibres spread about an axis."""

    kappa: Number = Field(
        ge=0.0,
        le=MOST_CONCENTRATED,
        description=f"a number from 0 to {MOST_CONCENTRATED:g}: the density is exp(kappa cos^2)",
    )
    axis: Vector = Field(default_factory=lambda: [0.0, 0.0, 1.0], description=_FIBRE)
    roll: Angle = Field(default_factory=lambda: Angle(0.0), description=_ROLL)
    points: int = Field(
        60,
        ge=FEWEST_ORIENTATIONS,
        le=MOST_VALUES,
        description=f"a whole number of orientations, from {FEWEST_ORIENTATIONS} to {MOST_VALUES}",
    )


class DistributionModel(Model):
    """A distribution of fibres."""

    watson: WatsonModel = Field(
        description="a mapping, such as {kappa: 8, axis: [0, 0, 1], points: 60}"
    )


_ORIENTATION: Final = (
    "a mapping, such as {axis: [1, 0, 0], roll: 30 deg}; or a list of them, or "
    "{watson: {kappa: 8, axis: [0, 0, 1], points: 60}}"
)


def _orientation_form(value: object) -> str:
    is_distribution = isinstance(value, dict) and "watson" in value
    return "watson" if is_distribution else "list"


def _direction_form(value: object) -> str:
    return "sphere" if isinstance(value, dict) else "list"


AnyOrientation = Annotated[
    Annotated[DistributionModel, Tag("watson")]
    | Annotated[
        list[OrientationModel], Field(min_length=1, max_length=MOST_VALUES), OrOne(), Tag("list")
    ],
    Discriminator(_orientation_form),
]
AnyDirections = Annotated[
    Annotated[SphereModel, Tag("sphere")]
    | Annotated[
        list[Vector],
        Field(min_length=1, max_length=MOST_VALUES),
        OrOne(vectors=True),
        Tag("list"),
    ],
    Discriminator(_direction_form),
]

#: Largest degree of spherical harmonics.
_MOST_HARMONIC: Final = 16


def _nothing() -> Any:
    """Stand for a mapping that is not there, which a key in a file cannot be."""
    return None


_SWEPT: Final[dict[str, Any]] = {
    "anyOf": [{"required": [key]} for key in PERMEABILITY_KEYS],
    "not": {"required": [*MEMBRANE_KEYS]},
    "allOf": [one_of(*GRADIENT_KEYS)],
}


class SweepModel(Model):
    """A cell in a material, and what is swept."""

    model_config = ConfigDict(json_schema_extra=_SWEPT)

    geometry: str = Field(description="the name of a geometry")
    diffusivity: DiffusivityModel = Field(
        description="a mapping, such as {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}"
    )
    T2: RelaxationModel = Field(
        default_factory=lambda: RelaxationModel.model_construct(),
        description="a mapping, such as {outside: 80 ms, inside: 40 ms}",
    )
    T1: RelaxationModel = Field(
        default_factory=lambda: RelaxationModel.model_construct(),
        description="a mapping, such as {outside: 1 s, inside: 800 ms}, of stored magnetisation",
    )
    density: DensityModel = Field(
        default_factory=lambda: DensityModel.model_construct(),
        description="a mapping, such as {outside: 1, inside: 0.8}",
    )
    permeability_factors: Annotated[
        list[Share], Field(min_length=1, max_length=MOST_CELLS), OrOne()
    ] = Field(
        default_factory=list,
        description="a list of numbers of at least 0, one per membrane, such as [1, 0.5]",
    )
    period: OneOrMore[Length] = Field(description=or_more("length", "the size of the cell"))
    permeability: OneOrMore[Permeability] = Field(
        default_factory=absent, description=or_more("permeability", "0 m/s is impermeable")
    )
    sigma0: OneOrMore[Permeability] = Field(
        default_factory=absent,
        description=or_more("permeability", "kappa = sigma0 * period / mm"),
    )
    surface_relaxivity: OneOrMore[Permeability] = Field(
        default_factory=absent,
        description=or_more(
            "permeability",
            "of surfaces of obstacles, and of both sides of membranes; one value beside a "
            "permeability, without which membranes let nothing through",
        ),
    )
    relaxivity_factors: Annotated[
        list[Share], Field(min_length=1, max_length=MOST_CELLS), OrOne()
    ] = Field(
        default_factory=list,
        description="a list of numbers of at least 0 on a surface_relaxivity beside a "
        "permeability, one per membrane, such as [1, 0.5]",
    )
    waveform: AnyWaveform = Field(default_factory=_nothing)
    acquisition: AnyAcquisition = Field(default_factory=_nothing)
    b: OneOrMore[BValue] = Field(
        default_factory=absent, description=or_more("b_value", "of the waveform")
    )
    q: OneOrMore[WaveNumber] = Field(
        default_factory=absent, description=or_more("q", "gamma G delta")
    )
    gradient: OneOrMore[Gradient] = Field(
        default_factory=absent, description=or_more("gradient", "or gamma G, in rad/(mm ms)")
    )
    directions: AnyDirections = Field(
        default_factory=list,
        description="a list of vectors, such as [[1, 0]], or [[0.866, 0.5]] at 30 degrees; or "
        "{powder: 60} or {lebedev: 19}, for all directions in space",
    )
    orientation: AnyOrientation = Field(default_factory=list, description=_ORIENTATION)
    models: Annotated[list[ModelName], Field(min_length=1), OrOne()] = Field(
        description=f"one or more of {registry.accepted()}"
    )
    tolerance: Number = Field(
        1e-4,
        ge=1e-8,
        le=1e-1,
        description="a number from 1e-8 to 1e-1, relative, for the reference",
    )


DerivativeName = Literal["kappa", "D", "L", "b", "q", "gradient", "direction", "R"]


def _derivatives_form(value: object) -> str:
    return "list" if isinstance(value, list) or value in get_args(DerivativeName) else "all"


AnyDerivatives = Annotated[
    Annotated[bool, Tag("all")]
    | Annotated[list[DerivativeName], Field(min_length=1), OrOne(), Tag("list")],
    Discriminator(_derivatives_form),
]


class StudyModel(SweepModel):
    """The product of its lists."""

    spherical_harmonics: int = Field(
        0,
        ge=2,
        le=_MOST_HARMONIC,
        multiple_of=2,
        description=f"an even number from 2 to {_MOST_HARMONIC}: the largest degree of the "
        "harmonics of the signal over the directions",
    )
    reference: ReferenceModel = Field(
        default_factory=lambda: ReferenceModel.model_construct(method="full"),
        description="a mapping: {method: full} or {method: projected}",
    )
    cumulants: bool = Field(
        False,
        description="true or false: whether the study has a cumulants.nc, apparent diffusivities "
        "and kurtoses at b -> 0 of every model, from no fit",
    )
    derivatives: AnyDerivatives = Field(
        False,
        description="true, or a list of kappa, D, L, b (or q, gradient), direction and R, such as "
        "[kappa, D]: what a derivatives.nc has derivatives of the signals by",
    )


class DiffusivityAxesModel(Model):
    """Diffusivities by part of a cell, each an axis."""

    outside: OneOrMore[NotNegativeDiffusivity] = Field(
        default_factory=absent, description=or_more("diffusivity", "outside the cells")
    )
    inside: OneOrMore[NotNegativeDiffusivity] = Field(
        default_factory=absent, description=or_more("diffusivity", "in all cells alike")
    )
    layer: OneOrMore[NotNegativeDiffusivity] = Field(
        default_factory=absent, description=or_more("diffusivity", "in all layers alike")
    )
    coat: OneOrMore[NotNegativeDiffusivity] = Field(
        default_factory=absent, description=or_more("diffusivity", "in all coats alike")
    )


class DictionaryModel(SweepModel):
    """A table of very many signals: the product of its lists, those of diffusivities among them."""

    model_config = ConfigDict(
        json_schema_extra={
            **_SWEPT,
            "allOf": [one_of(*GRADIENT_KEYS), one_of("diffusivity", "diffusivities")],
        }
    )

    diffusivity: DiffusivityModel = Field(
        default_factory=lambda: DiffusivityModel.model_construct(),
        description="a mapping, such as {outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}",
    )
    diffusivities: DiffusivityAxesModel = Field(
        default_factory=lambda: DiffusivityAxesModel.model_construct(),
        description="a mapping in the place of diffusivity, whose lists are swept, such as "
        "{outside: 3e-3 mm^2/s, inside: [1e-3 mm^2/s, 2e-3 mm^2/s]}",
    )


# Of the signals of studies, or of measured ones: see `torrey.config.data_fits.is_data_fit`.
InversionEntry = AnyInversion | ExchangeInversionModel | DataFitModel


class FileModel(Model):
    """A configuration file; what a geometry holds depends on its kind: see `geometries`."""

    geometries: dict[Name, Any] = Field(
        default_factory=dict, description="a mapping from names to geometries"
    )
    studies: dict[Name, StudyModel] = Field(
        default_factory=dict, description="a mapping from names to studies"
    )
    dictionaries: dict[Name, DictionaryModel] = Field(
        default_factory=dict, description="a mapping from names to dictionaries of signals"
    )
    bloch: dict[Name, AnyBloch] = Field(
        default_factory=dict, description="a mapping from names to bands, spectra and maps"
    )
    voxels: dict[Name, VoxelModel] = Field(
        default_factory=dict, description="a mapping from names to voxels of random packings"
    )
    data: dict[Name, DataModel] = Field(
        default_factory=dict, description="a mapping from names to measured signals"
    )
    inversions: dict[Name, InversionEntry] = Field(
        default_factory=dict, description="a mapping from names to inversions"
    )
    designs: dict[Name, DesignModel] = Field(
        default_factory=dict, description="a mapping from names to designs of protocols"
    )
    figures: dict[Name, AnyOwnFigure | FigureModel] = Field(
        default_factory=dict, description="a mapping from names to figures"
    )
    tables: dict[Name, TableModel] = Field(
        default_factory=dict, description="a mapping from names to tables"
    )
