"""What is asked of the design of a protocol: light, so that a configuration can hold it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Literal

MOST_DROPPED: Final = 2000
"""Candidates up to which measurements are left out one by one, too, which takes their square."""
#: Rounds of exchanges as a rule.
_ROUNDS: Final = 10


def comparisons(candidates: int, chosen: int, repeated: bool) -> int:
    """About how often a choice compares a measurement with others; each takes a microsecond."""
    dropped = candidates if candidates <= MOST_DROPPED and not repeated else 0
    return candidates * (_ROUNDS * chosen + dropped)


@dataclass(frozen=True)
class DesignSettings:
    """Which parameters are unknown, and how many measurements are chosen to bound them.

    Parameters
    ----------
    model : str
        Whose derivatives count.
    parameters : tuple of (str, tuple of int, float)
        Name: ``kappa``, ``L``, or ``D_`` or ``R_`` and what it is of; regions whose diffusivity it
        is, or radii, and its value (um^2/ms, or units of the cell). No regions and zero for kappa
        and L, whose values the sweep has.
    sigma : float
        Standard deviation of the noise of a signal, relative to one without gradient and
        relaxation.
    choose : int
        How many; zero for bounds of the whole protocol alone.
    criterion : {"D", "A"}
    of : tuple of str
        Parameters that count; all without any.
    repeated : bool
        Whether a measurement may be chosen several times.
    """

    model: str
    parameters: tuple[tuple[str, tuple[int, ...], float], ...]
    sigma: float
    choose: int = 0
    criterion: Literal["D", "A"] = "D"
    of: tuple[str, ...] = ()
    repeated: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(name for name, _, _ in self.parameters)

    @property
    def columns(self) -> tuple[int, ...]:
        """Numbers of the parameters that count."""
        return tuple(self.names.index(name) for name in self.of or self.names)

    def to_json(self) -> str:
        """All of it as one text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> DesignSettings:
        """What `to_json` wrote."""
        plain = json.loads(text)
        parameters = tuple((name, tuple(of), value) for name, of, value in plain["parameters"])
        return cls(**{**plain, "parameters": parameters, "of": tuple(plain["of"])})
