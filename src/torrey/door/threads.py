"""How many threads the linear algebra of a computation takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

P = ParamSpec("P")
R = TypeVar("R")


def single_threaded(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function run with one thread of BLAS and OpenMP, and give back what was set before.

    The matrices here are sparse or small: more threads only wait for each other, which on a busy
    machine takes several times longer than the work.
    """

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with threadpool_limits(limits=1):
            return function(*args, **kwargs)

    return limited
