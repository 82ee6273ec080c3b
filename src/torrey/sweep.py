"""The points of a study: the product of its lists."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Literal, Self

from torrey.keys import round_significant
from torrey.protocol import EncodingKind, Point
from torrey.waveforms import Pgse

PermeabilityKind = Literal["permeability", "sigma0"]
Index = tuple[int, int, int, int, int, int]

UM_PER_MM = 1000.0

REFERENCE = "reference"
"""Name of the reference among the models of a study."""


@dataclass(frozen=True)
class Sweep:
    """Values to combine.

    Parameters
    ----------
    periods : tuple of float
        Physical sizes L of the cell (um).
    permeability_kind : {"permeability", "sigma0"}
        Whether `permeabilities` are kappa, or sigma0 with kappa = sigma0 L / (1 mm).
    permeabilities : tuple of float
        In um/ms.
    deltas, Deltas : tuple of float
        Pulse durations and separations (ms).
    encoding_kind : {"b", "q", "gradient"}
        Whether `encodings` are b-values (ms/um^2), wave numbers (rad/um) or gradients (rad/um/ms).
    encodings : tuple of float
    directions : tuple of tuple of float
        Unit vectors.
    """

    periods: tuple[float, ...]
    permeability_kind: PermeabilityKind
    permeabilities: tuple[float, ...]
    deltas: tuple[float, ...]
    Deltas: tuple[float, ...]
    encoding_kind: EncodingKind
    encodings: tuple[float, ...]
    directions: tuple[tuple[float, ...], ...]

    def axes(self) -> dict[str, tuple[float, ...] | tuple[tuple[float, ...], ...]]:
        """Return the swept values by the name of their dimension, in the dimensions' order."""
        return {
            "period": self.periods,
            self.permeability_kind: self.permeabilities,
            "delta": self.deltas,
            "Delta": self.Deltas,
            self.encoding_kind: self.encodings,
            "direction": self.directions,
        }

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each axis."""
        return tuple(len(values) for values in self.axes().values())

    def waveform(self, delta: float, Delta: float) -> Pgse:
        """Return the waveform of one pair of times (ms)."""
        return Pgse(delta, Delta)

    def wave_number(self, waveform: Pgse, value: float) -> float:
        """Return max |g| (rad/um) for one of the `encodings`."""
        if self.encoding_kind == "b":
            return waveform.q_of_b(value)
        if self.encoding_kind == "gradient":
            return waveform.q_of_gradient(value)
        return value

    def kappa(self, period: float, permeability: float) -> float:
        """Return kappa (um/ms) for one of the `permeabilities`."""
        if self.permeability_kind == "sigma0":
            return round_significant(permeability * period / UM_PER_MM)
        return permeability

    def points(self) -> dict[Index, Point]:
        """Return every point of the sweep by its index along the axes, the last one fastest."""
        points = {}
        for index in product(*map(range, self.shape)):
            i, j, k, l, m, n = index
            period, waveform = self.periods[i], self.waveform(self.deltas[k], self.Deltas[l])
            points[i, j, k, l, m, n] = Point(
                period,
                self.kappa(period, self.permeabilities[j]),
                waveform,
                self.wave_number(waveform, self.encodings[m]),
                self.directions[n],
            )
        return points

    def to_json(self) -> str:
        """Return the sweep as one string."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild what `to_json` wrote."""
        return cls(**{key: _freeze(value) for key, value in json.loads(text).items()})


def _freeze(value: Any) -> Any:
    return tuple(map(_freeze, value)) if isinstance(value, list) else value
