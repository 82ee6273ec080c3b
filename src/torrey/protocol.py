"""One measurement in one cell: the point of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

from torrey.keys import slug
from torrey.waveforms import Pgse

EncodingKind = Literal["b", "q", "gradient"]

_LABELS: Final[dict[EncodingKind, str]] = {"b": "b", "q": "q", "gradient": "G"}


@dataclass(frozen=True)
class Point:
    """The size of a cell, the permeability of its membranes, and the gradient applied.

    Parameters
    ----------
    period : float
        Physical size L of the unit cell (um).
    permeability : float
        kappa, of every membrane (um/ms).
    waveform : Pgse
        Shape of the gradient in time.
    q : float
        Largest wave number, max |g(t)| (rad/um).
    direction : tuple of float
        Unit vector, one number per dimension.
    """

    period: float
    permeability: float
    waveform: Pgse
    q: float
    direction: tuple[float, ...]

    @property
    def b(self) -> float:
        """The b-value (ms/um^2)."""
        return self.waveform.b_value(self.q)

    @property
    def gradient(self) -> float:
        """Amplitude gamma G of the gradient (rad/um/ms)."""
        return self.waveform.gradient_of_q(self.q)

    @property
    def sigma(self) -> float:
        """kappa / L (1/ms), which the expansion in L holds fixed."""
        return self.permeability / self.period

    def key(self, encoding: EncodingKind = "b") -> str:
        """Return the canonical stem of the point's file.

        Parameters
        ----------
        encoding : {"b", "q", "gradient"}
            Which of the three was given, so that the name shows a round number: the 12 digits that
            a name keeps do not see the rounding of the way from there to q and back.

        Examples
        --------
        >>> waveform = Pgse(5.0, 25.0)
        >>> Point(10.0, 0.05, waveform, waveform.q_of_b(4.0), (0.0, 1.0)).key()
        'L10_kappa0.05_pgse-5-25_b4_n0_1'
        """
        return slug(
            {
                "L": self.period,
                "kappa": self.permeability,
                "": self.waveform.label,
                _LABELS[encoding]: float(getattr(self, encoding)),
                "n": self.direction,
            }
        )

    def to_dict(self) -> dict[str, str | int | float]:
        """Return plain values."""
        return {
            "period": self.period,
            "permeability": self.permeability,
            "waveform": "pgse",
            "delta": self.waveform.delta,
            "Delta": self.waveform.Delta,
            "q": self.q,
            **{f"direction_{axis}": x for axis, x in zip("xyz", self.direction, strict=False)},
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        return cls(
            period=float(plain["period"]),
            permeability=float(plain["permeability"]),
            waveform=Pgse(float(plain["delta"]), float(plain["Delta"])),
            q=float(plain["q"]),
            direction=tuple(
                float(plain[f"direction_{axis}"]) for axis in "xyz" if f"direction_{axis}" in plain
            ),
        )
