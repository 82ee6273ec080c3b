"""Radii of random discs: how they are distributed, and how they are drawn.

Draws start from the raw numbers of a stream. Logarithms and powers may differ in their last digit
from one machine to another, so that radii which depend on them are rounded to `GRAIN` of the box.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.budgets import MOST_DISCS
from torrey.base.errors import InputError
from torrey.base.fields import check_kinds, declared
from torrey.geometry.balls.random_discs import (
    ONE,
    powers,
    radius_stream,
    uniform_numbers,
    unit_ball,
)

Array = NDArray[np.float64]

GRAIN: Final = 1e-7
"""Radii that need transcendental functions are multiples of this, in units of the box."""

_BLOCK = 4096
#: Numbers that are drawn for one that lies between the least and the most radius, at most.
_MOST_IN_VAIN = 1000
#: Part of a fraction by which what is drawn for it may be off, where half of a mean disc is less.
_OFF: Final = 0.1


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of radii, and the range beyond which none is taken.

    Parameters
    ----------
    mean, sd : float
        Of the distribution before it is cut (um).
    least, most : float
        What is drawn below or above is drawn again (um).

    Raises
    ------
    ValueError
        If the range is none, or the mean lies outside it.
    """

    mean: float = declared(unit="length", description="mean before the ends are cut off")
    sd: float = declared(
        unit="length", description="standard deviation before the ends are cut off"
    )
    least: float = declared(unit="length", description="radii below it are drawn again")
    most: float = declared(unit="length", description="radii above it are drawn again")

    name: ClassVar[str]

    def __post_init__(self) -> None:
        check_kinds(self)
        for key in ("mean", "sd", "least"):
            if not 0 < getattr(self, key) < math.inf:
                raise InputError(f"{getattr(self, key):.15g} um", "a length above 0", at=(key,))
        if not self.least < self.most:
            raise InputError(
                f"{self.most:.15g} um",
                f"a length above the least, {self.least:.15g} um",
                at=("most",),
            )
        if not self.least <= self.mean <= self.most:
            raise InputError(
                f"{self.mean:.15g} um",
                f"a mean between the least and the most, {self.least:g} to {self.most:.15g} um",
                at=("mean",),
            )

    def blocks(self, stream: np.random.PCG64) -> Iterator[Array]:
        """Yield draws (um), some at a time, as they come: least and most are not yet kept."""
        raise NotImplementedError


@dataclass(frozen=True)
class Gamma(Spread):
    """Radii with a gamma distribution.

    See `Spread`. Drawn after Marsaglia and Tsang, ACM Trans. Math. Softw. 26 (2000) 363.
    """

    name: ClassVar[str] = "gamma"

    def blocks(self, stream: np.random.PCG64) -> Iterator[Array]:
        """Yield draws (um), some at a time."""
        shape = (self.mean / self.sd) ** 2
        raised = shape if shape >= 1 else shape + 1
        d = raised - 1 / 3
        c = 1 / math.sqrt(9 * d)
        for x in _normal_blocks(stream):
            u = uniform_numbers(stream, len(x))
            boost = uniform_numbers(stream, len(x)) if shape < 1 else None
            v = (1 + c * x) ** 3
            positive = np.maximum(v, 1e-300)
            taken = (v > 0) & (u > 0)
            bound = 0.5 * x * x + d - d * v + d * np.log(positive)
            taken &= np.log(np.maximum(u, 1e-300)) < bound
            drawn = d * v if boost is None else d * v * boost ** (1 / shape)
            yield drawn[taken] * (self.mean / shape)


@dataclass(frozen=True)
class Lognormal(Spread):
    """Radii whose logarithm has a normal distribution.

    See `Spread`.
    """

    name: ClassVar[str] = "lognormal"

    def blocks(self, stream: np.random.PCG64) -> Iterator[Array]:
        """Yield draws (um), some at a time."""
        variance = math.log1p((self.sd / self.mean) ** 2)
        middle = math.log(self.mean) - variance / 2
        for x in _normal_blocks(stream):
            yield np.exp(middle + math.sqrt(variance) * x)


@dataclass(frozen=True)
class RadiusLaw:
    """How radii are distributed; one of the keys is given.

    Parameters
    ----------
    uniform : tuple of float
        The least and the most (um); empty if it is not this law.
    gamma : Gamma, optional
    lognormal : Lognormal, optional
    list : tuple of float
        Radii (um) that are taken in turn, from the first one again after the last.

    Raises
    ------
    ValueError
        If none or several are given, or a value is impossible.
    """

    uniform: tuple[float, ...] = declared(
        unit="length",
        description="two of them: the least and the most",
        default=(),
        min_length=2,
        max_length=2,
    )
    gamma: Gamma | None = declared(description="{mean: , sd: , least: , most: }", default=None)
    lognormal: Lognormal | None = declared(
        description="{mean: , sd: , least: , most: }", default=None
    )
    list: tuple[float, ...] = declared(
        unit="length", description="taken in turn; all radii alike: [3 um]", default=()
    )

    def __post_init__(self) -> None:
        check_kinds(self)
        given = [name for name in _LAWS if getattr(self, name)]
        if len(given) != 1:
            found = " and ".join(given) or "no distribution"
            raise InputError(found, f"one of {', '.join(_LAWS)}")
        for name in ("uniform", "list"):
            for i, radius in enumerate(getattr(self, name)):
                if not 0 < radius < math.inf:
                    raise InputError(f"{radius:.15g} um", "a radius above 0", at=(name, i))
        if self.uniform and not (len(self.uniform) == 2 and self.uniform[0] < self.uniform[1]):
            raise InputError(
                ", ".join(f"{radius:.15g} um" for radius in self.uniform),
                "two lengths, the least and the most, such as [1 um, 5 um]; "
                "for equal radii write list: [3 um]",
                at=("uniform",),
            )

    @property
    def name(self) -> str:
        """Which distribution it is."""
        return next(name for name in _LAWS if getattr(self, name))

    @property
    def most(self) -> float:
        """Largest radius that may be drawn (um)."""
        spread = self.gamma or self.lognormal
        return spread.most if spread else max((*self.uniform, *self.list))

    def draw(
        self,
        box: float,
        seed: int,
        count: int | None = None,
        fraction: float | None = None,
        dimension: int = 2,
    ) -> Array:
        """Draw radii for a square box, or a cubic one.

        Parameters
        ----------
        box : float
            Its side (um).
        seed : int
            At least 0.
        count : int, optional
            How many radii.
        fraction : float, optional
            Part of the box inside discs or spheres: as many radii as come nearest to it. Radii of a
            list are taken once each where neither is given.
        dimension : {2, 3}

        Returns
        -------
        (n,) float
            In units of the box, in the order in which they were drawn.

        Raises
        ------
        InputError
            If there would be more than `MOST_DISCS`, hardly any is in the range, or no number of
            them comes near to the fraction.
        """
        if count is None and fraction is None:
            count = len(self.list)
        wanted = math.inf if fraction is None else fraction / unit_ball(dimension)
        most = MOST_DISCS if count is None else count
        blocks, n, area = [np.empty(0)], 0, 0.0
        for block in self._blocks(radius_stream(seed), box):
            blocks.append(block[: most + 1 - n])
            n += len(blocks[-1])
            area += math.fsum(powers(block, dimension).tolist())
            if n > most or n == count or area >= wanted:
                break
        radii = np.concatenate(blocks)
        if fraction is None:
            return radii[:count]
        # Sums one after the other, which every machine rounds alike.
        sums = np.cumsum(powers(radii, dimension))
        nearest = int(np.argmin(np.abs(sums - wanted))) + 1
        if nearest > MOST_DISCS or sums[-1] < wanted:
            raise InputError(
                f"more than {MOST_DISCS:,} {ONE[dimension]}s for a fraction of {fraction:g}",
                f"at most {MOST_DISCS:,}: a smaller box or larger radii",
                at=("fraction",),
            )
        _check_fraction(fraction, unit_ball(dimension) * sums[nearest - 1], nearest, dimension)
        return radii[:nearest]

    def _blocks(self, stream: np.random.PCG64, box: float) -> Iterator[Array]:
        """Yield radii in units of the box, some at a time."""
        if self.list:
            yield from repeat(np.array(self.list) / box)
        if self.uniform:
            least, most = self.uniform
            while True:
                yield (least + (most - least) * uniform_numbers(stream, _BLOCK)) / box
        spread = self.gamma or self.lognormal
        assert spread is not None, "one of the laws is given"
        drawn = kept = 0
        for block in spread.blocks(stream):
            # Rounded before they are compared, so that every machine keeps the same ones.
            block = np.rint(block / box / GRAIN) * GRAIN
            inside = block[(block >= spread.least / box) & (block <= spread.most / box)]
            drawn, kept = drawn + len(block), kept + len(inside)
            if drawn > _MOST_IN_VAIN * (kept + 1):
                raise InputError(
                    f"{kept} of {drawn:,} draws between {spread.least:.15g} and "
                    f"{spread.most:.15g} um",
                    f"a wider range, or a {spread.name} distribution with more of it inside",
                    at=("radius", spread.name),
                )
            yield inside


def _check_fraction(wanted: float, reached: float, count: int, dimension: int) -> None:
    """Refuse balls so large that no number of them comes near to a fraction."""
    off, half = abs(reached - wanted), reached / count / 2
    one, filled = ONE[dimension], "area" if dimension == 2 else "volume"
    # Equal balls may be off by half of one to the last digit.
    if off > _OFF * wanted and off > half * (1 + 1e-9):
        raise InputError(
            f"a fraction of {wanted:g}, to which {count} {one}{'s' if count > 1 else ''} with "
            f"{reached:.3g} of the {filled} come{'' if count > 1 else 's'} nearest",
            f"one that is reached to {_OFF:.0%} of it, or to half of a mean {one}: a larger box, "
            f"smaller {one}s, another seed, or a count",
            at=("fraction",),
        )


_LAWS: Final = ("uniform", "gamma", "lognormal", "list")


def _normal_blocks(stream: np.random.PCG64) -> Iterator[Array]:
    """Normal numbers by Marsaglia's polar method: of what decides, nothing is rounded inexactly."""
    while True:
        u, v = 2 * uniform_numbers(stream, 2 * _BLOCK).reshape(2, -1) - 1
        s = u * u + v * v
        inside = (s > 0) & (s < 1)
        u, v, s = u[inside], v[inside], s[inside]
        factor = np.sqrt(-2 * np.log(s) / s)
        yield np.concatenate([u * factor, v * factor])
