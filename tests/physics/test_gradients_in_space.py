"""Gradients in space in cells of one and two dimensions: the third component has its own physics.

What is compared with is independent: free water, ordinary differential equations of two
compartments, a change of variables that takes a coupling of the plane with the axis away, and the
same layers in a cell of another dimension. Cylinders of three dimensions are in
`test_cylinders_in_space`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from support.cells import DISC

import torrey as tr
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.cell.system import AffineSystem
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.waveforms import SampledWaveform
from torrey.models.evaluation import build_models
from torrey.models.karger import Exchange, FinitePulseKarger
from torrey.reference.full import mesh_signal, reference_signal
from torrey.study.orders import fit_order

PGSE = tr.Pgse(5.0, 25.0)
AXIS = (0.0, 0.0, 1.0)
B = np.array([0.5, 1.0, 3.0])
COARSE = tr.MeshOptions(0.3, 1)
ROUND = tr.Discs([tr.Disc((0.5, 0.5), 0.4)])


def filled(*diffusivity: object, level: int = 0) -> BlochTorrey:
    """A disc with these diffusivities, for gradients in space."""
    material = Material(tuple(diffusivity), in_space=True)  # type: ignore[arg-type]
    return bloch_torrey(DISC.operators(level).cell, material)


def at(operators: BlochTorrey, direction: object, q: float, steps: int = 24, kappa: float = 0.05):
    """Signal of one mesh, gradients along a direction."""
    system = AffineSystem.at(operators, 10.0, kappa, direction)
    return mesh_signal(system, PGSE, q, steps)


def unit(*vector: float) -> tuple[float, ...]:
    return tuple(float(x) for x in np.array(vector) / np.linalg.norm(vector))


@pytest.fixture(scope="module")
def one_diffusivity() -> tr.Cell:
    return tr.Cell(ROUND, 2.0, 10.0, 0.05, mesh=COARSE)


# ---- along the axis ----


@pytest.mark.parametrize(
    "how",
    [
        {"method": "full"},
        {"method": "projected"},
        {"model": "R0"},
        {"model": "R2"},
        {"model": "P3"},
        {"model": "lumped-R2"},
    ],
    ids=lambda how: "-".join(how.values()),
)
def test_along_the_axis_of_one_diffusivity_water_is_free(one_diffusivity, how):
    S = one_diffusivity.signal(PGSE, b=B, direction=AXIS, **how)
    np.testing.assert_allclose(S, np.exp(-2.0 * B), rtol=0.0, atol=1e-12)


def test_along_the_axis_of_one_diffusivity_there_is_no_kurtosis(one_diffusivity):
    found = one_diffusivity.cumulants(PGSE, direction=AXIS, model=["reference", "R2"])
    np.testing.assert_allclose(found.adc, 2.0, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(found.kurtosis, 0.0, rtol=0.0, atol=1e-11)
    D = one_diffusivity.dispersion(AXIS, times=[1.0, 30.0], frequencies=[0.1])
    np.testing.assert_allclose(D.D_time, 2.0, rtol=1e-9)
    np.testing.assert_allclose(D.D_frequency, 2.0, rtol=1e-9)


def test_karger_along_the_axis_of_one_diffusivity_is_free():
    points = tuple(Measurement(PGSE, PGSE.q_of_b(b), AXIS) for b in B)
    D_e, D_c = np.diag([1.2, 1.1, 2.0]), np.diag([0.0, 0.0, 2.0])
    S = FinitePulseKarger(points).signal(Exchange(0.1, 0.2, 0.4, D_e, D_c))
    np.testing.assert_allclose(S, np.exp(-2.0 * B), rtol=0.0, atol=1e-12)


def test_without_exchange_compartments_along_the_axis_are_weighted():
    cell = tr.Cell(ROUND, [2.0, 1.0], 10.0, mesh=COARSE)
    share = cell.tensors().theta
    expected = np.exp(-np.multiply.outer(B, [2.0, 1.0])) @ share.values
    for how in ({"method": "full"}, {"method": "projected"}, {"model": "P3"}, {"model": "Pade"}):
        S = cell.signal(PGSE, b=B, direction=AXIS, tolerance=1e-5, **how)
        np.testing.assert_allclose(S, expected, rtol=0.0, atol=3e-9)
    # The variance between compartments, at any time.
    mean = share.values @ [2.0, 1.0]
    spread = share.values @ np.square([2.0, 1.0]) - mean**2
    found = cell.cumulants(PGSE, direction=AXIS)
    assert float(found.adc) == pytest.approx(mean, rel=1e-7)
    assert float(found.kurtosis) == pytest.approx(3.0 * spread / mean**2, rel=1e-6)


def exchanging(share: np.ndarray, rates: np.ndarray, D: tuple[float, float], q: float) -> float:
    """Two compartments with their own decay D_a g^2, by another integrator."""
    G0 = np.array([[rates[0], -rates[1]], [-rates[0], rates[1]]])

    def slope(t: float, m: np.ndarray) -> np.ndarray:
        g = q * (min(t, 5.0) - max(t - 25.0, 0.0)) / 5.0
        return -(G0 + g**2 * np.diag(D)) @ m

    m = share
    for begin, end in ((0.0, 5.0), (5.0, 25.0), (25.0, 30.0)):
        m = solve_ivp(slope, (begin, end), m, rtol=1e-11, atol=1e-13, max_step=1.0).y[:, -1]
    return float(m.sum())


def test_along_the_axis_two_compartments_exchange_without_further_structure():
    # Where diffusion across is fast, compartments are well mixed and nothing else is left.
    q, errors, D = PGSE.q_of_b(1.0), [], (2.0, 0.7)
    faster = np.array([1.0, 10.0, 100.0])
    for factor in faster:
        tensors = [np.diag([3 * factor, 3 * factor, x]) for x in D]
        operators = filled(*(tuple(map(tuple, x.tolist())) for x in tensors))
        share = operators.cell.measures()
        walls = operators.cell.matrix(operators.J)
        surface = float(operators.cell.indicators[:, 1] @ walls @ operators.cell.indicators[:, 1])
        rates = 0.05 / 10.0 * surface / share
        expected = exchanging(share / share.sum(), rates, D, q)
        errors.append(abs(at(operators, AXIS, q) - expected))
        (model,) = build_models(operators, AXIS, ["R0"])
        assert model.signal(PGSE, q, 10.0, 0.005).real == pytest.approx(expected, abs=1e-9)
    assert errors[0] < 3e-3
    assert fit_order(1.0 / faster, errors).order == pytest.approx(1.0, abs=0.05)


# ---- within the plane, and symmetries ----


def test_in_the_plane_nothing_changes():
    plane = bloch_torrey(DISC.operators(0).cell, Material((3.0, 1.7)))
    space, q = filled(3.0, 1.7), PGSE.q_of_b(1.0)
    n = unit(1.0, 2.0)
    assert at(space, (*n, 0.0), q) == pytest.approx(at(plane, n, q), abs=1e-13)
    assert at(space, n, q) == pytest.approx(at(plane, n, q), abs=1e-13)
    names = ["R2", "P3", "lumped-R2"]
    for flat, deep in zip(
        build_models(plane, n, names), build_models(space, (*n, 0.0), names), strict=True
    ):
        one, other = (model.signal(PGSE, q, 10.0, 0.005) for model in (flat, deep))
        assert one == pytest.approx(other, abs=1e-13)


def test_a_cell_turned_about_its_axis_is_the_same_cell():
    operators, q = filled(3.0, 1.7), PGSE.q_of_b(1.5)
    first = at(operators, unit(1.0, 2.0, 2.0), q)
    assert at(operators, unit(1.0, 2.0, -2.0), q) == pytest.approx(first, abs=1e-12)
    # The mesh has not the symmetry of the cell.
    assert at(operators, unit(-2.0, 1.0, 2.0), q) == pytest.approx(first, abs=1e-4)
    assert abs(at(operators, unit(2.0, 2.0, 1.0), q) - first) > 1e-2


# ---- full tensors ----


COUPLED = np.array([[2.0, 0.3, 0.5], [0.3, 1.5, -0.2], [0.5, -0.2, 1.1]])


def test_free_water_of_any_tensor_decays_freely():
    n = np.array(unit(1.0, -2.0, 1.5))
    cell = tr.Cell(tr.Discs(()), COUPLED, 10.0, mesh=COARSE)
    S = cell.signal(PGSE, b=2.0, direction=[tuple(n), AXIS], method="full")
    rates = np.array([n @ COUPLED @ n, COUPLED[2, 2]])
    np.testing.assert_allclose(S, np.exp(-2.0 * rates), rtol=1e-6)


@pytest.mark.parametrize("kappa", [0.0, 0.05])
def test_a_coupling_with_the_axis_is_a_turned_gradient(kappa):
    # With z' = z - a.x, a = D_xx^-1 D_xz, the tensor couples nothing: gradients in the plane are
    # g_x + a g_z, and what is left along the axis is free.
    a = np.linalg.solve(COUPLED[:2, :2], COUPLED[:2, 2])
    left = COUPLED[2, 2] - COUPLED[2, :2] @ a
    matrix = tuple(map(tuple, COUPLED.tolist()))
    inner = tuple(map(tuple, COUPLED[:2, :2].tolist()))
    space = filled(matrix, matrix)
    plane = bloch_torrey(space.cell, Material((inner, inner)))
    n, q = np.array(unit(0.6, -0.3, 0.7)), PGSE.q_of_b(1.0)
    across = n[:2] + a * n[2]
    expected = at(plane, across, q * float(np.linalg.norm(across)), 48, kappa)
    expected *= np.exp(-PGSE.b_value(q) * n[2] ** 2 * left)
    assert at(space, n, q, 48, kappa) == pytest.approx(expected, abs=1e-9)
    assert abs(at(space, n * [1.0, 1.0, -1.0], q, 48, kappa) - expected) > 1e-2
    for name in ("R2", "P4"):
        (deep,), (flat,) = (
            build_models(space, n, [name]),
            build_models(plane, across, [name]),
        )
        S = flat.signal(PGSE, q * float(np.linalg.norm(across)), 10.0, kappa / 10.0)
        S = S * np.exp(-PGSE.b_value(q) * n[2] ** 2 * left)
        assert deep.signal(PGSE, q, 10.0, kappa / 10.0) == pytest.approx(complex(S), abs=1e-8)


def test_layers_of_one_dimension_are_those_of_two():
    D = [np.array([[2.0, 0.4], [0.4, 1.5]]), np.array([[0.8, -0.2], [-0.2, 1.9]])]
    n, options = unit(2.0, 1.0), {"period": 8.0, "permeability": [0.03, 0.05]}
    flat = tr.Cell(tr.Layers((0.6, 0.4), 2), D, mesh=tr.MeshOptions(0.3, 1), **options)
    cubes = [np.pad(x, (0, 1)) + np.diag([0.0, 0.0, 1.0]) for x in D]
    line = tr.Cell(tr.Layers((0.6, 0.4)), cubes, mesh=tr.MeshOptions(0.1, 1), **options)
    asked = {"b": [1.0, 3.0], "tolerance": 1e-4}
    one = flat.signal(PGSE, direction=n, **asked)
    other = line.signal(PGSE, direction=n + (0.0,), **asked)
    np.testing.assert_array_less(
        abs(one.values - other.values), 1e-9 + one.numerical_error + other.numerical_error
    )
    models = ["R0", "R1", "R2"]
    one = flat.signal(PGSE, b=1.0, direction=n, model=models)
    other = line.signal(PGSE, b=1.0, direction=n + (0.0,), model=models)
    np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-8)
    found = line.cumulants(PGSE, direction=n + (0.0,))
    wanted = flat.cumulants(PGSE, direction=n)
    assert float(found.adc) == pytest.approx(float(wanted.adc), rel=1e-6)
    assert float(found.kurtosis) == pytest.approx(float(wanted.kurtosis), rel=1e-4)
    # The papers' tensors too: of the layers as a whole, and of fourth order.
    T, U = (x.tensors() for x in (flat, line))
    for name in ("D", "S", "B", "I", "Z"):
        axes = {f"axis_{i}": ["x", "y"] for i in "ijkl" if f"axis_{i}" in T[name].dims}
        np.testing.assert_allclose(T[name], U[name].sel(axes), rtol=0.0, atol=1e-9)


# ---- tensors, waveforms and strong gradients ----


def test_tensors_have_three_axes():
    D = [np.diag([2.0, 2.0, 1.4]), np.diag([1.0, 1.0, 0.6])]
    T = tr.Cell(ROUND, D, 10.0, 0.05, mesh=COARSE).tensors()
    assert T.axis_i.values.tolist() == ["x", "y", "z"]
    np.testing.assert_allclose(T.D.sel(axis_i="z", axis_j="z"), [1.4, 0.6], rtol=1e-12)
    np.testing.assert_allclose(T.D.sel(axis_i="x", axis_j="z"), 0.0, atol=1e-12)
    plane = [x[:2, :2] for x in D]
    flat = tr.Cell(ROUND, plane, 10.0, 0.05, mesh=COARSE).tensors()
    inner = {f"axis_{i}": ["x", "y"] for i in "ijkl"}
    np.testing.assert_allclose(T.B.sel(inner), flat.B, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(T.B.sel(axis_i="z", axis_j="z"), 0.0, atol=1e-12)


def test_waveforms_of_three_components_run_in_cells_of_two_and_one():
    # Axes one after the other, and back together.
    values = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1), (0.5, 0.7, 1), (0, 0, 0)]
    times = (0.0, 3.0, 6.0, 9.0, 12.0, 15.0)
    wave = SampledWaveform("w", "wave_vector", times, tuple(tuple(map(float, x)) for x in values))
    q, n = wave.q_of_b(1.0), unit(1.0, 1.0, 1.0)
    S = tr.Cell(tr.Discs(()), COUPLED, 10.0, mesh=COARSE).signal(wave, q=q, direction=n)
    b_tensor = Measurement(wave, q, n).b_tensor
    assert np.linalg.matrix_rank(b_tensor) == 3
    assert float(S) == pytest.approx(np.exp(-np.sum(b_tensor * COUPLED)), rel=1e-6)
    line = tr.Cell(tr.Layers((1.0,)), 2.0, 10.0, mesh=tr.MeshOptions(0.2, 1))
    S, P = (
        line.signal(wave, q=q, direction=n, tolerance=1e-3, method=how)
        for how in ("full", "projected")
    )
    assert abs(S - P) <= S.numerical_error + P.numerical_error


def test_strong_gradients_fold_in_the_plane_alone():
    # |g_x| L is about 19; of one diffusivity the axis is a factor.
    n, q = unit(2.0, 0.0, 1.0), 3.0
    short = tr.Pgse(0.5, 2.0)
    levels = [filled(1.0, 1.0, level=k) for k in (0, 1)]
    flat = [bloch_torrey(x.cell, Material((1.0, 1.0))) for x in levels]
    deep = reference_signal(levels, Point(7.0, 0.0, short, q, n), 1e-1)
    plane = reference_signal(flat, Point(7.0, 0.0, short, q * n[0], (1.0, 0.0)), 1e-1)
    expected = plane.signal * np.exp(-short.b_value(q) * n[2] ** 2)
    assert q * n[0] * 7.0 > 4.0 * np.pi
    assert deep.signal == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
def test_orders_of_models_with_oblique_gradients():
    operators, periods = filled(3.0, 1.7), np.array([1.0, 1.5, 2.0, 3.0])
    for n in (unit(1.0, 2.0, 2.0), AXIS):
        q = PGSE.q_of_b(0.85)
        systems = [AffineSystem.at(operators.bare, L, 0.02 * L, n) for L in periods]
        decay = np.exp(-PGSE.b_value(q) * np.array(n) @ operators.axial @ np.array(n))
        exact = decay * np.array([mesh_signal(x, PGSE, q, 96).real for x in systems])
        errors = {
            name: np.abs(model.signal(PGSE, q, periods, 0.02) - exact)
            for name, model in zip(
                ("R0", "R2"), build_models(operators, n, ("R0", "R2")), strict=True
            )
        }
        assert fit_order(periods, errors["R0"]).order == pytest.approx(2.0, abs=0.1)
        assert fit_order(periods, errors["R2"]).order == pytest.approx(4.0, abs=0.2)


COATED = tr.Discs([tr.Disc((0.5, 0.5), 0.38)], layer=0.06)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "D", "kappa"),
    [(ROUND, [3.0, 0.5], 0.05), (ROUND, [2.5, 0.3], 1.0), (COATED, [2.5, 0.6, 1.2], 0.0)],
    ids=["slow", "fast", "coated"],
)
def test_one_basis_serves_all_directions_of_a_table(shape, D, kappa):
    directions = [unit(1.0, 0.3, z) for z in (0.2, 1.0, 5.0)] + [unit(-0.4, 1.0, 0.8)]
    cell = tr.Cell(shape, D, 10.0, kappa, mesh=tr.MeshOptions(0.2, 1))
    asked = {"b": [1.0, 4.0], "direction": directions, "tolerance": 5e-4}
    many = cell.signal(PGSE, method="projected", **asked)
    each = cell.signal(PGSE, method="full", **asked)
    assert np.all(abs(many.values - each.values) <= many.numerical_error.values)


def test_a_gradient_out_of_the_plane_asks_for_the_diffusivity_there():
    cell = tr.Cell(ROUND, np.diag([2.0, 1.0]), 10.0, mesh=COARSE)
    with pytest.raises(
        tr.InputError, match=r"diffusivity.*found a matrix of 2 rows.*along the axis"
    ):
        cell.signal(PGSE, b=1.0, direction=AXIS)
    assert replace(Material((2.0,)), in_space=True).key() == "De2_axes3"
