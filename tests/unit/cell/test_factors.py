"""Cholesky factors: solutions against dense algebra, and what has no such factor."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy.sparse import csc_array, eye_array, random_array

from torrey.cell.factors import IndefiniteError, factorise, factorise_indefinite

SIZE = 120


def hermitian(complex_entries: bool, seed: int = 3) -> csc_array:
    """A sparse positive definite matrix."""
    generator = np.random.default_rng(seed)
    parts = [random_array((SIZE, SIZE), density=0.02, rng=generator) for _ in range(2)]
    root = parts[0] + 1j * parts[1] if complex_entries else parts[0]
    return csc_array(root @ root.conj().T + eye_array(SIZE))


def loads() -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    real, imaginary = generator.standard_normal((2, SIZE, 6))
    both = real + 1j * imaginary
    layouts = [real, real[:, 0], np.asfortranarray(real), real[:, ::2], real.T.copy().T]
    return [*layouts, both, both[:, 0], both.real, both.imag, both[:, :0]]


@pytest.mark.parametrize("complex_entries", [False, True])
@pytest.mark.parametrize("number", range(len(loads())))
def test_solutions_are_those_of_the_dense_matrix(complex_entries, number):
    A, b = hermitian(complex_entries), loads()[number]
    found = factorise(A).solve(b)
    assert found.shape == b.shape
    assert np.iscomplexobj(found) == (complex_entries or np.iscomplexobj(b)) or not b.size
    np.testing.assert_allclose(found, np.linalg.solve(A.toarray(), b), atol=1e-12)


def test_a_load_is_left_as_it_was():
    b = np.ones((SIZE, 2))
    factorise(hermitian(False)).solve(b)
    np.testing.assert_array_equal(b, 1.0)


@pytest.mark.parametrize("complex_entries", [False, True])
def test_another_matrix_of_the_same_pattern_takes_the_place_of_the_first(complex_entries):
    A, b = hermitian(complex_entries), np.arange(SIZE, dtype=float)
    B = A.copy()
    B.data = B.data * np.where(B.indices == np.repeat(np.arange(SIZE), np.diff(B.indptr)), 3.0, 0.5)
    found = factorise(A).again(B).solve(b)
    np.testing.assert_allclose(found, np.linalg.solve(B.toarray(), b), atol=1e-12)


def test_rows_in_any_order_are_read():
    A = hermitian(False)
    columns = np.repeat(np.arange(SIZE), np.diff(A.indptr))
    order = np.lexsort((-A.indices, columns))
    mixed = csc_array((A.data[order], A.indices[order], A.indptr), shape=A.shape)
    assert not mixed.has_sorted_indices
    b = np.ones(SIZE)
    np.testing.assert_allclose(factorise(mixed).solve(b), np.linalg.solve(mixed.toarray(), b))


@pytest.mark.parametrize("complex_entries", [False, True])
def test_what_is_not_positive_definite_is_refused(complex_entries):
    A = hermitian(complex_entries)
    least = np.linalg.eigvalsh(A.toarray())[0]
    shifted = csc_array(A - (least + 0.1) * eye_array(SIZE))
    with pytest.raises(IndefiniteError, match="120 unknowns is not positive definite"):
        factorise(shifted)
    b = np.ones(SIZE, dtype=shifted.dtype)
    found = factorise_indefinite(shifted).solve(b)
    np.testing.assert_allclose(found, np.linalg.solve(shifted.toarray(), b), atol=1e-8)


def test_what_is_not_finite_is_refused():
    A = hermitian(False)
    A.data[7] = np.nan
    with pytest.raises(IndefiniteError, match="not finite"):
        factorise(A)


def test_factors_are_made_and_used_in_several_threads():
    results: dict[int, float] = {}

    def work(seed: int) -> None:
        A = hermitian(bool(seed % 2), seed)
        b = np.ones(SIZE)
        for _ in range(20):
            x = factorise(A).solve(b)
            results[seed] = max(results.get(seed, 0.0), float(np.abs(A @ x - b).max()))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert max(results.values()) < 1e-11
