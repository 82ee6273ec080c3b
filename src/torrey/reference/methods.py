"""What solves a point of a study, by name, and as a variable of a file."""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from torrey.base.stored import Variable

Method = Literal["projected", "folded", "full"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
"""A ladder of projected models, a small system that folds, the full system."""

Names = NDArray[np.str_]


def methods(count: int, method: Method | Literal[""]) -> Names:
    """One name for so many points; empty where nothing has been tried."""
    return np.full(count, method, dtype=f"<U{max(map(len, METHODS))}")


def method_variable(dims: tuple[str, ...], names: Names) -> Variable:
    """A flag variable of the CF conventions.

    Parameters
    ----------
    dims : tuple of str
    names : (...) str
        Of `METHODS`.

    Raises
    ------
    ValueError
        If a name is not one of them.
    """
    unknown = set(names.flat) - set(METHODS)
    if unknown:
        raise ValueError(f"found the methods {sorted(unknown)}, accepted: {', '.join(METHODS)}")
    codes = np.zeros(names.shape, dtype=np.int8)
    for code, method in enumerate(METHODS):
        codes[names == method] = code
    flags = {
        "flag_values": np.arange(len(METHODS), dtype=np.int8),
        "flag_meanings": " ".join(METHODS),
    }
    return Variable(dims, codes, "1", "what solved the point", flags)


def read_methods(codes: NDArray[np.integer]) -> Names:
    """Names of the methods from the values of a flag variable."""
    return np.array(METHODS)[codes]
