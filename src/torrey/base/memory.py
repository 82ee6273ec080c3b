"""How much memory the solvers need, and how much this machine has: before they are asked."""

from __future__ import annotations

import math
import os
from typing import Final

#: Entries of the sparse factors of a cell by dimension, over n, n log2 n and n^(4/3) of the
#: unknowns: measured on discs and spheres numbered by nested dissection.
_ENTRIES: Final = {1: 6.0, 2: 6.0, 3: 16.0}
#: Of a complex number with its place, and what is held beside the factors.
_BYTES: Final = 24.0


def factor_bytes(dimension: int, unknowns: float) -> float:
    """Return the memory that the factors of one cell take.

    Parameters
    ----------
    dimension : int
    unknowns : float
        Degrees of freedom.

    >>> round(factor_bytes(2, 10_000) / 1e6), round(factor_bytes(3, 100_000) / 1e9, 1)
    (19, 1.8)
    """
    n = max(unknowns, 2.0)
    growth = {1: n, 2: n * math.log2(n), 3: n ** (4 / 3)}
    return _BYTES * _ENTRIES[dimension] * growth[dimension]


def memory_bytes() -> float:
    """Return the memory of this machine."""
    return float(os.sysconf("SC_PAGE_SIZE")) * float(os.sysconf("SC_PHYS_PAGES"))


def in_gigabytes(size: float) -> str:
    """Say a number of bytes.

    >>> in_gigabytes(2.34e9), in_gigabytes(4e7)
    ('2.3 GB', '0.04 GB')
    """
    return f"{size / 1e9:.2g} GB"
