"""What a configuration means: its entries by name, checked and in internal units."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from torrey.cell.material import Material
from torrey.geometry.shapes import MeshOptions, Shape
from torrey.gradients.protocol import Point
from torrey.gradients.sweep import REFERENCE, Index, Product, Sweep
from torrey.gradients.waveforms import Waveform
from torrey.inversion.design_settings import DesignSettings
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.measured import MeasuredProtocol
from torrey.models.registry import has_derivatives

ReferenceMethod = Literal["full", "projected"]


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
    cumulants : bool
        Whether apparent diffusivities and kurtoses at b -> 0 are wanted.
    derivatives : tuple of str
        What signals are derived by: see `torrey.gradients.derivable`. Empty: no derivatives.
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
    method: ReferenceMethod = "full"
    cumulants: bool = False
    derivatives: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def points(self) -> dict[Index, Point]:
        """Return every point of the sweep by its index along the axes."""
        return self.sweep.points()

    @property
    def homogenised(self) -> tuple[str, ...]:
        """The models beside the reference."""
        return tuple(model for model in self.models if model != REFERENCE)

    @property
    def derived_models(self) -> tuple[str, ...]:
        """The models that have derivatives, where these are wanted."""
        return tuple(model for model in self.models if self.derivatives and has_derivatives(model))

    @property
    def is_projected(self) -> bool:
        """Whether the study has a reference made by projected models."""
        return REFERENCE in self.models and self.method == "projected"

    @property
    def has_orders(self) -> bool:
        """Whether orders of convergence can be fitted: a reference, models and several periods."""
        return len(self.sweep.periods) > 1 and REFERENCE in self.models and bool(self.homogenised)

    @property
    def has_kurtosis(self) -> bool:
        """Whether a kurtosis can be fitted: three values along b or more."""
        protocol = self.sweep.protocol
        return isinstance(protocol, Product) and len(protocol.encodings) >= 3

    @property
    def has_tensors(self) -> bool:
        """Whether the papers' tensors exist: no membrane lies within one compartment."""
        return all(m.outside != m.inside for m in self.shape.membranes())


@dataclass(frozen=True)
class Dictionary:
    """A table of very many signals in one cell.

    Parameters
    ----------
    name, geometry : str
        Names of the dictionary and of its geometry.
    shape : Shape
    mesh : MeshOptions
    places : tuple of (str, tuple of float)
        Parts of the cell whose diffusivities are swept, with their values (um^2/ms).
    materials : tuple of Material
        One for each of the product of these values, the last part fastest; or the only one.
    sweep : Sweep
        Of each material.
    models : tuple of str
        ``reference``, by projected models, or others.
    tolerance : float
        Relative, for the reference.
    notes : tuple of str
        What was read from files, in words.
    """

    name: str
    geometry: str
    shape: Shape
    mesh: MeshOptions
    places: tuple[tuple[str, tuple[float, ...]], ...]
    materials: tuple[Material, ...]
    sweep: Sweep
    models: tuple[str, ...]
    tolerance: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inversion:
    """Parameters to be found from the signals of studies.

    Parameters
    ----------
    name : str
    kind : {"karger", "physical", "exchange"}
        Parameters of two exchanging compartments, or permeability and diffusivities; or those of a
        model of measured tables, cell by cell.
    studies : tuple of str
        Whose signals are fitted, together; of ``exchange``, one after the other.
    starts : tuple of int
        Numbers of starts.
    seed : int
    spread : float
        Of the starts round the truth, relative.
    data : tuple of str
        Models whose signals are fitted one after the other.
    constraint, symmetric, profile : bool
        Whether theta_c follows from the rates, D_e is symmetric, and profiles are wanted.
    noise : tuple, optional
        Kind, signal-to-noise ratios and repeats.
    models, parameters : tuple of str
        Of physical parameters: what is fitted with, and which.
    settings : FitSettings, optional
        Of ``exchange``: the model and how it is fitted; `data` is then one model of the studies.
    snr : float, optional
        Of ``exchange``: behind the standard errors; the misfit without it.
    """

    name: str
    kind: Literal["karger", "physical", "exchange"]
    studies: tuple[str, ...]
    starts: tuple[int, ...] = (1,)
    seed: int = 1
    spread: float = 0.5
    data: tuple[str, ...] = ()
    constraint: bool = False
    symmetric: bool = False
    profile: bool = False
    noise: tuple[str, tuple[float, ...], int] | None = None
    models: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    settings: FitSettings | None = None
    snr: float | None = None

    def to_json(self) -> str:
        """Return all but the names of inversion and studies as one string."""
        if self.settings is not None:
            # Cells are told by the names of their studies.
            given: dict[str, Any] = {"names": self.studies, "signals": self.data[0]}
            given |= {"snr": self.snr, "settings": self.settings.to_json()}
            return json.dumps(given, sort_keys=True)
        plain = {key: value for key, value in asdict(self).items() if key not in _NAMES}
        return json.dumps(plain, sort_keys=True)


_NAMES = ("name", "studies", "settings", "snr")


@dataclass(frozen=True)
class BlochRun:
    """Something to compute of a periodic medium at any gradient: bands, spectra, maps.

    Parameters
    ----------
    name : str
    kind : str
        ``bands``, ``narrow-maps``, ``narrow-signals``, ``maps``, ``strengths``, ``spectrum``,
        ``modes`` or ``dispersion``.
    geometry : str
    shape : Shape
    material : Material
    period, permeability : float
        um, um/ms.
    settings : tuple of (str, value)
        The keys of the kind.
    notes : tuple of str
        What whoever runs it should know, such as that its period scales the cell.
    """

    name: str
    kind: str
    geometry: str
    shape: Shape
    material: Material
    period: float
    permeability: float
    settings: tuple[tuple[str, Any], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Voxel:
    """Signals of a square in the middle of a random packing.

    Parameters
    ----------
    name, geometry : str
    box : float
        Side of the packing (um).
    count : int
        Discs in it.
    side : float, optional
        Of the square (um); all of the box without it.
    outside, inside : float
        Diffusivities (um^2/ms).
    permeability : float
        um/ms
    waveform : Waveform
        Of one component.
    direction : tuple of float
        Unit vector.
    b : tuple of float
        ms/um^2
    tolerance : float
        Absolute, of each signal.
    segments, refinements : int
        Of the meshes.
    """

    name: str
    geometry: str
    box: float
    count: int
    side: float | None
    outside: float
    inside: float
    permeability: float
    waveform: Waveform
    direction: tuple[float, ...]
    b: tuple[float, ...]
    tolerance: float
    segments: int
    refinements: int

    @property
    def window(self) -> float:
        """Side of the square over which signals are integrated (um)."""
        return self.box if self.side is None else self.side

    @property
    def domains(self) -> dict[str, float]:
        """Where the equation is solved, and the side of that (um)."""
        return {"box": self.box} | ({} if self.side is None else {"voxel": self.side})

    def points(self, domain: str) -> list[Point]:
        """Return the measurements in a domain, one for each b."""
        side, waveform = self.domains[domain], self.waveform
        return [
            Point(side, self.permeability, *waveform.measure("b", b), self.direction)
            for b in self.b
        ]


@dataclass(frozen=True)
class MeasuredData:
    """Measured signals: a table, or volumes.

    Parameters
    ----------
    name : str
    files : tuple of (str, str)
        ``table``; or ``nifti``, and ``mask`` and ``sigma`` where there are; and their paths.
    protocol : MeasuredProtocol
        What was measured in each row or volume.
    noise : {"gaussian", "rician"}
    sigma : float, optional
        Noise of all signals, where it is one number.
    has_sigma : bool
        Whether the noise is known from anywhere.
    voxels : int
        Of a table, or of a volume with its mask's outside.
    shape : tuple of int
        Of a volume; empty for a table.
    volumes : tuple of int
        Numbers of those that are rows of the protocol; empty if all are.
    notes : tuple of str
        What was read from files, in words.
    """

    name: str
    files: tuple[tuple[str, str], ...]
    protocol: MeasuredProtocol
    noise: Literal["gaussian", "rician"]
    sigma: float | None
    has_sigma: bool
    voxels: int
    shape: tuple[int, ...] = ()
    volumes: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_volume(self) -> bool:
        """Whether maps can be made."""
        return bool(self.shape)


@dataclass(frozen=True)
class DataFit:
    """A model fitted to measured signals.

    Parameters
    ----------
    name, data : str
        Names of the fit, among the inversions, and of its data.
    settings : FitSettings
        What is fitted and how.
    parameters : tuple of str
        That are fitted.
    chunks : int
        Jobs that share the voxels.
    study : str
        Whose cell the model ``physical`` is; empty for others.
    """

    name: str
    data: str
    settings: FitSettings
    parameters: tuple[str, ...]
    chunks: int
    study: str = ""


@dataclass(frozen=True)
class Design:
    """What is asked of the protocol of a study, by the names of both."""

    name: str
    study: str
    settings: DesignSettings


@dataclass(frozen=True)
class FigureRequest:
    """What a figure shows: geometries, studies, inversions, runs of bloch or voxels, by name.

    One that is drawn on request alone is not among all figures. `fits` are inversions that it shows
    beside what it is of.

    A figure of one's own has a `kind`, with its `settings` by name: which axis goes where.
    """

    name: str
    geometries: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    inversions: tuple[str, ...] = ()
    bloch: tuple[str, ...] = ()
    voxels: tuple[str, ...] = ()
    fits: tuple[str, ...] = ()
    on_request: bool = False
    kind: str = ""
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class TableRequest:
    """What a table holds: geometries, studies or inversions, by name."""

    name: str
    geometries: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    inversions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """A checked configuration, by name."""

    geometries: Mapping[str, Geometry]
    studies: Mapping[str, Study]
    figures: Mapping[str, FigureRequest]
    tables: Mapping[str, TableRequest] = field(default_factory=dict)
    inversions: Mapping[str, Inversion] = field(default_factory=dict)
    bloch: Mapping[str, BlochRun] = field(default_factory=dict)
    voxels: Mapping[str, Voxel] = field(default_factory=dict)
    data: Mapping[str, MeasuredData] = field(default_factory=dict)
    fits: Mapping[str, DataFit] = field(default_factory=dict)
    dictionaries: Mapping[str, Dictionary] = field(default_factory=dict)
    designs: Mapping[str, Design] = field(default_factory=dict)
