"""The papers' tensors and the recursion are two derivations of the same rate matrices.

Both live on the same finite-element space, so that they must agree to rounding on any mesh.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.geometry.meshing import build_meshes
from torrey.gradients.waveforms import Pgse
from torrey.models.expansion import expand
from torrey.models.kurtosis import kurtosis_tensor
from torrey.models.lumped import lump
from torrey.models.rates import RateModel
from torrey.models.tensors import Tensors, papers_tensors, rate_matrices

ONE = (Discs((Disc((0.5, 0.5), 0.2),)), (3.0, 1.7))
#: Different cells, off centre; the second one reaches across the boundary.
TWO = (Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2))), (3.0, 1.7, 1.1))
EQUAL = (Discs((Disc((0.2, 0.3), 0.15), Disc((0.7, 0.8), 0.15))), (3.0, 1.7, 1.7))
ANISOTROPIC = (TWO[0], (((2.5, 0.4), (0.4, 1.8)), ((1.5, -0.3), (-0.3, 1.0)), 1.1))
OBSTACLE = (Discs((Disc((0.4, 0.5), 0.3), Disc((0.95, 0.12), 0.1)), "obstacle"), (2.0,))
#: Both membranes of the coat, of which the outer one is a wall.
IN_WALLS = (Discs((Disc((0.4, 0.5), 0.25),), exterior="wall", coat=0.1), (1.7, 0.5))
TWO_LAYERS = (Layers((0.4, 0.6)), (2.0, 1.0))
THREE_LAYERS = (Layers((0.3, 0.5, 0.2)), (2.0, 1.0, 0.5))
STRIPS = (Layers((0.3, 0.5, 0.2), 2), (2.0, 1.0, 0.5))

PLANE = ((1.0, 0.0), (0.6, -0.8), (-1.0, 2.0))
CASES = [
    *((cell, n) for cell in (ONE, TWO, ANISOTROPIC, OBSTACLE) for n in ((0.0, 1.0), *PLANE)),
    *((STRIPS, n) for n in PLANE),
    *((cell, n) for cell in (TWO_LAYERS, THREE_LAYERS) for n in ((1.0,), (-1.0,))),
]

CellAndMaterial = tuple[Discs | Layers, tuple]


@functools.cache
def operators(case: CellAndMaterial) -> BlochTorrey:
    shape, diffusivity = case
    sides = [(m.outside, m.inside) for m in shape.membranes()]
    (mesh,) = build_meshes(shape, MeshOptions(0.12, 0))
    cell = assemble(mesh, np.array(sides, dtype=np.int64).reshape(-1, 2))
    return bloch_torrey(cell, Material(diffusivity))


@functools.cache
def tensors(case: CellAndMaterial) -> Tensors:
    return papers_tensors(operators(case))


def assert_same_rates(mine, other, rtol=1e-10, atol=1e-13):
    """Entry by entry; a monomial that is missing counts as zero."""
    for G, H in zip(mine, other, strict=True):
        for power in set(G) | set(H):
            np.testing.assert_allclose(
                G.get(power, 0.0), H.get(power, 0.0), rtol=rtol, atol=atol, err_msg=f"{power}"
            )


def test_a_coat_in_walls_keeps_its_membrane():
    found, direction = tensors(IN_WALLS), PLANE[1]
    ring = np.pi * (0.35**2 - 0.25**2)
    np.testing.assert_allclose(found.eta, [[2 / 0.25], [2 * np.pi * 0.25 / ring]], rtol=1e-4)
    walls = bloch_torrey(operators(IN_WALLS).cell, Material(IN_WALLS[1], membranes=(1.0, 0.0)))
    recursion = expand(walls, direction, 2).rates
    assert_same_rates(rate_matrices(found, direction), recursion)


@pytest.mark.parametrize(("case", "direction"), CASES)
def test_rates_equal_those_of_the_recursion(case, direction):
    recursion = expand(operators(case), direction, 2).rates
    if case is OBSTACLE:
        # The surfaces of obstacles do not relax in the papers.
        recursion = [{power: X for power, X in G.items() if not power[-1]} for G in recursion]
    assert_same_rates(rate_matrices(tensors(case), direction), recursion)


FLIPS = {
    "psi in the jump": ((0, 0, 2), lambda t: {"psi_jump": -t.psi_jump}),
    "psi in I": ((2, 0, 1), lambda t: {"I": 2 * eta_S(t) - t.I}),
    "eta S in I": ((2, 0, 1), lambda t: {"I": t.I - 2 * eta_S(t)}),
    "I": ((2, 0, 1), lambda t: {"I": -t.I}),
    "Z": ((2, 0, 1), lambda t: {"Z": -t.Z}),
    "T": ((4, 0, 0), lambda t: {"B": t.B + 2 * t.T}),
    "S": ((1, 1, 0), lambda t: {"S": -t.S}),
    "omega": ((1, 0, 1), lambda t: {"omega_jump": -t.omega_jump}),
}


def eta_S(t: Tensors) -> np.ndarray:
    return np.einsum("ma,am,ajl->amjl", t.incidence, t.eta, t.S)


@pytest.mark.parametrize("name", FLIPS)
def test_every_sign_matters(name):
    power, change = FLIPS[name]
    wrong = dataclasses.replace(tensors(TWO), **change(tensors(TWO)))
    order = power[0] + 3 * power[1] + 2 * power[2] - 2
    right = expand(operators(TWO), PLANE[1], 2).rates[order][power]
    error = np.abs(rate_matrices(wrong, PLANE[1])[order][power] - right).max()
    assert error > 0.01 * np.abs(right).max()


def test_psi_has_no_solution_with_the_signs_of_the_print():
    # KL23 (3.23): -div D grad psi = -eta outside and +eta inside, D grad psi . nu = 1.
    ops, t = operators(ONE), tensors(ONE)
    cell = ops.cell
    volume = ops.mass_matrix @ (cell.indicators * np.array([1.0, -1.0]) * t.eta[:, 0]).sum(axis=1)
    surface = -cell.matrix(ops.J) @ cell.indicators[:, 0]
    mended = ops.stiffness_factor.solve(surface + volume)
    jump = cell.indicators[:, 0] @ (cell.matrix(ops.J) @ mended) / t.interface_measures[0]
    assert jump == pytest.approx(t.psi_jump[0, 0], rel=1e-10)
    with pytest.raises(ArithmeticError, match="not solvable"):
        ops.stiffness_factor.solve(surface - volume)


@pytest.mark.parametrize("case", [ONE, TWO, ANISOTROPIC, STRIPS, THREE_LAYERS])
def test_symmetries_and_signs(case):
    t = tensors(case)
    rng = np.random.default_rng(1)
    np.testing.assert_allclose(t.D, t.D.swapaxes(1, 2), atol=1e-12)
    np.testing.assert_allclose(t.S, t.S.swapaxes(1, 2), atol=1e-15)
    assert np.linalg.eigvalsh(t.S).max() < 1e-12
    # Barriers and heterogeneity hinder: 0 <= D^a <= the intrinsic diffusivity.
    assert np.linalg.eigvalsh(t.D).min() > -1e-12
    assert np.linalg.eigvalsh(t.diffusivity - t.D).min() > -1e-12
    for n in rng.standard_normal((20, t.D.shape[-1])):
        n /= np.linalg.norm(n)
        # In a bounded compartment it is zero, but for the error of the mesh.
        assert np.einsum("aijkl,i,j,k,l->a", t.B, n, n, n, n).max() < 1e-6
    resistance = -t.interface_measures[:, None] * t.psi_jump
    assert resistance == pytest.approx(resistance.T, abs=1e-12)
    assert np.linalg.eigvalsh(resistance).min() > 0


def test_water_in_bounded_cells_does_not_diffuse_at_long_times():
    assert tensors(TWO).D[1:] == pytest.approx(np.zeros((2, 2, 2)), abs=1e-12)
    # The flow of u = exp(i g.x) alone in a cell is zero: no term in g^4 either.
    n = np.array([0.6, -0.8])
    quartic = np.einsum("aijkl,i,j,k,l->a", tensors(TWO).B, n, n, n, n)
    assert quartic[0] < -1e-3
    assert quartic[1:] == pytest.approx([0, 0], abs=1e-5)


def test_measures_belong_to_the_cell():
    t = tensors(TWO)
    shape = TWO[0]
    assert t.measures == pytest.approx(shape.measures(), rel=1e-3)
    assert t.interface_measures == pytest.approx(shape.interface_measures(), rel=1e-4)
    assert t.theta.sum() == pytest.approx(1)
    assert t.eta[1:] == pytest.approx(np.diag(t.interface_measures / t.measures[1:]))
    assert t.eta[0] == pytest.approx(t.interface_measures / t.measures[0])
    assert tensors(OBSTACLE).theta == pytest.approx([1.0])
    # Membranes and compartments that do not touch exchange nothing.
    assert not t.I[1, 1].any()
    assert not t.I[2, 0].any()
    assert not t.Z[1, 2].any()
    assert not t.Z[0, 1, 1].any()


def test_lumping_one_cell_changes_nothing():
    t = tensors(ONE)
    one = lump(t)
    assert one.lumped
    assert not t.lumped
    for field in dataclasses.fields(Tensors):
        if field.name != "lumped":
            mine, other = getattr(one, field.name), getattr(t, field.name)
            np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-14, err_msg=field.name)
    assert_same_rates(rate_matrices(one, (1, 2)), rate_matrices(t, (1, 2)), atol=1e-14)


def test_lumping_merges_the_two_membranes_of_two_layers():
    t = tensors(TWO_LAYERS)
    one = lump(t)
    assert one.incidence.tolist() == [[1, -1]]
    assert_same_rates(rate_matrices(one, (1,)), rate_matrices(t, (1,)))


def gathered(t: Tensors, rates):
    """Rates of the cells' total mass while the cells share it by their size."""
    gather = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    share = (gather * t.measures).T / (gather @ t.measures)
    return [{power: gather @ G @ share for power, G in terms.items()} for terms in rates]


def test_lumping_equal_cells_is_exact():
    t = tensors(EQUAL)
    mine = rate_matrices(lump(t), (0.6, -0.8))
    # gmsh does not mesh the two cells alike: equal up to the error of the mesh.
    assert_same_rates(mine, gathered(t, rate_matrices(t, (0.6, -0.8))), rtol=1e-3, atol=1e-5)


def test_lumping_cells_that_differ_is_not():
    t = tensors(TWO)
    one = lump(t)
    V, area = t.measures, t.interface_measures
    assert one.eta[:, 0] == pytest.approx([area.sum() / V[0], area.sum() / V[1:].sum()])
    assert one.S[1] == pytest.approx((V[1] * t.S[1] + V[2] * t.S[2]) / (V[1] + V[2]))
    mine, true = rate_matrices(one, (1, 0)), gathered(t, rate_matrices(t, (1, 0)))
    assert_same_rates(mine[:2], true[:2])
    assert np.abs(mine[2][2, 0, 1] - true[2][2, 0, 1]).max() > 1e-3
    # Even the exchange at order 0 is another one: each cell empties at its own rate.
    sigma, time = 0.05, Pgse(5.0, 30.0)
    signals = [
        RateModel(rate_matrices(x, (1, 0))[:1], x.measures).signal(time, 0.3, 5.0, sigma)
        for x in (t, one)
    ]
    assert abs(signals[1] / signals[0] - 1) > 0.005


def test_psi_of_cells_that_differ_has_no_solution_with_one_eta():
    ops, t = operators(TWO), tensors(TWO)
    cell = ops.cell
    eta = lump(t).eta[:, 0]
    constants = np.array([eta[0], -eta[1], -eta[1]])
    load = -cell.matrix(ops.J) @ cell.indicators[:, 0]
    load += ops.mass_matrix @ (cell.indicators @ constants)
    assert load.sum() == pytest.approx(0, abs=1e-12)
    with pytest.raises(ArithmeticError, match="not solvable"):
        ops.stiffness_factor.solve(load)


def test_the_first_order_can_be_left_out():
    with_it = rate_matrices(tensors(TWO), (0, 1))
    without = rate_matrices(tensors(TWO), (0, 1), first_order=False)
    assert with_it[1][1, 0, 1].any()
    assert not without[1]
    assert_same_rates((with_it[0], {}, with_it[2]), without)


def test_kurtosis_tensor_gives_the_signal_of_one_compartment():
    # KHM19 (23)-(25): -ln S = b D:nn - b^2 D_mean^2 W::nnnn / 6, exactly, for R2 without exchange.
    t, waveform, period, n = tensors(OBSTACLE), Pgse(5.0, 15.0), 4.0, np.array([0.6, 0.8])
    W = kurtosis_tensor(t, waveform, period)
    Wn = np.einsum("ijkl,i,j,k,l", W, n, n, n, n)
    assert Wn > 0
    b = 0.8
    D, mean = n @ t.D[0] @ n, np.trace(t.D[0]) / 2
    model = RateModel(rate_matrices(t, n), t.measures)
    signal = model.signal(waveform, waveform.q_of_b(b), period, 0.0)
    assert -np.log(signal) == pytest.approx(b * D - (b * mean) ** 2 * Wn / 6, rel=1e-8)


def test_kurtosis_of_two_pulses_is_the_printed_one():
    t, delta, Delta, period = tensors(TWO), 2.5, 5.0, 6.0
    # KHM19 (27).
    ratio = (Delta - 3 / 5 * delta) / (Delta - delta / 3) ** 2
    printed = -6 * period**2 * ratio / (np.trace(t.D[0]) / 2) ** 2 * t.B[0]
    assert kurtosis_tensor(t, Pgse(delta, Delta), period) == pytest.approx(printed, rel=1e-12)


@pytest.mark.parametrize("case", [TWO, THREE_LAYERS])
def test_a_bounded_compartment_has_no_kurtosis_tensor(case):
    with pytest.raises(ValueError, match="compartment 1 is bounded"):
        kurtosis_tensor(tensors(case), Pgse(5.0, 15.0), 5.0, compartment=1)


def test_a_cell_without_membranes_has_its_own_diffusivity():
    t = tensors((Discs(()), (2.0,)))
    assert t.D[0] == pytest.approx(2 * np.eye(2))
    assert np.abs(t.B).max() < 1e-12


def test_a_membrane_within_one_compartment_is_rejected():
    with pytest.raises(ValueError, match="membrane 0 has compartment 0 on both sides"):
        papers_tensors(operators((Layers((1.0,)), (2.0,))))


@pytest.mark.parametrize("case", [THREE_LAYERS, OBSTACLE])
def test_only_cells_in_an_outside_can_be_lumped(case):
    with pytest.raises(ValueError, match="not every membrane bounds compartment 0"):
        lump(tensors(case))


@pytest.mark.parametrize("direction", [(0, 0), (1, 0, 0), (np.nan, 1)])
def test_impossible_directions_are_rejected(direction):
    with pytest.raises(ValueError, match="2 numbers are needed"):
        rate_matrices(tensors(ONE), direction)
