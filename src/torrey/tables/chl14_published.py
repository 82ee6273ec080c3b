"""What Coatleven, Haddar and Li 2014 print in tables 5.1 to 5.5.

In the paper's units, 1/us and mm^2/s; the off-diagonal entries of D_e are in mm^2/s too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Values = tuple[float | None, ...]

#: Order of the values: eta_e, eta_c, theta_c, D_e by rows.
ORDER: Final = ("eta_e", "eta_c", "theta_c", "D_e_xx", "D_e_xy", "D_e_yx", "D_e_yy")


@dataclass(frozen=True)
class Published:
    """One inversion.

    Attributes
    ----------
    data : str
        ``reference`` (the non-homogenised signal), ``R0`` or ``lumped-R0`` (the homogenised one).
    fit : int
        Number of the initial guess in the table, from 1; or how many there were.
    homogenised, inversion : tuple of float
        In the order of `ORDER`.
    initial : tuple of float or None, optional
    """

    data: str
    fit: int
    homogenised: Values
    inversion: Values
    initial: Values = (None,) * len(ORDER)


_DISC: Final[Values] = (6.2e-4, 2.0e-4, 0.75, 9.0e-4, 3.34e-9, 3.34e-9, 9.0e-4)
_DISC_2: Final[Values] = (6.2e-4, 2.0e-4, 0.75, 9.0e-4, 7.39e-9, 7.39e-9, 9.0e-4)
_FOUR: Final[Values] = (4.5e-4, 4.6e-4, 0.51, 1.9e-3, 7.78e-6, 7.78e-6, 1.75e-3)
_FOUR_2: Final[Values] = (4.8e-4, *_FOUR[1:])

PUBLISHED: Final[Mapping[str, tuple[Published, ...]]] = {
    "5.1": (
        Published(
            "reference",
            1,
            _DISC,
            (8.3e-4, 2.4e-4, 0.88, 1.1e-3, 2.3e-9, 2.1e-9, 1.1e-3),
            (7.3e-4, 2.1e-4, 0.90, 1.1e-3, 2.3e-9, 2.18e-9, 1.4e-3),
        ),
        Published(
            "reference",
            2,
            _DISC,
            (4.9e-4, 2.1e-4, 0.72, 8e-4, 3.9e-9, 2.30e-9, 8.4e-4),
            (4.2e-4, 1.1e-4, 0.80, 1.2e-3, 3.9e-9, 2.3e-9, 7.85e-4),
        ),
        Published(
            "R0",
            1,
            _DISC,
            (6.7e-4, 2.1e-4, 0.75, 9.5e-4, 2.82e-9, 4.11e-9, 9.5e-4),
            (7.6e-4, 2.4e-4, 0.79, 7e-4, 2.8e-9, 4.1e-9, 6.5e-4),
        ),
        Published(
            "R0",
            2,
            _DISC,
            (8.9e-4, 2.2e-4, 0.90, 1.1e-3, 3.34e-9, 3.28e-9, 1.1e-3),
            (6.2e-4, 1.6e-4, 0.97, 1.0e-3, 3.34e-9, 3.28e-9, 6.6e-4),
        ),
    ),
    "5.2": (
        Published(
            "reference", 10, _DISC_2, (8.5e-4, 2.3e-4, 0.60, 1.17e-3, 7.28e-9, 1.027e-8, 1.17e-3)
        ),
        Published(
            "reference", 15, _DISC_2, (6.4e-4, 2.2e-4, 0.69, 9.7e-4, 7.81e-9, 6.01e-9, 9.7e-4)
        ),
        Published(
            "reference", 20, _DISC_2, (6.3e-4, 2.2e-4, 0.70, 9.6e-4, 6.88e-9, 1.106e-8, 9.6364e-4)
        ),
        Published("R0", 10, _DISC_2, (8.1e-4, 2.2e-4, 0.95, 1.06e-3, 7.37e-9, 1.035e-8, 1.06e-3)),
        Published("R0", 15, _DISC_2, (6.3e-4, 2.0e-4, 0.74, 9.1e-4, 9.36e-9, 9.96e-9, 9.1e-4)),
    ),
    "5.3": (
        Published(
            "reference",
            1,
            _DISC,
            (5.6e-4, 2.2e-4, 0.72, 8.97e-4, 4.52e-9, 3.82e-9, 8.97e-4),
            (6.0e-4, 3.0e-4, None, 5.9e-4, 4.52e-9, 3.82e-9, 7.9e-4),
        ),
        Published(
            "reference",
            2,
            _DISC,
            (5.2e-4, 2.1e-4, 0.71, 8.7e-4, 2.07e-9, 3.64e-9, 8.7e-4),
            (4.3e-4, 1.9e-4, None, 8.87e-4, 2.07e-9, 3.64e-9, 6.6e-4),
        ),
        Published(
            "R0",
            1,
            _DISC,
            (7.0e-4, 2.1e-4, 0.77, 9.6e-4, 3.99e-9, 2.5031e-9, 9.6e-4),
            (7.4e-4, 2.0e-4, None, 8.7e-4, 3.40e-9, 2.5e-9, 7.1e-4),
        ),
        Published(
            "R0",
            2,
            _DISC,
            (5.5e-4, 2.0e-4, 0.74, 8.4e-4, 2.02e-9, 2.91e-9, 8.4e-4),
            (3.2e-4, 3.0e-4, None, 6.0e-4, 2.02e-9, 2.91e-9, 6.3e-4),
        ),
    ),
    "5.4": (
        Published(
            "reference", 10, _DISC_2, (5.5e-4, 2.2e-4, 0.72, 8.9e-4, 8.13e-9, 4.97e-9, 8.9e-4)
        ),
        Published("R0", 10, _DISC_2, (5.9e-4, 2.0e-4, 0.745, 8.7e-4, 1.035e-8, 1.063e-8, 8.7e-4)),
    ),
    "5.5": (
        Published(
            "reference", 10, _FOUR, (3.2e-4, 3.8e-4, 0.45, 1.8e-3, 8.18e-6, 4.15e-6, 1.59e-3)
        ),
        # Two compartments, so all cells in one.
        Published(
            "lumped-R0", 10, _FOUR_2, (4.6e-4, 4.5e-4, 0.50, 1.9e-3, 9.55e-6, 6.64e-6, 1.7e-3)
        ),
    ),
}
