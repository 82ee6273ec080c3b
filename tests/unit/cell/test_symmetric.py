"""Half of the flow under a symmetric waveform gives the signal of all of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from torrey.cell.symmetric import symmetric_signal

SIZE = 5


@pytest.fixture(scope="module")
def matrices() -> tuple[np.ndarray, np.ndarray]:
    """A real symmetric part and a real antisymmetric one: A(g) = K + i g C + g^2."""
    generator = np.random.default_rng(7)
    X, Y = generator.normal(size=(2, SIZE, SIZE))
    return X @ X.T / SIZE, Y - Y.T


def signal(matrices, levels, symmetry, sources, form=None):
    """S for levels of g, each for a time of its own; which parts were integrated."""
    K, C = matrices
    asked = []

    def propagator(g):
        return expm(-0.3 * (K + 1j * g * C + g**2 * np.eye(SIZE)))

    def advance(states, g):
        asked.append((g, states.shape[1]))
        return propagator(g) @ states

    value = symmetric_signal(
        levels, symmetry, sources, advance, lambda a, b: a @ b, lambda g: g != 9.0, form
    )
    return value, asked


def sources(uniform: bool) -> np.ndarray:
    rho = np.ones(SIZE) if uniform else np.linspace(0.5, 1.5, SIZE)
    return np.stack([rho, np.ones(SIZE)], axis=1).astype(complex)


MIRRORED = {
    (1, "odd"): [0.4, -0.7, 1.1, -0.7, 0.4],
    (1, "even"): [0.4, 1.1, 1.1, 0.4],
    (-1, "odd"): [0.4, -0.7, 0.0, 0.7, -0.4],
    (-1, "even"): [0.4, 1.1, -1.1, -0.4],
}


@pytest.mark.parametrize("uniform", [True, False])
@pytest.mark.parametrize("case", MIRRORED, ids=str)
def test_half_of_the_parts_is_enough(matrices, case, uniform):
    symmetry, _ = case
    levels = MIRRORED[case]
    whole, every = signal(matrices, levels, 0, sources(uniform))
    value, asked = signal(matrices, levels, symmetry, sources(uniform))
    assert value == pytest.approx(whole, abs=1e-13)
    assert [g for g, _ in every] == levels
    assert [g for g, _ in asked] == levels[: (len(levels) + 1) // 2]
    assert asked[0][1] == (1 if uniform else 2)
    if symmetry > 0 and uniform:
        assert value.imag == 0.0
        assert value.real > 0.0


def test_the_other_symmetry_gives_another_signal(matrices):
    levels = MIRRORED[1, "odd"]
    whole, _ = signal(matrices, levels, 0, sources(False))
    value, _ = signal(matrices, levels, -1, sources(False))
    assert abs(value - whole) > 1e-3


def test_a_middle_part_that_moves_is_integrated_with_all_others(matrices):
    levels = [0.4, 9.0, 0.4]
    value, asked = signal(matrices, levels, 1, sources(True))
    assert [g for g, _ in asked] == levels
    assert value == signal(matrices, levels, 0, sources(True))[0]


def test_a_form_takes_the_place_of_the_middle_part(matrices):
    levels = MIRRORED[1, "odd"]
    value, asked = signal(matrices, levels, 1, sources(True), lambda u, g: (g, u.shape))
    assert value == (1.1, (SIZE,))
    assert [g for g, _ in asked] == levels[:2]
    # Where the two halves differ there is no form.
    value, asked = signal(matrices, levels, 1, sources(False), lambda u, g: None)
    assert len(asked) == 3
    assert value == pytest.approx(signal(matrices, levels, 0, sources(False))[0], abs=1e-13)


def test_sources_stay_as_they_are(matrices):
    given = sources(False)
    before = given.copy()
    signal(matrices, MIRRORED[1, "odd"], 1, given)
    np.testing.assert_array_equal(given, before)
