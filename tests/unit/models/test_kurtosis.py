"""Kurtosis tensors and Pade signals of KHM19 against the models and cell problems behind them."""

from __future__ import annotations

import functools
from itertools import permutations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material, Tensor
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, MeshOptions, Shape
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse, TrapezoidalPgse
from torrey.models.evaluation import build_models, evaluate_models
from torrey.models.expansion import expand
from torrey.models.kurtosis import (
    PadeModel,
    cell_kurtosis,
    compartment_kurtosis,
    fourth_moment,
    pade_models,
    symmetric_part,
    unique_components,
)
from torrey.models.tensors import Tensors, papers_tensors

WAVEFORM = Pgse(2.5, 5.0)
PERIOD = 6.0
THREE = (Disc((0.27, 0.28), 0.18), Disc((0.73, 0.36), 0.22), Disc((0.45, 0.75), 0.2))
CROSSING = (Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2))
SKEW = ((2.0, 0.5), (0.5, 1.0))

#: Water outside only, one compartment each.
OUTSIDE = {
    "disc": (Discs((Disc((0.5, 0.5), 0.2),), "obstacle"), (3.0,)),
    "three": (Discs(THREE, "obstacle"), (3.0,)),
    "crossing": (Discs(CROSSING, "obstacle"), (3.0,)),
    "anisotropic": (Discs(THREE, "obstacle"), (SKEW,)),
}
WITH_WATER = (Discs(THREE), (3.0, 1.7, 1.7, 1.2))


@functools.cache
def operators(shape: Shape, diffusivity: tuple[float | Tensor, ...]) -> BlochTorrey:
    return levels(shape, MeshOptions(0.2, 0), Material(diffusivity))[0]


@functools.cache
def tensors(shape: Shape, diffusivity: tuple[float | Tensor, ...]) -> Tensors:
    return papers_tensors(operators(shape, diffusivity))


def directions(count: int, seed: int = 3) -> np.ndarray:
    n = np.random.default_rng(seed).normal(size=(count, 2))
    return n / np.linalg.norm(n, axis=1, keepdims=True)


# ---- one compartment ----


@pytest.mark.parametrize("case", OUTSIDE.values(), ids=OUTSIDE)
@pytest.mark.parametrize("order", [0, 2])
def test_exponents_are_those_of_the_models_without_exchange(case, order):
    found = compartment_kurtosis(tensors(*case), WAVEFORM, PERIOD)
    b = np.array([0.0, 0.3, 1.0])
    for n in directions(3):
        (model,) = build_models(operators(*case), n, [f"R{order}"])
        signal = model.signal(WAVEFORM, np.sqrt(b / WAVEFORM.b_factor), PERIOD, 0.0)
        np.testing.assert_allclose(found.exponent(b, n, order), -np.log(signal), atol=1e-8)


@pytest.mark.parametrize("case", OUTSIDE.values(), ids=OUTSIDE)
def test_the_pade_form_is_positive_where_the_series_is_not(case):
    found = compartment_kurtosis(tensors(*case), WAVEFORM, PERIOD)
    b = np.linspace(0.01, 200.0, 60)
    for n in directions(5):
        series, pade = found.exponent(b, n), found.pade_exponent(b, n)
        assert series[-1] < 0
        assert np.all(pade > 0)
        # Kurtosis is positive: the Pade form lies between the series and order 0, and rises.
        assert np.all((series < pade) & (pade < found.exponent(b, n, 0)))
        assert np.all(np.diff(pade) > 0)


def test_the_pade_form_differs_from_the_series_by_the_fourth_power_of_the_period():
    periods = np.array([0.5, 1.0, 2.0])
    cases = [compartment_kurtosis(tensors(*OUTSIDE["three"]), WAVEFORM, L) for L in periods]
    gaps = np.array([x.pade_exponent(1.0, (0, 1)) - x.exponent(1.0, (0, 1)) for x in cases])
    np.testing.assert_allclose(np.diff(np.log(gaps)) / np.log(2.0), 4.0, atol=0.1)


@pytest.mark.parametrize(
    "waveform",
    [Pgse(2.5, 5.0), TrapezoidalPgse(3.0, 8.0, 0.5), CosineOgse(6.0, 9.0, 2.0)],
    ids=repr,
)
def test_the_fourth_moment_is_that_of_a_fine_sum(waveform):
    t = (np.arange(200_000) + 0.5) / 200_000 * waveform.echo_time
    F = waveform.sample(t, 0)[:, 0, 0]
    assert fourth_moment(waveform) == pytest.approx(np.mean(F**4) * waveform.echo_time, rel=1e-6)


def test_apparent_values_are_those_of_the_signal():
    found = compartment_kurtosis(tensors(*OUTSIDE["anisotropic"]), WAVEFORM, PERIOD)
    n = directions(4)
    D, K = found.apparent_diffusion(n), found.apparent_kurtosis(3.0 * n)
    b = 0.2
    for i in range(len(n)):
        assert found.exponent(b, n[i]) == pytest.approx(b * D[i] - (b * D[i]) ** 2 * K[i] / 6)


def test_gradients_along_several_directions_have_no_kurtosis_of_one():
    waveform = DoublePgse(2.0, 5.0, 1.0, 90.0)
    for function in (compartment_kurtosis, cell_kurtosis):
        with pytest.raises(ValueError, match="along one direction"):
            function(tensors(*OUTSIDE["disc"]), waveform, PERIOD)


# ---- symmetries ----


def third_order_tensor(ops: BlochTorrey) -> np.ndarray:
    """H_ijk = <D d_k (chi_ij + phi_ij)> of a cell with one compartment: KHM19, appendix A.2."""
    cell, d = ops.cell, ops.cell.dimension
    one, M = np.ones(cell.n_dofs), ops.mass_matrix
    C = [cell.matrix(entries) for entries in ops.C]
    measure = one @ M @ one
    omega = ops.stiffness_factor.solve(np.column_stack([c @ one for c in C]))
    H = np.zeros((d, d, d))
    for i in range(d):
        loads = C[i] @ omega
        # The part of the diffusivity that balances the load is that of the tensor D.
        loads -= np.outer(M @ one, one @ loads) / measure
        H[i] = (np.column_stack([c.T @ one for c in C]).T @ ops.stiffness_factor.solve(loads)).T
    return H / measure


@pytest.mark.parametrize(
    ("name", "vanishes"), [("disc", True), ("three", False), ("crossing", False)]
)
def test_h_is_antisymmetric_in_its_last_indices(name, vanishes):
    H = third_order_tensor(operators(*OUTSIDE[name]))
    np.testing.assert_allclose(H, -H.swapaxes(1, 2), atol=1e-14)
    # A cell with a centre of symmetry has no tensor of odd order, but for the mesh.
    assert (np.abs(H).max() < 1e-5) == vanishes


@pytest.mark.parametrize("case", OUTSIDE.values(), ids=OUTSIDE)
def test_tensors_have_the_symmetries_of_the_table(case):
    t = tensors(*case)
    np.testing.assert_allclose(t.D[0], t.D[0].T, atol=1e-12)
    np.testing.assert_allclose(t.S[0], t.S[0].T, atol=1e-15)
    W = compartment_kurtosis(t, WAVEFORM, PERIOD).W
    for X in (t.T[0], t.B[0], W):
        np.testing.assert_allclose(X, X.transpose(1, 0, 3, 2), atol=1e-13)
    n = directions(200)
    quartic = np.einsum("ijkl,ai,aj,ak,al->a", t.B[0], n, n, n, n)
    assert quartic.max() < 0


def test_only_the_symmetric_part_of_w_is_seen():
    t = tensors(*OUTSIDE["three"])
    found = compartment_kurtosis(t, WAVEFORM, PERIOD)
    W = symmetric_part(found.W)
    for order in permutations(range(4)):
        np.testing.assert_allclose(W, W.transpose(order), atol=1e-15)
    assert np.abs(W - found.W).max() > 0.1 * np.abs(W).max()
    for n in directions(5):
        seen = [np.einsum("ijkl,i,j,k,l", X, n, n, n, n) for X in (W, found.W)]
        assert seen[0] == pytest.approx(seen[1])


def test_components_in_space_are_those_of_dipy_in_its_order():
    tensor = np.random.default_rng(5).normal(size=(3, 3, 3, 3))
    found = unique_components(tensor)
    names = "xxxx yyyy zzzz xxxy xxxz xyyy yyyz xzzz yzzz xxyy xxzz yyzz xxyz xyyz xyzz"
    assert " ".join(found) == names
    # The sum that DIPY evaluates, with the number of places of each component.
    n = np.array([0.3, -0.5, 0.81])
    times = [1, 1, 1, 4, 4, 4, 4, 4, 4, 6, 6, 6, 12, 12, 12]
    powers = [np.prod([n["xyz".index(axis)] for axis in name]) for name in found]
    total = np.sum(np.array(list(found.values())) * times * powers)
    assert total == pytest.approx(np.einsum("ijkl,i,j,k,l", tensor, n, n, n, n))


def test_components_in_the_plane_are_named():
    n = np.array([0.6, -0.8])
    tensor = np.random.default_rng(6).normal(size=(2, 2, 2, 2))
    found = unique_components(tensor)
    assert list(found) == ["xxxx", "yyyy", "xxxy", "xyyy", "xxyy"]
    x, y = n
    powers = [x**4, y**4, 4 * x**3 * y, 4 * x * y**3, 6 * x**2 * y**2]
    total = np.dot(list(found.values()), powers)
    assert total == pytest.approx(np.einsum("ijkl,i,j,k,l", tensor, n, n, n, n))


# ---- several compartments ----


def test_a_cell_of_one_compartment_is_that_compartment():
    t = tensors(*OUTSIDE["three"])
    one, all_of_it = (f(t, WAVEFORM, PERIOD) for f in (compartment_kurtosis, cell_kurtosis))
    np.testing.assert_allclose(all_of_it.D, one.D)
    np.testing.assert_allclose(all_of_it.W, one.W, atol=1e-15)


@pytest.mark.parametrize("density", [None, (1.0, 0.5, 0.8, 0.0)])
def test_kurtosis_of_a_cell_with_water_inside_is_that_of_its_signal_at_small_b(density):
    shape, diffusivity = WITH_WATER
    found = cell_kurtosis(tensors(*WITH_WATER), WAVEFORM, PERIOD, density)
    material = Material(diffusivity, density=density or ())
    (ops,) = levels(shape, MeshOptions(0.2, 0), material)
    b = np.linspace(0.0, 0.02, 6)[1:]
    for n in directions(3):
        (model,) = build_models(ops, n, ["R2"])
        q = np.sqrt(b / WAVEFORM.b_factor)
        signal = model.signal(WAVEFORM, q, PERIOD, 0.0, 1e-14).real
        slope, curvature = np.polynomial.Polynomial.fit(b, np.log(signal) / b, 3).convert().coef[:2]
        D, K = found.apparent_diffusion(n), found.apparent_kurtosis(n)
        assert -slope == pytest.approx(D, rel=1e-5)
        assert 6 * curvature / D**2 == pytest.approx(K, rel=1e-3)


def test_confined_water_alone_has_no_kurtosis():
    t = tensors(*WITH_WATER)
    with pytest.raises(ValueError, match="all water is confined"):
        cell_kurtosis(t, WAVEFORM, PERIOD, (0.0, 1.0, 1.0, 1.0))


# ---- the Pade form as a model ----


def test_the_model_adds_the_compartments():
    t, n = tensors(*WITH_WATER), (0.6, 0.8)
    q, period = np.array([0.1, 0.4, 0.9]), np.array([[2.0], [6.0]])
    (model,) = pade_models(operators(*WITH_WATER), n)
    signal = model.signal(WAVEFORM, q, period, 0.0)
    share = t.measures / t.measures.sum()
    for i, L in enumerate(period[:, 0]):
        outside = compartment_kurtosis(t, WAVEFORM, L).pade_exponent(q**2 * WAVEFORM.b_factor, n)
        # Water inside the cells is confined: nothing of it is lost.
        expected = share[0] * np.exp(-outside) + share[1:].sum()
        np.testing.assert_allclose(signal[i], expected, rtol=1e-9)


def test_a_study_evaluates_the_pade_form_beside_the_others():
    shape, diffusivity = OUTSIDE["three"]
    mesh = levels(shape, MeshOptions(0.25, 1), Material(diffusivity))
    protocol = Product(
        WaveformGrid("pgse", (("delta", (2.5,)), ("Delta", (2.5, 5.0)))),
        encoding_kind="b",
        encodings=(0.0, 1.0),
        directions=((1.0, 0.0), (0.6, 0.8)),
    )
    sweep = Sweep((2.0, 6.0), "permeability", (0.0,), protocol)
    table = evaluate_models(mesh, sweep, ("Pade", "R0", "R2"))
    assert np.all(table.growth[0] == 0.0)
    assert np.all(table.amplification[0] == 1.0)
    for level, ops in enumerate(mesh):
        for index, point in sweep.points().items():
            model = PadeModel.of(expand(ops, point.direction, 2).model)
            expected = model.signal(point.waveform, point.q, point.period, point.sigma)
            assert table.signal[(0, level, *index)] == pytest.approx(expected)
    # Between the two: above order 0, below order 2.
    weighted = table.signal[:, -1, ..., 1, :].real
    assert np.all((weighted[0] > weighted[1]) & (weighted[0] < weighted[2]))


def test_relaxation_and_several_directions_are_refused():
    shape, diffusivity = OUTSIDE["disc"]
    for times in ({"T2": (80.0,)}, {"T1": (800.0,)}):
        (ops,) = levels(shape, MeshOptions(0.25, 0), Material(diffusivity, **times))
        with pytest.raises(ValueError, match="relaxation"):
            pade_models(ops, (1.0, 0.0))
    with pytest.raises(ValueError, match="along one direction"):
        pade_models(operators(shape, diffusivity), np.eye(2))


def test_water_that_is_confined_everywhere_keeps_its_signal():
    pore = operators(Discs((Disc((0.5, 0.5), 0.3),), exterior="wall"), (2.0,))
    model = expand(pore, (1.0, 0.0), 2).model
    # D is what rounding leaves; there is no entry where that is nothing.
    model.rates[0].pop((2, 0, 0), None)
    assert PadeModel.of(model).signal(Pgse(5.0, 25.0), 0.3, 10.0, 0.0) == pytest.approx(
        1.0, abs=1e-12
    )


def test_a_tensor_of_the_wrong_sign_is_refused():
    model = expand(operators(*OUTSIDE["disc"]), (1.0, 0.0), 2).model
    model.rates[2][4, 0, 0][...] *= -1.0
    with pytest.raises(ValueError, match="is positive"):
        PadeModel.of(model)
