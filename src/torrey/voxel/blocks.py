"""Sparse products and long vectors in blocks of rows, shared out among threads.

Blocks are the same for every number of threads, and what is summed over them is summed in their
order: a result does not depend on the threads. scipy and numpy let other threads run while they
compute.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

T = TypeVar("T")

#: Rows of a block: its part of a few vectors fits into a processor's cache.
_ROWS: Final = 16384


@dataclass(frozen=True)
class Crew:
    """Threads that work on blocks.

    Attributes
    ----------
    pool : ThreadPoolExecutor, optional
        None: the caller's thread does all.
    """

    pool: ThreadPoolExecutor | None = None

    def each(self, work: Callable[[slice], T], length: int) -> list[T]:
        """What a function returns for each block of a vector, in their order."""
        blocks = list(row_blocks(length))
        if self.pool is None or len(blocks) == 1:
            return [work(block) for block in blocks]
        return list(self.pool.map(work, blocks))

    def total(self, work: Callable[[slice], Any], length: int) -> Any:
        """Sum of what a function returns for each block."""
        return sum(self.each(work, length))


def row_blocks(length: int) -> Iterator[slice]:
    """Yield the blocks of a vector."""
    for begin in range(0, length, _ROWS):
        yield slice(begin, min(begin + _ROWS, length))


@contextmanager
def crew(threads: int) -> Iterator[Crew]:
    """Threads for some work: as many as the job may have."""
    if threads < 2:
        yield Crew()
        return
    with ThreadPoolExecutor(min(threads, os.cpu_count() or 1)) as pool:
        yield Crew(pool)


@dataclass(frozen=True)
class Pattern:
    """Where the entries of square matrices are, compressed by rows.

    Attributes
    ----------
    indptr : (n + 1,) int
    indices : (nnz,) int
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    def entries(self, rows: slice) -> slice:
        """Entries of a block of rows."""
        return slice(int(self.indptr[rows.start]), int(self.indptr[rows.stop]))

    def block(self, rows: slice, data: NDArray) -> csr_array:
        """A block of rows of a matrix, of the entries of this block."""
        pointers = self.indptr[rows.start : rows.stop + 1] - self.indptr[rows.start]
        return csr_array(
            (data, self.indices[self.entries(rows)], pointers),
            shape=(rows.stop - rows.start, self.size),
        )

    def whole(self, data: NDArray) -> csr_array:
        """A matrix of all entries."""
        return csr_array((data, self.indices, self.indptr), shape=(self.size, self.size))

    def diagonal(self, data: NDArray) -> NDArray:
        """Diagonal of a matrix, all of whose entries there are in the pattern."""
        rows = np.repeat(np.arange(self.size, dtype=np.int32), np.diff(self.indptr))
        return np.asarray(data[rows == self.indices])


@dataclass(frozen=True)
class Rows:
    """A constant matrix, cut into blocks of rows."""

    blocks: tuple[csr_array, ...]
    height: int

    @classmethod
    def of(cls, matrix: csr_array) -> Rows:
        """Cut a matrix."""
        height = matrix.shape[0]
        return cls(tuple(csr_array(matrix[rows]) for rows in row_blocks(height)), height)

    def apply(self, crew: Crew, x: NDArray) -> NDArray:
        """Product with a vector."""
        found = np.empty(self.height, dtype=x.dtype)

        def work(rows: slice) -> None:
            found[rows] = self.blocks[rows.start // _ROWS] @ x

        crew.each(work, self.height)
        return found
