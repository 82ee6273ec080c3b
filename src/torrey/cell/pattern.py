"""The sparsity pattern that all matrices of a cell share, and the order of its unknowns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymetis
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array

Whole = NDArray[Any]

#: Elements whose entries are looked for at a time, which bounds the memory.
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Pattern:
    """Who shares an element, or a facet across a membrane; compressed by columns, rows sorted.

    Attributes
    ----------
    indptr : (n + 1,) int32
    indices : (nnz,) int32
    """

    indptr: Whole
    indices: Whole

    @classmethod
    def of(cls, elements: Whole, rows: Whole, columns: Whole) -> Pattern:
        """Pattern of what unknowns of one element share, and of further entries.

        Parameters
        ----------
        elements : (n_elements, m) int
            Unknowns of each element.
        rows, columns : (k,) int
        """
        n, m = int(elements.max()) + 1, elements.shape[1]
        ends = np.arange(0, elements.size + 1, m, dtype=np.int32)
        touch = csr_array(
            (np.ones(elements.size, dtype=bool), elements.astype(np.int32).ravel(), ends),
            shape=(len(elements), n),
        )
        others = (rows.astype(np.int32), columns.astype(np.int32))
        across = coo_array((np.ones(len(rows), dtype=bool), others), shape=(n, n))
        both = csc_array(touch.T @ touch) + across.tocsc()
        both.sort_indices()
        return cls(both.indptr.astype(np.int32), both.indices.astype(np.int32))

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return len(self.indptr) - 1

    def columns(self) -> Whole:
        """Column of each entry, shape (nnz,)."""
        return np.repeat(np.arange(self.size, dtype=np.int32), np.diff(self.indptr))

    def of_elements(self, elements: Whole) -> Whole:
        """Where the entries [row, column] of each element stand, shape (n_elements, m, m)."""
        m, number = elements.shape[1], self._number()
        found = np.empty((len(elements), m, m), dtype=np.int32)
        for first in range(0, len(elements), _AT_ONCE):
            some = elements[first : first + _AT_ONCE]
            rows = np.broadcast_to(some[:, :, None], (len(some), m, m))
            found[first : first + _AT_ONCE] = _found(number, rows, rows.swapaxes(1, 2))
        return found

    def positions(self, rows: Whole, columns: Whole) -> Whole:
        """Where entries (row, column) stand; arrays of one shape."""
        if not rows.size:
            return np.empty(rows.shape, dtype=np.int32)
        return _found(self._number(), rows, columns)

    def _number(self) -> csr_array:
        """Position of each entry, from 1 on; by columns as if by rows: the search is scipy's."""
        numbers = np.arange(1, len(self.indices) + 1, dtype=np.int32)
        return csr_array((numbers, self.indices, self.indptr), shape=(self.size, self.size))

    def nested_dissection(self) -> NDArray[np.int64]:
        """Order of the unknowns that keeps the factors of the matrices sparse."""
        # The diagonal, which the pattern holds whole, is no part of a graph.
        starts = self.indptr - np.arange(self.size + 1, dtype=np.int32)
        adjacency = pymetis.CSRAdjacency(starts, self.indices[self.indices != self.columns()])
        order, _ = pymetis.nested_dissection(adjacency=adjacency)
        return np.asarray(order, dtype=np.int64)


def _found(number: csr_array, rows: Whole, columns: Whole) -> Whole:
    """Numbers of entries, from 0 on."""
    found = np.asarray(number[columns.ravel(), rows.ravel()]) - np.int32(1)
    assert not np.any(found < 0), "an entry outside the pattern"
    return found.reshape(rows.shape)
