"""The points of a study: cells of several sizes and permeabilities under a protocol."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, Literal, Self, get_args

from torrey.base.errors import InputError
from torrey.base.fields import Declaration, declarations, declared
from torrey.base.keys import round_significant
from torrey.gradients.orientations import Fibres
from torrey.gradients.protocol import EncodingKind, Measurement, Point, Vector
from torrey.gradients.rules import Sphere
from torrey.gradients.waveforms import KINDS, AtEcho, SampledWaveform, Waveform, from_dict

PermeabilityKind = Literal["permeability", "sigma0", "surface_relaxivity"]
Index = tuple[int, ...]

UM_PER_MM = 1000.0

REFERENCE = "reference"
"""Name of the reference among the models of a study."""

WAVEFORM = "waveform"
"""Name of the axis of several waveforms from files."""

ENCODINGS: tuple[str, ...] = get_args(EncodingKind)
"""Axes along which the strength of the gradient changes."""


@dataclass(frozen=True)
class _Swept:
    """What a study sweeps beside the parameters of its waveforms."""

    period: float = declared(unit="length", symbol="L", description="physical size of the cell")
    permeability: float = declared(
        unit="permeability", symbol="κ", description="membrane permeability kappa"
    )
    sigma0: float = declared(
        unit="permeability",
        symbol="σ0",
        description="sigma0, where kappa = sigma0 * period / (1 mm)",
    )
    surface_relaxivity: float = declared(
        unit="permeability", symbol="ρ", description="relaxivity of the surfaces of obstacles"
    )
    b: float = declared(
        unit="b_value", symbol="b", description="b-value (1 ms um-2 is 1000 s mm-2)"
    )
    q: float = declared(
        unit="q",
        symbol="q",
        description="largest wave number; gamma G delta of rectangular pulses",
    )
    gradient: float = declared(unit="gradient", symbol="γG", description="largest gradient gamma G")
    measurement: float = declared(
        symbol="", description="number of the measurement in its acquisition, from 0"
    )


def axis_declaration(name: str) -> Declaration:
    """Return what an axis of a sweep is, a parameter of a waveform included.

    Raises
    ------
    KeyError
        If no sweep has such an axis.
    """
    classes: tuple[type, ...] = (_Swept, *KINDS.values())
    for cls in classes:
        if name in (known := declarations(cls)):
            return known[name]
    raise KeyError(name)


@dataclass(frozen=True)
class WaveformGrid:
    """Waveforms of one kind: the product of the values of their parameters.

    Parameters
    ----------
    kind : str
        See `torrey.gradients.waveforms.KINDS`.
    parameters : tuple of (name, tuple of float)
        In the order of the waveform's fields.
    echo_time : float
        Of all of them (ms); zero where the signal is read at the end of the gradients.
    """

    kind: str
    parameters: tuple[tuple[str, tuple[float, ...]], ...]
    echo_time: float = 0.0

    @property
    def axes(self) -> dict[str, tuple[float, ...]]:
        """Values by parameter."""
        return dict(self.parameters)

    @cached_property
    def waveforms(self) -> tuple[Waveform, ...]:
        """The product, the last parameter fastest."""
        values = product(*(values for _, values in self.parameters))
        # Fields are checked to be the parameters where a grid is read.
        shapes = (KINDS[self.kind](*combination) for combination in values)
        return tuple(_at_echo(shape, self.echo_time) for shape in shapes)


@dataclass(frozen=True)
class Samples:
    """Waveforms from files; `echo_time` as for a grid.

    Parameters
    ----------
    given : tuple of SampledWaveform
        Several are an axis, with their names as labels; one has nothing to sweep.
    echo_time : float
    """

    given: tuple[SampledWaveform, ...]
    echo_time: float = 0.0

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """Names of the files, if there are several."""
        names = tuple(waveform.name for waveform in self.given)
        return {WAVEFORM: names} if len(names) > 1 else {}

    @property
    def waveforms(self) -> tuple[Waveform, ...]:
        """Those of the files, in their order."""
        return tuple(_at_echo(waveform, self.echo_time) for waveform in self.given)


def _at_echo(waveform: Waveform, time: float) -> Waveform:
    return AtEcho(waveform, time) if time else waveform


@dataclass(frozen=True)
class Product:
    """Every waveform at every strength along every direction.

    Parameters
    ----------
    shapes : WaveformGrid or Samples
    encoding_kind : {"b", "q", "gradient"}
        Whether `encodings` are b-values (ms/um^2), wave numbers (rad/um) or gradients (rad/um/ms).
    encodings : tuple of float
    directions : tuple of tuple of float
        Unit vectors, in the frame of the scanner.
    sphere : Sphere, optional
        The rule whose points the directions are.
    fibres : Fibres, optional
        Orientations of the cell, an axis of their own; without it the frames of cell and scanner
        are the same.
    """

    shapes: WaveformGrid | Samples
    encoding_kind: EncodingKind
    encodings: tuple[float, ...]
    directions: tuple[Vector, ...]
    sphere: Sphere | None = None
    fibres: Fibres | None = None

    @property
    def n_axes(self) -> int:
        """Number of axes of the gradients: that of the cell's dimensions, or three."""
        return max(map(len, self.directions), default=0)

    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Return the swept values by the name of their dimension, in the dimensions' order."""
        return {
            **_orientations(self.fibres),
            **self.shapes.axes,
            self.encoding_kind: self.encodings,
            "direction": self.directions,
        }

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """All measurements as the cell sees them, the last axis fastest."""
        found = tuple(
            Measurement(*waveform.measure(self.encoding_kind, value), direction)
            for waveform in self.shapes.waveforms
            for value in self.encodings
            for direction in self.directions
        )
        return self.fibres.turn(found) if self.fibres else found

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        shapes = self.shapes
        plain = (
            {"samples": _one_or_list([one.to_dict()["samples"] for one in shapes.given])}
            if isinstance(shapes, Samples)
            else {"kind": shapes.kind, "parameters": shapes.parameters}
        )
        return {
            **plain,
            **({"echo_time": shapes.echo_time} if shapes.echo_time else {}),
            "encoding_kind": self.encoding_kind,
            "encodings": self.encodings,
            "directions": self.directions,
            **({"sphere": astuple(self.sphere)} if self.sphere else {}),
            **_plain_fibres(self.fibres),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_plain` wrote."""
        shapes: WaveformGrid | Samples
        echo_time = float(plain.get("echo_time", 0.0))
        if "samples" in plain:
            texts = plain["samples"]
            texts = [texts] if isinstance(texts, str) else texts
            shapes = Samples(tuple(map(SampledWaveform.from_text, texts)), echo_time)
        else:
            shapes = WaveformGrid(plain["kind"], _freeze(plain["parameters"]), echo_time)
        return cls(
            shapes,
            plain["encoding_kind"],
            _freeze(plain["encodings"]),
            _freeze(plain["directions"]),
            Sphere(*plain["sphere"]) if "sphere" in plain else None,
            _fibres(plain),
        )


@dataclass(frozen=True)
class Acquisition:
    """The measurements of a scan, one after the other.

    Parameters
    ----------
    encoding_kind : {"b", "gradient"}
        What the files of the acquisition give, and names of points show.
    rows : tuple of Measurement
        In the frame of the scanner.
    fibres : Fibres, optional
        As of a `Product`.
    """

    encoding_kind: EncodingKind
    rows: tuple[Measurement, ...]
    fibres: Fibres | None = None

    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Return the numbers of the measurements, from 0."""
        numbers = tuple(float(i) for i in range(len(self.rows)))
        return {**_orientations(self.fibres), "measurement": numbers}

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        """The measurements in their order, as the cell sees them."""
        return self.fibres.turn(self.rows) if self.fibres else self.rows

    @property
    def n_axes(self) -> int:
        """Number of axes of the gradients: that of the cell's dimensions, or three."""
        return len(self.rows[0].direction)

    @property
    def directions(self) -> tuple[Vector, ...]:
        """Direction of each measurement."""
        return tuple(row.direction for row in self.rows)

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold; a waveform stands once for the rows that share it."""
        shared: dict[Waveform, int] = {}
        rows = [
            [
                shared.setdefault(row.waveform, len(shared)),
                row.q,
                row.direction,
                *([row.roll] if row.roll else []),
            ]
            for row in self.rows
        ]
        return {
            "encoding_kind": self.encoding_kind,
            "waveforms": [waveform.to_dict() for waveform in shared],
            "rows": rows,
            **_plain_fibres(self.fibres),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild what `to_plain` wrote."""
        shared = [from_dict(waveform) for waveform in plain["waveforms"]]
        rows = [Measurement(shared[i], q, _freeze(n), *roll) for i, q, n, *roll in plain["rows"]]
        return cls(plain["encoding_kind"], tuple(rows), _fibres(plain))


def _orientations(fibres: Fibres | None) -> dict[str, tuple[Any, ...]]:
    """The first axis of a protocol whose fibres are oriented."""
    return {"orientation": fibres.orientations} if fibres else {}


def _plain_fibres(fibres: Fibres | None) -> dict[str, Any]:
    return {"fibres": fibres.to_plain()} if fibres else {}


def _fibres(plain: Mapping[str, Any]) -> Fibres | None:
    return Fibres.from_plain(plain["fibres"]) if "fibres" in plain else None


@dataclass(frozen=True)
class Sweep:
    """The product of periods, permeabilities and measurements.

    Parameters
    ----------
    periods : tuple of float
        Physical sizes L of the cell (um).
    permeability_kind : {"permeability", "sigma0", "surface_relaxivity"}
        Whether `permeabilities` are kappa, sigma0 with kappa = sigma0 L / (1 mm), or the relaxivity
        of the surfaces of obstacles, which stands in the place of kappa.
    permeabilities : tuple of float
        In um/ms.
    protocol : Product or Acquisition
        The measurements.
    harmonics : int
        Degree to which spherical harmonics of the signal are wanted; zero for none.
    """

    periods: tuple[float, ...]
    permeability_kind: PermeabilityKind
    permeabilities: tuple[float, ...]
    protocol: Product | Acquisition
    harmonics: int = 0

    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Return the swept values by the name of their dimension, in the dimensions' order."""
        return {
            "period": self.periods,
            self.permeability_kind: self.permeabilities,
            **self.protocol.axes(),
        }

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each axis."""
        return tuple(len(values) for values in self.axes().values())

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    def kappa(self, period: float, permeability: float) -> float:
        """Return kappa (um/ms) for one of the `permeabilities`."""
        if self.permeability_kind == "sigma0":
            return round_significant(permeability * period / UM_PER_MM)
        return permeability

    def cells(self) -> Iterator[tuple[float, float]]:
        """Yield period (um) and kappa (um/ms), the permeability fastest."""
        for period, permeability in product(self.periods, self.permeabilities):
            yield period, self.kappa(period, permeability)

    def points(self) -> dict[Index, Point]:
        """Return every point of the sweep by its index along the axes, the last one fastest."""
        points = (
            Point(period, kappa, m.waveform, m.q, m.direction, m.roll)
            for (period, kappa), m in product(self.cells(), self.protocol.measurements)
        )
        return dict(zip(product(*map(range, self.shape)), points, strict=True))

    def point_at(self, places: Mapping[str, int]) -> Point:
        """Return the point at some places on the axes, at the first one where none is given."""
        return self.points()[tuple(places.get(axis, 0) for axis in self.axes())]

    def without_strengths(self) -> Self:
        """The same sweep with q = 1 rad/um alone: for what does not depend on the strength.

        Raises
        ------
        InputError
            If the shape of a waveform depends on its strength.
        """
        protocol = self.protocol
        for m in protocol.measurements:
            if not m.waveform.scales:
                raise InputError(
                    f"the waveform {m.waveform.kind}, whose shape depends on its strength",
                    "waveforms of one shape at all strengths",
                )
        if isinstance(protocol, Product):
            unit: Product | Acquisition = replace(protocol, encoding_kind="q", encodings=(1.0,))
        else:
            rows = tuple(replace(row, q=1.0) for row in protocol.rows)
            unit = replace(protocol, encoding_kind="b", rows=rows)
        return replace(self, protocol=unit)

    def to_json(self) -> str:
        """Return the sweep as one string."""
        plain = {
            "periods": self.periods,
            "permeability_kind": self.permeability_kind,
            "permeabilities": self.permeabilities,
            "protocol": self.protocol.to_plain(),
            **({"harmonics": self.harmonics} if self.harmonics else {}),
        }
        return json.dumps(plain, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild what `to_json` wrote."""
        plain = json.loads(text)
        kind = Acquisition if "rows" in plain["protocol"] else Product
        return cls(
            _freeze(plain["periods"]),
            plain["permeability_kind"],
            _freeze(plain["permeabilities"]),
            kind.from_plain(plain["protocol"]),
            plain.get("harmonics", 0),
        )


def _one_or_list(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _freeze(value: Any) -> Any:
    return tuple(map(_freeze, value)) if isinstance(value, list) else value
