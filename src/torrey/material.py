"""What fills the compartments of a cell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from torrey.errors import InputError
from torrey.keys import format_number, slug

Tensor = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Material:
    """Diffusivities, one per compartment.

    Parameters
    ----------
    diffusivity : tuple of float or nested tuple of float
        For each compartment a positive number, or a symmetric positive definite matrix (um^2/ms).

    Raises
    ------
    ValueError
        If there is no compartment, or a diffusivity is neither of the two.
    """

    diffusivity: tuple[float | Tensor, ...]

    def __post_init__(self) -> None:
        if not self.diffusivity:
            raise InputError("no diffusivity", "one per compartment", at=("diffusivity",))
        for i, value in enumerate(self.diffusivity):
            if not _is_positive(value):
                raise InputError(
                    f"{value}",
                    "a positive number, or a symmetric positive definite matrix (um^2/ms)",
                    at=("diffusivity", i),
                )

    def tensors(self, dimension: int) -> NDArray[np.float64]:
        """Return the diffusion tensors, shape (n_compartments, dimension, dimension), in um^2/ms.

        Raises
        ------
        ValueError
            If a matrix is not of this dimension.
        """
        tensors = np.empty((len(self.diffusivity), dimension, dimension))
        for i, value in enumerate(self.diffusivity):
            if isinstance(value, tuple) and len(value) != dimension:
                raise InputError(
                    f"a matrix of {len(value)} rows",
                    f"{dimension} rows, as many as the cell has dimensions",
                    at=("diffusivity", i),
                )
            tensors[i] = value if isinstance(value, tuple) else value * np.eye(dimension)
        return tensors

    def key(self) -> str:
        """Return the canonical name: the outside after ``De``, the insides after ``Di``.

        >>> Material((3.0, 1.7, 1.7)).key()
        'De3_Di1.7'
        >>> Material((3.0, 1.7, 1.2)).key()
        'De3_Di1.7_1.2'
        """
        outside, *insides = [_text(value) for value in self.diffusivity]
        if not insides:
            return slug({"De": outside})
        same = len(set(insides)) == 1
        return slug({"De": outside, "Di": insides[0] if same else "_".join(insides)})

    def to_dict(self) -> dict[str, str | int | float]:
        """Return plain values ``diffusivity_<compartment>``; of a matrix, ``_<row><column>``."""
        plain: dict[str, str | int | float] = {"n_compartments": len(self.diffusivity)}
        for i, value in enumerate(self.diffusivity):
            if isinstance(value, tuple):
                entries = np.ndenumerate(np.array(value))
                plain |= {f"diffusivity_{i}_{j}{k}": float(x) for (j, k), x in entries}
            else:
                plain[f"diffusivity_{i}"] = value
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, str | int | float]) -> Self:
        """Rebuild what `to_dict` described."""
        return cls(tuple(_read(plain, i) for i in range(int(plain["n_compartments"]))))


def _is_positive(value: float | Tensor) -> bool:
    if not isinstance(value, tuple):
        return math.isfinite(value) and value > 0
    if not all(len(row) == len(value) for row in value):
        return False
    matrix = np.array(value, dtype=float)
    return bool(
        np.isfinite(matrix).all()
        and np.array_equal(matrix, matrix.T)
        and np.linalg.eigvalsh(matrix)[0] > 0
    )


def _text(value: float | Tensor) -> str:
    if isinstance(value, tuple):
        return "x".join(format_number(entry) for row in value for entry in row)
    return format_number(value)


def _read(plain: Mapping[str, str | int | float], i: int) -> float | Tensor:
    if f"diffusivity_{i}" in plain:
        return float(plain[f"diffusivity_{i}"])
    size = math.isqrt(sum(name.startswith(f"diffusivity_{i}_") for name in plain))
    rows = range(size)
    return tuple(tuple(float(plain[f"diffusivity_{i}_{j}{k}"]) for k in rows) for j in rows)
