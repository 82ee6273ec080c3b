"""Where wave vectors fold, and the small systems that hold the folded fields."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from torrey.bloch.folded_basis import count_modes, everywhere, folded_models, road
from torrey.cell.build import levels
from torrey.cell.folding import Zone, phase
from torrey.cell.material import Material
from torrey.geometry import Discs, Layers, MeshOptions
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse, TrapezoidalPgse

SQUARE = np.eye(2)
OBLIQUE = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
WAVEFORMS = [
    Pgse(1.0, 3.0),
    Pgse(2.0, 2.0),
    TrapezoidalPgse(1.0, 3.0, 0.3),
    CosineOgse(4.0, 5.0, 3),
    DoublePgse(1.0, 2.0, 0.5, 60.0),
]


def axes(waveform, angle=0.3):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s], [-s, c]])[: waveform.n_components]


def walk(parts):
    """Stretches one after the other, with the lattice vector taken out of g so far."""
    taken = np.zeros(2, dtype=int)
    for part in parts:
        for stretch in part:
            taken = taken + stretch.fold
            yield stretch, taken.copy()


@pytest.mark.parametrize("lattice", [SQUARE, OBLIQUE], ids=["square", "oblique"])
@pytest.mark.parametrize("waveform", WAVEFORMS, ids=lambda w: w.kind)
def test_folded_wave_vectors_stay_in_the_zone(waveform, lattice):
    zone, q = Zone(lattice, 2.5), 17.0
    for stretch, _ in walk(zone.fold(waveform.segments, axes(waveform), q)):
        t = np.linspace(0.0, stretch.segment.duration, 41)
        turns = zone.turns(q * stretch.segment.jet(t, 0)[:, 0])
        assert np.abs(turns).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("lattice", [SQUARE, OBLIQUE], ids=["square", "oblique"])
@pytest.mark.parametrize("waveform", WAVEFORMS, ids=lambda w: w.kind)
def test_a_folded_waveform_is_the_waveform_up_to_lattice_vectors(waveform, lattice):
    zone, q, frame = Zone(lattice, 2.5), 17.0, axes(waveform)
    begin = 0.0
    for stretch, taken in walk(zone.fold(waveform.segments, frame, q)):
        t = np.linspace(0.02, 0.98, 5) * stretch.segment.duration
        true = q * waveform.sample(begin + t, 0)[:, 0] @ frame
        assert_allclose(q * stretch.segment.jet(t, 0)[:, 0] + zone.vector(taken), true, atol=1e-9)
        begin += stretch.segment.duration
    assert begin == pytest.approx(waveform.echo_time)
    assert not taken.any()


def test_each_axis_folds_when_its_own_component_reaches_the_limit():
    zone, waveform = Zone(SQUARE, 1.0), Pgse(1.0, 1.0)
    up, _ = zone.fold(waveform.segments, np.array([[0.8, 0.6]]), 10.0)
    assert [stretch.fold for stretch in up] == [(0, 0), (1, 0), (0, 1)]
    ends = np.cumsum([stretch.segment.duration for stretch in up])
    assert_allclose(ends, [np.pi / 8.0, np.pi / 6.0, 1.0])


def test_components_that_pass_together_fold_together():
    zone = Zone(SQUARE, 1.0)
    up, _ = zone.fold(Pgse(1.0, 1.0).segments, np.full((1, 2), np.sqrt(0.5)), 8.0)
    assert [stretch.fold for stretch in up] == [(0, 0), (1, 1)]


@pytest.mark.parametrize("gamma", [1.0, np.pi])
def test_small_wave_vectors_are_left_alone(gamma):
    waveform = Pgse(1.0, 3.0)
    parts = Zone(SQUARE, 1.0).fold(waveform.segments, np.array([[1.0, 0.0]]), gamma)
    assert [len(part) for part in parts] == [1, 1, 1]
    assert not any(any(stretch.fold) for stretch, _ in walk(parts))


def test_time_steps_are_shared_among_the_stretches_of_a_ramp():
    (up, _) = Zone(SQUARE, 1.0).fold(Pgse(1.0, 1.0).segments, np.array([[1.0, 0.0]]), 20.0)
    assert sum(len(stretch.segment.grid(48)) - 1 for stretch in up) >= 48


def test_the_phase_of_a_fold_is_periodic_and_of_modulus_one():
    cell = levels(Layers((1.0,), 2), MeshOptions(0.25, 0), Material((1.0,)))[0].cell
    factor = phase(cell, (2, -1))
    assert_allclose(np.abs(factor), 1.0)
    x, y = cell.places.T
    assert_allclose(factor, np.exp(-2j * np.pi * (2 * x - y)), atol=1e-12)


def test_stations_hold_one_of_each_pair_of_opposite_wave_vectors():
    points = everywhere(2)
    full = {p for q in points for p in (q, tuple(-x for x in q))}
    assert len(full) == 25
    assert len(points) == 13
    assert road((1, 1)) == ((0.0, 0.0), (0.25, 0.25), (0.5, 0.5))


def test_free_space_has_as_many_bands_below_the_cut_off_as_counted():
    length = 0.08
    n = np.arange(-20, 21)
    exact = np.sum(np.add.outer(n**2, n**2) * (2 * np.pi) ** 2 < 7.0 / length**2)
    assert exact <= count_modes(1.0, 2, length) <= 1.5 * exact


@pytest.fixture(scope="module")
def free():
    operators = levels(Discs(()), MeshOptions(0.15, 0), Material((1.0,)))[0]
    return operators, folded_models(operators, 2.0, 0.0, road((1, 0)), 30, [(1, 0)])


def test_the_basis_is_orthonormal_and_holds_the_initial_state(free):
    operators, (model, coarse) = free
    M = operators.mass_matrix
    assert_allclose(model.basis.T @ (M @ model.basis), np.eye(model.rank), atol=1e-10)
    one = np.ones(operators.cell.n_dofs)
    assert_allclose(model.basis @ model.start, one, atol=1e-10)
    assert coarse.rank < model.rank


def test_the_reduced_operator_is_hermitian_and_dissipates(free):
    _, (model, _) = free
    g = np.array([1.2, -0.4])
    A = model.system.matrix(g)
    assert_allclose(A, A.conj().T)
    assert np.linalg.eigvalsh(A).min() > 0.0


def test_a_fold_by_an_unknown_vector_is_refused(free):
    _, (model, _) = free
    assert_allclose(model.fold((-1, 0)), model.fold((1, 0)).conj().T)
    with pytest.raises(ValueError, match=r"a fold by \(0, 1\), the basis is made for"):
        model.fold((0, 1))
