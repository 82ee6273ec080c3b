"""What fills the compartments of a cell."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.base.keys import format_number, slug

Tensor = tuple[tuple[float, ...], ...]

NO_T1: Final = (
    "a waveform that stores magnetisation along z, in a material with T2 but without T1",
    "T1 of every compartment beside T2: stored magnetisation relaxes with T1",
)
"""What is wrong, and what is accepted, of a material that leaves stored magnetisation open."""

NO_CELL_PROBLEM: Final = (
    "water that moves along some axes of the cell alone (sticks)",
    "the reference by the full method: homogenised and projected models need water that moves "
    "along all axes of the cell, or along none",
)
"""What is wrong, and what is accepted, where cell problems have no unique solution."""

#: Relative to the largest eigenvalue of a diffusivity: the others are zero below it.
_NO_DIFFUSION: Final = 1e-9


@dataclass(frozen=True)
class Radial:
    """Diffusivity in a ring or a shell (um^2/ms): along the radius, and in all directions across.

    In a ring, which stands for a tube, the tangential one is that along the axis too.
    """

    radial: float
    tangential: float

    def mean(self, dimension: int, axes: int) -> NDArray[np.float64]:
        """Mean over a whole ring or shell in d dimensions, for gradients of so many axes."""
        D = self.tangential * np.eye(axes)
        D[:dimension, :dimension] += self.excess / dimension * np.eye(dimension)
        return D

    @property
    def excess(self) -> float:
        """What is more along the radius; may be negative."""
        return self.radial - self.tangential

    def __str__(self) -> str:
        return f"radial {self.radial:g}, tangential {self.tangential:g}"


Diffusing = float | Tensor | Radial
"""Diffusivity of a region."""


@dataclass(frozen=True)
class Material:
    """Diffusivity, relaxation and density of each compartment, and how membranes differ.

    Parameters
    ----------
    diffusivity : tuple of float, nested tuple of float or Radial
        For each compartment a number of at least zero, or a symmetric positive semi-definite
        matrix (um^2/ms): of as many rows as the cell has dimensions, or of three where gradients
        are in space. Water of zero is immobile. `Radial` in coats.
    T2 : tuple of float, optional
        Transverse relaxation time of each compartment (ms), `math.inf` where there is none. Empty:
        no relaxation.
    density : tuple of float, optional
        Initial spin density of each compartment, at least zero and not all zero. Empty: uniform.
    membranes : tuple of float, optional
        Factor on the permeability of each membrane, at least zero. Empty: all have the same.
    in_space : bool
        Whether gradients have three components in a cell of fewer dimensions, along whose other
        axes nothing changes.
    T1 : tuple of float, optional
        Longitudinal relaxation time of each compartment (ms), of magnetisation that is stored along
        z (`torrey.gradients.waveforms.Segment`). Empty: none, unless T2 is given, which leaves what
        stored magnetisation does unknown.
    relaxivity : tuple of float, optional
        Surface relaxivity of each membrane, on both of its sides, and of each surface (um/ms):
        beside a permeability. Empty: none relaxes.
    walls : bool
        Whether no membrane lets water through, but relaxes it on both sides: what stands in the
        place of a permeability is a surface relaxivity then, as it is for surfaces of obstacles.

    Raises
    ------
    ValueError
        If there is no compartment, or a value is none of these.
    """

    diffusivity: tuple[Diffusing, ...]
    T2: tuple[float, ...] = ()
    density: tuple[float, ...] = ()
    membranes: tuple[float, ...] = ()
    in_space: bool = False
    T1: tuple[float, ...] = ()
    relaxivity: tuple[float, ...] = ()
    walls: bool = False

    def __post_init__(self) -> None:
        if not self.diffusivity:
            raise InputError("no diffusivity", "one per compartment", at=("diffusivity",))
        for i, value in enumerate(self.diffusivity):
            if not _is_diffusivity(value):
                raise InputError(
                    _shown(value),
                    "a number of at least zero, or a symmetric positive semi-definite matrix "
                    "(um^2/ms)",
                    at=("diffusivity", i),
                )
        count = len(self.diffusivity)
        times = {"T2": self.T2, "T1": self.T1}
        for name, values in (*times.items(), ("density", self.density)):
            if len(values) not in (0, count):
                raise InputError(f"{len(values)} values", f"{count}, one per compartment", (name,))
        for name, values in times.items():
            for i, time in enumerate(values):
                if not time > 0:
                    raise InputError(
                        f"{time}", "a time above zero (ms), infinite without relaxation", (name, i)
                    )
        for name, values in (
            ("density", self.density),
            ("membranes", self.membranes),
            ("relaxivity", self.relaxivity),
        ):
            for i, number in enumerate(values):
                if not 0 <= number < math.inf:
                    raise InputError(f"{number}", "a finite number, at least zero", at=(name, i))
        if self.density and not any(self.density):
            raise InputError("no density above zero", "at least one", at=("density",))

    @property
    def relaxation(self) -> NDArray[np.float64]:
        """Relaxation rate 1/T2 of each compartment, shape (n_compartments,), in 1/ms."""
        return 1.0 / np.array(self.T2 or (math.inf,) * len(self.diffusivity))

    @property
    def stored_relaxation(self) -> NDArray[np.float64] | None:
        """Relaxation rate 1/T1 of each compartment likewise; None if T1 is not given."""
        return 1.0 / np.array(self.T1) if self.T1 else None

    @property
    def densities(self) -> NDArray[np.float64]:
        """Initial spin density of each compartment, shape (n_compartments,); 1 if not given."""
        return np.array(self.density or (1.0,) * len(self.diffusivity), dtype=float)

    @property
    def is_uniform(self) -> bool:
        """Whether all densities are equal: a normalised signal does not depend on them then."""
        return len(set(self.density)) <= 1

    def needs_space(self, dimension: int) -> bool:
        """Whether a matrix has three rows, more than the cell has dimensions."""
        return any(
            isinstance(value, tuple) and len(value) == 3 > dimension for value in self.diffusivity
        )

    def axes_of_motion(self, dimension: int) -> NDArray[np.int64]:
        """Number of axes along which the water of each compartment moves within the cell.

        Parameters
        ----------
        dimension : int
            d of the cell.

        Returns
        -------
        (n_compartments,) int
            Zero where it is immobile there, d as a rule; in between it moves along sticks.
        """
        rates = np.linalg.eigvalsh(self.tensors(dimension)[:, :dimension, :dimension])
        for i, value in enumerate(self.diffusivity):
            if isinstance(value, Radial):
                rates[i] = np.sort([value.radial, *[value.tangential] * (dimension - 1)])
        return np.sum(rates > _NO_DIFFUSION * rates[:, -1:], axis=1)

    @property
    def excess(self) -> NDArray[np.float64]:
        """What diffusivities are more along the radius, shape (n_compartments,)."""
        return np.array([D.excess if isinstance(D, Radial) else 0.0 for D in self.diffusivity])

    def extremes(self, i: int) -> tuple[float, ...]:
        """Diffusivities of one compartment along some axes, the least and the largest included."""
        value = self.diffusivity[i]
        if isinstance(value, Radial):
            return value.radial, value.tangential
        matrix = np.atleast_2d(np.array(value, dtype=float))
        return tuple(float(rate) for rate in np.linalg.eigvalsh(matrix))

    def within(self, dimension: int) -> Self:
        """The same for gradients within a cell: matrices have as many rows as it has dimensions."""
        inner = tuple(
            tuple(row[:dimension] for row in value[:dimension])
            if isinstance(value, tuple)
            else value
            for value in self.diffusivity
        )
        return replace(self, diffusivity=inner, in_space=False)

    def tensors(self, dimension: int) -> NDArray[np.float64]:
        """Return the diffusion tensors, in um^2/ms; of radial ones the mean.

        Parameters
        ----------
        dimension : int
            d of the cell.

        Returns
        -------
        (n_compartments, d, d) float
            3 x 3 if `in_space`, whatever the cell.

        Raises
        ------
        ValueError
            If a matrix has another number of rows.
        """
        axes = 3 if self.in_space else dimension
        tensors = np.empty((len(self.diffusivity), axes, axes))
        for i, value in enumerate(self.diffusivity):
            if isinstance(value, tuple) and len(value) != axes:
                raise InputError(
                    f"a matrix of {len(value)} rows", _rows(dimension, axes), ("diffusivity", i)
                )
            if isinstance(value, Radial):
                tensors[i] = value.mean(dimension, axes)
            elif isinstance(value, tuple):
                tensors[i] = _semi_definite(value)
            else:
                tensors[i] = value * np.eye(axes)
        return tensors

    def key(self) -> str:
        """Return the canonical name: the outside after ``De``, the insides after ``Di``.

        Only what is given follows: ``T2``, ``T1`` and ``rho`` (the density), outside first, and
        ``mem``, the factors of the membranes; ``walls`` if they are, ``rel``, their relaxivities;
        ``axes3`` if in space. Values inside, or of
        membranes, that are all equal stand once.

        >>> Material((3.0, 1.7, 1.7)).key()
        'De3_Di1.7'
        >>> Material((3.0, 1.7, 1.2)).key()
        'De3_Di1.7_1.2'
        >>> Material((3.0, 1.7), T2=(80.0, math.inf), membranes=(0.5,)).key()
        'De3_Di1.7_T280_inf_mem0.5'
        """
        outside, *insides = [_text(value) for value in self.diffusivity]
        parts = {"De": outside} | ({"Di": _once(insides)} if insides else {})
        for label, values in (("T2", self.T2), ("T1", self.T1), ("rho", self.density)):
            if values:
                outside, *insides = [_text(value) for value in values]
                parts[label] = "_".join([outside, _once(insides)] if insides else [outside])
        if self.membranes:
            parts["mem"] = _once([_text(value) for value in self.membranes])
        if self.walls:
            parts["walls"] = ""
        if self.relaxivity:
            parts["rel"] = _once([_text(value) for value in self.relaxivity])
        if self.in_space:
            parts["axes"] = "3"
        return _without_period(slug(parts))

    def to_dict(self) -> dict[str, str | int | float]:
        """Return plain values ``diffusivity_<compartment>``; of a matrix, ``_<row><column>``.

        What is absent has no entries, and an infinite T2 or T1 is the text ``inf``.
        """
        plain: dict[str, str | int | float] = {"n_compartments": len(self.diffusivity)}
        for i, value in enumerate(self.diffusivity):
            if isinstance(value, tuple):
                entries = np.ndenumerate(np.array(value))
                plain |= {f"diffusivity_{i}_{j}{k}": float(x) for (j, k), x in entries}
            elif isinstance(value, Radial):
                plain |= {f"radial_{i}": value.radial, f"tangential_{i}": value.tangential}
            else:
                plain[f"diffusivity_{i}"] = value
        # Infinity has no place in JSON, in which parameters are recorded.
        for name, times in (("T2", self.T2), ("T1", self.T1)):
            plain |= {f"{name}_{i}": t if t < math.inf else "inf" for i, t in enumerate(times)}
        plain |= {f"density_{i}": value for i, value in enumerate(self.density)}
        plain |= {f"membranes_{i}": factor for i, factor in enumerate(self.membranes)}
        plain |= {f"relaxivity_{i}": value for i, value in enumerate(self.relaxivity)}
        # Only where it is so: what has always been keeps its name.
        plain |= {"in_space": 1} if self.in_space else {}
        plain |= {"walls": 1} if self.walls else {}
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        return cls(
            tuple(_read(plain, i) for i in range(int(plain["n_compartments"]))),
            T2=_numbers(plain, "T2"),
            density=_numbers(plain, "density"),
            membranes=_numbers(plain, "membranes"),
            in_space=bool(plain.get("in_space", 0)),
            T1=_numbers(plain, "T1"),
            relaxivity=_numbers(plain, "relaxivity"),
            walls=bool(plain.get("walls", 0)),
        )


def _is_diffusivity(value: Diffusing) -> bool:
    if isinstance(value, Radial):
        return all(math.isfinite(D) and D >= 0 for D in (value.radial, value.tangential))
    if not isinstance(value, tuple):
        return math.isfinite(value) and value >= 0
    if not value or not all(len(row) == len(value) for row in value):
        return False
    matrix = np.array(value, dtype=float)
    if not (np.isfinite(matrix).all() and np.array_equal(matrix, matrix.T)):
        return False
    rates = np.linalg.eigvalsh(matrix)
    return bool(rates[0] >= -_NO_DIFFUSION * rates[-1])


def _semi_definite(matrix: Tensor) -> NDArray[np.float64]:
    """A matrix, without what rounding to some digits leaves of eigenvalues that are zero."""
    result = np.array(matrix, dtype=float)
    rates, axes = np.linalg.eigh(result)
    if rates[0] > _NO_DIFFUSION * rates[-1]:
        return result
    return np.asarray((axes * np.where(rates > _NO_DIFFUSION * rates[-1], rates, 0.0)) @ axes.T)


def _rows(dimension: int, axes: int) -> str:
    """How many rows a matrix has, and why."""
    if axes == dimension:
        return f"{axes} rows, as many as the cell has dimensions"
    return (
        f"{axes} rows: gradients are in space, and the diffusivity along the "
        f"{'axis' if dimension == 2 else 'axes'} out of the cell of {dimension} "
        f"{'dimensions' if dimension == 2 else 'dimension'} would be missing"
    )


def _shown(value: Diffusing) -> str:
    return f"the matrix {[list(row) for row in value]}" if isinstance(value, tuple) else f"{value}"


def _text(value: Diffusing) -> str:
    if isinstance(value, Radial):
        return f"r{format_number(value.radial)}t{format_number(value.tangential)}"
    if isinstance(value, tuple):
        return "x".join(format_number(entry) for row in value for entry in row)
    return "inf" if value == math.inf else format_number(value)


def _once(texts: Sequence[str]) -> str:
    """Join texts; if all are the same, one stands for them."""
    return texts[0] if len(set(texts)) == 1 else "_".join(texts)


#: Snakemake takes a name that ends in 20 equal parts for a rule that calls itself for ever.
_PERIODIC = re.compile(r"(.+?)\1{19,}$")


def _without_period(name: str) -> str:
    """End a name in a digest where it would end in many equal parts."""
    if not _PERIODIC.search(name):
        return name
    return f"{name[:60]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _read(plain: Mapping[str, str | int | float], i: int) -> Diffusing:
    if f"radial_{i}" in plain:
        return Radial(float(plain[f"radial_{i}"]), float(plain[f"tangential_{i}"]))
    if f"diffusivity_{i}" in plain:
        return float(plain[f"diffusivity_{i}"])
    size = math.isqrt(sum(name.startswith(f"diffusivity_{i}_") for name in plain))
    rows = range(size)
    return tuple(tuple(float(plain[f"diffusivity_{i}_{j}{k}"]) for k in rows) for j in rows)


def _numbers(plain: Mapping[str, str | int | float], name: str) -> tuple[float, ...]:
    """Return the values name_0, name_1, ...; none if there is no such entry."""
    numbers: list[float] = []
    while (key := f"{name}_{len(numbers)}") in plain:
        numbers.append(float(plain[key]))
    return tuple(numbers)
