"""Bloch functions, spectra and magnetisation maps of a periodic medium in a configuration file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from torrey.base.budgets import MOST_POINTS, MOST_RESOLVED, quoted
from torrey.base.errors import InputError, KeyPath
from torrey.base.units import UNITS
from torrey.cell.material import Material
from torrey.config.cells import check_cells, cost_notes, scaling_notes
from torrey.config.domain import BlochRun, Geometry
from torrey.config.findings import Findings
from torrey.config.quantities import (
    Diffusivity,
    Frequency,
    Length,
    Model,
    OneOrMore,
    OrOne,
    Permeability,
    Readable,
    Time,
)
from torrey.gradients.waveforms import Pgse

_KINDS: Final = (
    "bands, narrow-maps, narrow-signals, sampling, schemes, maps, strengths, spectrum, modes or "
    "dispersion"
)
#: Of numbers without a unit, in whose powers nothing must overflow.
_LEAST_RATIO: Final = 1e-9
_PULSES: Final = "a whole number: narrow pulses in a reciprocal lattice vector, P in MMG20"
_RESOLUTION: Final = "a number above zero: length to which fields are resolved, over the period"
_TURNS: Final = "wave number of the pulses over the reciprocal lattice vector along the direction"
_LENGTHS: Final = "numbers above zero, in units of the period"
_ALONG: Final = "whole numbers, such as [1, 0] along an axis or [1, 1] along a diagonal"


class Ratio(Readable):
    """A number above zero, without a unit."""

    @classmethod
    def read(cls, text: object) -> Ratio:
        """Read the number."""
        try:
            value = float(text) if isinstance(text, str) and text.isascii() else math.nan
        except ValueError:
            value = math.nan
        if not 0.0 < value < math.inf:
            raise InputError(quoted(str(text)), "a number above zero")
        if not _LEAST_RATIO <= value <= 1 / _LEAST_RATIO:
            accepted = f"a number above zero, from {_LEAST_RATIO:g} to {1 / _LEAST_RATIO:g}"
            raise InputError(quoted(str(text)), accepted)
        return cls(value)

    @classmethod
    def __get_pydantic_json_schema__(cls, _: Any, __: Any) -> dict[str, Any]:
        return {"type": "number", "exclusiveMinimum": 0}


_Number = Annotated[int, Field(ge=-100, le=100)]
Whole = Annotated[list[_Number], Field(min_length=2, max_length=3)]
Directions = Annotated[list[Whole], Field(min_length=1, max_length=100), OrOne(vectors=True)]
_Any = Annotated[list[_Number], Field(min_length=1, max_length=3)]
#: Across layers, too: [[1]].
AnyDirections = Annotated[list[_Any], Field(min_length=1, max_length=100), OrOne(vectors=True)]


class BlochModel(Model):
    """What all share: a cell with one diffusivity outside, and its size.

    A kind of run is one such model and its entry in `torrey.bloch.runs.KINDS`.
    """

    two_meshes: ClassVar[bool] = False
    """Whether the kind compares two meshes."""
    one_dimension: ClassVar[bool] = False
    """Whether the kind is computed across layers, in one dimension, too."""

    geometry: str = Field(description="the name of a geometry")
    diffusivity: Diffusivity = Field(description="a diffusivity, such as 3e-3 mm^2/s")
    period: Length = Field(description="a length with its unit, such as 10 um")
    permeability: Permeability = Field(
        default_factory=lambda: Permeability(0.0),
        description="a permeability with its unit; 0 m/s is impermeable",
    )

    def check(self) -> None:
        """Raise an InputError if values do not fit together."""


class BandsModel(BlochModel):
    """Bands of the Laplacian along a line through the Brillouin zone."""

    kind: Literal["bands"] = Field(description=_KINDS)
    directions: Directions = Field(description=f"a list of {_ALONG}")
    pulses: int = Field(ge=2, le=10_000, description=_PULSES)
    resolution: Ratio = Field(description=_RESOLUTION)


class NarrowMapsModel(BlochModel):
    """Magnetisation after two infinitely narrow pulses."""

    kind: Literal["narrow-maps"] = Field(description=_KINDS)
    directions: Directions = Field(description=f"a list of {_ALONG}")
    turns: Ratio = Field(description=f"{_TURNS}, a number above zero")
    diffusion_lengths: OneOrMore[Ratio] = Field(description=_LENGTHS)
    pulses: int = Field(120, ge=2, le=10_000, description=_PULSES)
    resolution: Ratio = Field(description=_RESOLUTION)


class NarrowSignalsModel(BlochModel):
    """Signals of two infinitely narrow pulses against q."""

    kind: Literal["narrow-signals"] = Field(description=_KINDS)
    directions: Directions = Field(description=f"a list of {_ALONG}")
    turns: OneOrMore[Ratio] = Field(description=f"{_TURNS}, numbers above zero")
    diffusion_lengths: OneOrMore[Ratio] = Field(description=_LENGTHS)
    pulses: int = Field(120, ge=2, le=10_000, description=_PULSES)
    resolution: Ratio = Field(description=_RESOLUTION)


class SamplingModel(BlochModel):
    """Steps that stand for the wave number of a PGSE, by the four rules."""

    kind: Literal["sampling"] = Field(description=_KINDS)
    delta: Time = Field(description=UNITS["time"].accepted)
    Delta: Time = Field(description=UNITS["time"].accepted)
    turns: Ratio = Field(description="q L/(2 pi), a number above zero")
    pulses: int = Field(ge=1, le=10_000, description=_PULSES)

    def check(self) -> None:
        """The pulses must follow each other."""
        Pgse(self.delta, self.Delta)


class MapsModel(BlochModel):
    """Magnetisation after two pulses, Delta = delta, by both schemes."""

    kind: Literal["maps"] = Field(description=_KINDS)
    directions: Directions = Field(description=f"a list of {_ALONG}")
    gradient_lengths: OneOrMore[Ratio] = Field(description=_LENGTHS)
    ratio: Ratio = Field(description="a number above zero: l_delta/l_g")
    pulses: int = Field(120, ge=2, le=10_000, description=_PULSES)


class StrengthsModel(BlochModel):
    """Signals of two pulses, Delta = delta, against the gradient, by both schemes."""

    kind: Literal["strengths"] = Field(description=_KINDS)
    directions: Directions = Field(description=f"a list of {_ALONG}")
    pulse_lengths: OneOrMore[Ratio] = Field(description=_LENGTHS)
    strengths: OneOrMore[Ratio] = Field(description="(l_delta/l_g)^6, numbers above zero")
    pulses: int = Field(120, ge=2, le=10_000, description=_PULSES)


class SchemesModel(BlochModel):
    """Magnetisation after two pulses, Delta = delta, and its signal by both schemes."""

    two_meshes: ClassVar[bool] = True

    kind: Literal["schemes"] = Field(description=_KINDS)
    direction: Whole = Field(description=_ALONG)
    gradient_length: Ratio = Field(description="a number above zero: l_g over the period")
    ratio: Ratio = Field(description="a number above zero: l_delta/l_g")
    pulses: Annotated[
        list[Annotated[int, Field(ge=2, le=10_000)]], Field(min_length=1, max_length=100)
    ] = Field(description=f"a list of {_PULSES}")
    modes: Annotated[
        list[Annotated[int, Field(ge=1, le=1_000)]], Field(min_length=1, max_length=100)
    ] = Field(description="a list of whole numbers up to 1000: Laplacian modes at each wave vector")
    resolution: Ratio = Field(description=_RESOLUTION)


class SpectrumModel(BlochModel):
    """Eigenvalues of the Bloch-Torrey operator against the gradient."""

    two_meshes: ClassVar[bool] = True

    kind: Literal["spectrum"] = Field(description=_KINDS)
    direction: Whole = Field(description=_ALONG)
    strengths: OneOrMore[Ratio] = Field(description="(L/l_g)^3, numbers above zero")
    count: int = Field(ge=1, le=1000, description="a whole number of branches")


class ModesModel(BlochModel):
    """Eigenmodes of the Bloch-Torrey operator."""

    two_meshes: ClassVar[bool] = True

    kind: Literal["modes"] = Field(description=_KINDS)
    direction: Whole = Field(description=_ALONG)
    gradient_lengths: OneOrMore[Ratio] = Field(description=_LENGTHS)
    count: int = Field(ge=1, le=1000, description="a whole number of modes")


class DispersionModel(BlochModel):
    """Diffusivity and kurtosis against time and frequency, and rates of exchange."""

    two_meshes: ClassVar[bool] = True
    one_dimension: ClassVar[bool] = True

    kind: Literal["dispersion"] = Field(description=_KINDS)
    # One for each region: exchange is between waters that differ.
    diffusivity: OneOrMore[Diffusivity] = Field(  # type: ignore[assignment]
        description="a diffusivity, or a list with one per region: outside, then those inside"
    )
    directions: AnyDirections = Field(description=f"a list of {_ALONG}; [1] across layers")
    times: OneOrMore[Time] = Field(description="times between the pulses, such as [1 ms, 10 ms]")
    frequencies: OneOrMore[Frequency] = Field(
        description="frequencies, such as [10 Hz, 100 Hz]; omega is 2 pi times these"
    )


AnyBloch = Annotated[
    BandsModel
    | NarrowMapsModel
    | NarrowSignalsModel
    | SamplingModel
    | SchemesModel
    | MapsModel
    | StrengthsModel
    | SpectrumModel
    | ModesModel
    | DispersionModel,
    Field(discriminator="kind"),
]


def read_bloch(
    findings: Findings, name: str, geometries: Mapping[str, Geometry]
) -> BlochRun | None:
    """Build an entry of the section ``bloch``, or note what is wrong with it and return None."""
    path = ("bloch", name)
    before = len(findings.problems)
    model = findings.validate(path, AnyBloch)
    if model is None:
        return None
    geometry = geometries.get(model.geometry)
    if geometry is None:
        findings.require_entry((*path, "geometry"), model.geometry, "geometries")
        return None
    if not check_cells(findings, path, geometry):
        return None
    settings = _settings(model)
    for key, value in settings.items():
        if isinstance(value, tuple) and key != "direction":
            findings.require_once((*path, key), value)
    with findings.under(*path):
        model.check()
    if model.two_meshes and geometry.mesh.limit(geometry.shape.dimension) < 1:
        accepted = "a geometry with mesh.refinements of 1 or more: two meshes tell the error"
        findings.add((*path, "geometry"), f"{geometry.name}, with one mesh", accepted)
    for key in ("direction", "directions"):
        if key in settings:
            if geometry.shape.dimension == 1 and not model.one_dimension:
                found = f"{geometry.name}, in one dimension"
                findings.add((*path, "geometry"), found, "a geometry in two or three dimensions")
                continue
            _check_directions(findings, (*path, key), settings[key], geometry)
    if "resolution" in settings:
        _check_resolution(findings, path, settings["resolution"], geometry)
    with findings.under(*path):
        sizes = [len(each) for each in settings.values() if isinstance(each, tuple)]
        findings.spend("points of bloch", math.prod(sizes), MOST_POINTS)
    if model.permeability and all(m.is_surface for m in geometry.shape.membranes()):
        findings.add((*path, "permeability"), "a permeability above zero", "0 m/s: no membrane")
    diffusivity = _diffusivities(findings, path, model, geometry)
    if len(findings.problems) > before:
        return None
    return BlochRun(
        name=name,
        kind=model.kind,
        geometry=geometry.name,
        shape=geometry.shape,
        material=Material(diffusivity),
        period=float(model.period),
        permeability=float(model.permeability),
        settings=tuple(settings.items()),
        notes=(*scaling_notes(geometry, [float(model.period)]), *cost_notes(geometry)),
    )


def _diffusivities(
    findings: Findings, path: KeyPath, model: BlochModel, geometry: Geometry
) -> tuple[float, ...]:
    """One diffusivity for each region of the cell."""
    given = model.diffusivity
    values = given.values() if isinstance(given, OneOrMore) else (given,)
    count = len(geometry.shape.region_names)
    if len(values) not in (1, count):
        findings.add(
            (*path, "diffusivity"),
            f"{len(values)} diffusivities",
            f"one, or a list of {count}: one per region of the geometry",
        )
    return tuple(map(float, values)) * (count if len(values) == 1 else 1)


def _check_resolution(
    findings: Findings, path: KeyPath, resolution: float, geometry: Geometry
) -> None:
    """The modes that resolve a length grow like its inverse to the power of the dimension."""
    d = geometry.shape.dimension
    least = MOST_RESOLVED ** (-1.0 / d)
    if resolution < least:
        findings.add(
            (*path, "resolution"), f"{resolution:g}", f"at least {least:.3g} in {d} dimensions"
        )


def _settings(model: Any) -> dict[str, Any]:
    """Return the keys of one kind alone, in plain values."""
    shared = (*BlochModel.model_fields, "kind")
    return {
        key: _plain(getattr(model, key)) for key in type(model).model_fields if key not in shared
    }


def _plain(value: Any) -> Any:
    if isinstance(value, OneOrMore):
        return value.values()
    if isinstance(value, list):
        return tuple(map(_plain, value))
    return float(value) if isinstance(value, float) else value


def _check_directions(findings: Findings, path: KeyPath, value: Any, geometry: Geometry) -> None:
    several = path[-1] == "directions"
    for i, direction in enumerate(value if several else [value]):
        where = (*path, i) if several else path
        d = geometry.shape.dimension
        if len(direction) != d or not any(direction) or math.gcd(*direction) != 1:
            accepted = "[1] or [-1]: the cell has one dimension"
            if d > 1:
                accepted = (
                    f"{d} whole numbers without a common divisor, as many as the cell has "
                    "dimensions"
                )
            if d < len(direction) == 3:
                accepted += "; runs of bloch have gradients within the cell, studies in space"
            findings.add(where, f"{list(direction)}", accepted)
