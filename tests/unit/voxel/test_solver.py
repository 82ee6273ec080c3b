"""Operators, multigrid and steps of voxels against what shares nothing with them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu
from support.voxels import SIDE, ordinary, small_medium, small_meshes

from torrey.cell.system import AffineSystem
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import mesh_signal
from torrey.voxel import blocks
from torrey.voxel.assembly import Properties
from torrey.voxel.blocks import crew
from torrey.voxel.multigrid import Multigrid, step_entries
from torrey.voxel.results import VoxelError, VoxelSignal
from torrey.voxel.signals import Task, voxel_signal
from torrey.voxel.spaces import nested_spaces
from torrey.voxel.steps import Stepper

KAPPA = 0.02
WATER = Properties(3.0, 2.0, KAPPA, (0.6, 0.8))
PULSES = Pgse(10.0, 15.0)


def spaces_of(level: int, water: Properties = WATER):
    return nested_spaces(small_meshes(1)[: level + 1], small_medium(), water)


def whole(operators, c: float, g: float):
    every = slice(0, operators.size)
    return operators.pattern.whole(step_entries(operators, every, c, g))


def test_operators_are_those_of_the_ordinary_assembly():
    medium = small_medium()
    spaces = spaces_of(0)
    fine = spaces.operators[0]
    other = ordinary(small_meshes(0)[0], medium, (3.0, 2.0))
    cell = other.cell
    # Degrees of freedom at the same place, on the same side.
    place = np.empty((fine.size, 2))
    place[spaces.numbering.of(spaces.elements.node, spaces.elements.inside)] = (
        spaces.elements.places / SIDE
    )
    keys = [
        np.lexsort(np.round(np.column_stack([p % 1.0 % (1 - 1e-9), side]), 8).T)
        for p, side in ((place, spaces.inside), (cell.places, cell.compartment == 1))
    ]
    order = np.empty(fine.size, dtype=int)
    order[keys[0]] = keys[1]
    along = other.along(WATER.direction)
    pairs = {
        "K": (fine.K, other.K + KAPPA * SIDE * other.J),
        "C": (fine.C, SIDE * along.C[0]),
        "M": (fine.M, SIDE**2 * other.M),
        "N": (np.repeat(fine.D, np.diff(fine.pattern.indptr)) * fine.M, SIDE**2 * along.N[0, 0]),
    }
    for name, (own, theirs) in pairs.items():
        expected = cell.matrix(theirs).tocsr()[order][:, order]
        difference = abs(fine.pattern.whole(own) - expected).max()
        assert difference < 1e-12 * abs(expected).max(), name


def test_the_matrix_of_a_step_is_hermitian_and_positive_definite():
    for operators in spaces_of(1).operators:
        A = whole(operators, 3.0, 0.15)
        assert abs(A - A.conj().T).max() < 1e-12 * abs(A).max()
        u = np.random.default_rng(1).standard_normal((operators.size, 2)) @ [1.0, 1j]
        decay = np.vdot(u, (A - whole(operators, 0.0, 0.0)) @ u)
        assert decay.real > 0.0
        assert abs(decay.imag) < 1e-12 * decay.real


@pytest.mark.parametrize(("c", "g"), [(0.0, 0.0), (0.05, 0.1), (2.0, 0.0), (8.0, 0.2)])
def test_multigrid_solves_what_a_factorisation_solves(c, g):
    spaces = spaces_of(1)
    with crew(1) as workers:
        solver = Multigrid.of(workers, spaces.operators, spaces.interpolations, 0.2)
        solver.form(c, g)
        b = np.random.default_rng(2).standard_normal((spaces.operators[0].size, 2)) @ [1.0, 1j]
        x, count = solver.solve(b.astype(np.complex64), 0.0, 1e-4)
    exact = splu(csc_array(whole(spaces.operators[0], c, g))).solve(b)
    assert np.linalg.norm(x - exact) < 1e-3 * np.linalg.norm(exact)
    assert count < 20


def test_without_gradient_nothing_changes():
    spaces = spaces_of(0)
    with crew(1) as workers:
        stepper = Stepper(Multigrid.of(workers, spaces.operators, spaces.interpolations, 0.1), 1e-4)
        run = stepper.begin(None, 20.0)
        while run.time < 20.0:
            stepper.advance(run, lambda t: 0.0, 20.0)
    assert np.abs(run.state - 1.0).max() < 1e-6


def test_the_norm_falls_at_every_step():
    spaces = spaces_of(0)
    M = spaces.operators[0].pattern.whole(spaces.operators[0].M)
    with crew(1) as workers:
        stepper = Stepper(Multigrid.of(workers, spaces.operators, spaces.interpolations, 0.2), 1e-4)
        run = stepper.begin(None, 10.0)
        norms = [SIDE**2]
        while run.time < 10.0:
            stepper.advance(run, lambda t: 0.02 * t, 10.0)
            norms.append(np.vdot(run.state, M @ run.state).real)
    assert np.all(np.diff(norms) < 1e-4 * SIDE**2)
    assert norms[-1] < 0.9 * norms[0]


def test_steps_agree_with_the_ordinary_ones_on_the_same_mesh():
    medium = small_medium()
    q = PULSES.q_of_b(1.0)
    other = AffineSystem.at(
        ordinary(small_meshes(0)[0], medium, (3.0, 2.0)), SIDE, KAPPA, WATER.direction
    )
    expected = mesh_signal(other, PULSES, q, 48).real
    spaces = spaces_of(0)
    errors = []
    for tolerance in (1e-3, 1e-4, 1e-5):
        with crew(1) as workers:
            solver = Multigrid.of(workers, spaces.operators, spaces.interpolations, q)
            stepper, run = Stepper(solver, tolerance), None
            for segment in PULSES.segments:
                run = stepper.begin(run, segment.duration)
                g = partial(lambda s, t: q * float(s.jet(t, 0)[0, 0]), segment)
                while run.time < segment.duration:
                    stepper.advance(run, g, segment.duration)
        value = run.state @ spaces.operators[0].weights / SIDE**2
        errors.append(abs(value - expected))
    assert np.all(np.array(errors) < 3 * np.array([1e-3, 1e-4, 1e-5]))


def test_a_planned_run_takes_the_steps_of_another_and_misses_the_same():
    g = PULSES.q_of_b(1.0)
    traces, missed = [], []
    for level, tolerances in ((0, (3e-3, 1e-4)), (1, (3e-3, 1e-4))):
        spaces = spaces_of(level)
        values = []
        for tolerance in tolerances:
            with crew(1) as workers:
                solver = Multigrid.of(workers, spaces.operators, spaces.interpolations, g)
                plan = traces[0] if level and tolerance == 3e-3 else ()
                stepper, run = Stepper(solver, tolerance, plan), None
                for duration, sign in ((15.0, 1.0), (15.0, -1.0)):
                    run = stepper.begin(run, duration)
                    while run.time < duration:
                        stepper.advance(run, lambda t, sign=sign: sign * g * t / 15.0, duration)
            traces.append(run.trace)
            values.append(run.state @ spaces.operators[0].weights / SIDE**2)
        missed.append(values[1] - values[0])
    assert traces[2] == traces[0]
    assert traces[3] != traces[1]
    assert abs(missed[1] - missed[0]) < 0.3 * abs(missed[0])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_what_single_precision_cannot_hold_is_an_error(value):
    spaces = spaces_of(1)
    with crew(1) as workers:
        solver = Multigrid.of(workers, spaces.operators, spaces.interpolations, 0.1)
        solver.form(0.1, 0.1)
        b = np.ones(spaces.operators[0].size, dtype=np.complex64)
        b[7] = value
        with np.errstate(all="ignore"), pytest.raises(VoxelError, match="single precision"):
            solver.solve(b, 1e-6)


def test_too_few_iterations_are_an_error():
    spaces = spaces_of(1)
    with crew(1) as workers:
        solver = Multigrid.of(workers, spaces.operators, spaces.interpolations, 0.1)
        solver.form(0.1, 0.1)
        b = np.ones(spaces.operators[0].size, dtype=np.complex64)
        with pytest.raises(VoxelError, match="2 iterations do not solve"):
            solver.solve(b, 1e-6, most=2)


def test_without_a_gradient_nothing_is_computed():
    found = voxel_signal(small_meshes(0)[0], Task(small_medium(), 22.0, WATER, PULSES, 0.0, 1e-3))
    assert found == VoxelSignal(1.0, 0.0, 0.0, unknowns=0, steps=0, iterations=0)


def test_open_membranes_leave_free_diffusion():
    free = Task(
        small_medium(),
        SIDE,
        Properties(2.0, 2.0, 1e3, (0.0, 1.0)),
        PULSES,
        PULSES.q_of_b(0.5),
        1e-2,
    )
    found = voxel_signal(small_meshes(0)[0], free)
    assert found.signal.real == pytest.approx(np.exp(-1.0), abs=found.error + 1e-4)
    assert found.error < 5e-3


def test_a_signal_does_not_depend_on_threads(monkeypatch):
    monkeypatch.setattr(blocks, "_ROWS", 700)
    task = Task(small_medium(), 22.0, WATER, PULSES, PULSES.q_of_b(0.2), 5e-2)
    found = [voxel_signal(small_meshes(0)[0], task, threads=threads) for threads in (1, 3)]
    assert found[0] == found[1]
