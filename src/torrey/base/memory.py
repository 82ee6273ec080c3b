"""How much memory and time the solvers need, and how much memory this machine has.

Counted before they are asked: what they need grows with the unknowns in a known way, and the
factors of 2D and 3D cells were measured.
"""

from __future__ import annotations

import math
import os
from typing import Final

#: Entries of the Cholesky factor of a cell by dimension, over n, n log2 n and n^(4/3) of its
#: unknowns: measured on discs and spheres of 12,000 to 140,000 of them.
_ENTRIES: Final = {1: 3.0, 2: 5.0, 3: 20.0}
#: Of a complex number, and what is held beside the factor.
_BYTES: Final = 20.0
#: Of the matrices of a cell, for one unknown.
_BYTES_OF_MATRICES: Final = {1: 1e3, 2: 3e3, 3: 12e3}
#: Seconds on one core for a complex factor of so many unknowns, and how they grow.
_SECONDS: Final = {1: (0.1, 1e5, 1.0), 2: (0.6, 1.4e5, 1.25), 3: (40.0, 1.4e5, 1.9)}


def factor_bytes(dimension: int, unknowns: float) -> float:
    """Return the memory that a job takes which factorises the matrices of one cell.

    Parameters
    ----------
    dimension : int
    unknowns : float
        Degrees of freedom.

    >>> round(factor_bytes(2, 10_000) / 1e6), round(factor_bytes(3, 100_000) / 1e9, 1)
    (43, 3.1)
    """
    n = max(unknowns, 2.0)
    growth = {1: n, 2: n * math.log2(n), 3: n ** (4 / 3)}[dimension]
    return _BYTES * _ENTRIES[dimension] * growth + _BYTES_OF_MATRICES[dimension] * n


def factor_seconds(dimension: int, unknowns: float) -> float:
    """Return about how long one complex factor of a cell takes on one core.

    >>> round(factor_seconds(3, 14_000), 1)
    0.5
    """
    seconds, of, power = _SECONDS[dimension]
    return float(seconds * (unknowns / of) ** power)


def memory_bytes() -> float:
    """Return the memory of this machine."""
    return float(os.sysconf("SC_PAGE_SIZE")) * float(os.sysconf("SC_PHYS_PAGES"))


def in_gigabytes(size: float) -> str:
    """Say a number of bytes.

    >>> in_gigabytes(2.34e9), in_gigabytes(4e7)
    ('2.3 GB', '0.04 GB')
    """
    return f"{size / 1e9:.2g} GB"
