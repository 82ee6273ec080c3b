"""Projected models: small, Hermitian, nested, dissipative, and close to the full system."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.waveforms import Pgse
from torrey.models.expansion import expand
from torrey.models.projection import ProjectedModel, corrector_basis, project
from torrey.reference.full import mesh_signal

DIRECTION = (0.0, 1.0)
WAVEFORM = Pgse(5.0, 25.0)


@pytest.fixture(scope="module")
def disc() -> BlochTorrey:
    shape = Discs((Disc((0.5, 0.5), 0.4),))
    return levels(shape, MeshOptions(0.15, 0), Material((3.0, 1.7)))[0]


@pytest.fixture(scope="module")
def model(disc: BlochTorrey) -> ProjectedModel:
    return project(disc, DIRECTION, 7)


def test_the_basis_is_orthonormal_and_nested(disc: BlochTorrey) -> None:
    expansion = expand(disc, DIRECTION, 3)
    basis, ranks = corrector_basis(disc, expansion, 4)
    np.testing.assert_allclose(basis.T @ (disc.mass_matrix @ basis), np.eye(ranks[-1]), atol=1e-10)
    assert list(ranks) == sorted(ranks)
    assert ranks[0] == disc.cell.n_compartments
    for fields, rank in zip(expansion.fields, ranks, strict=True):
        for field in fields.values():
            part = basis[:, :rank]
            rest = field - part @ (part.T @ (disc.mass_matrix @ field))
            assert np.abs(rest).max() <= 1e-7 * np.abs(field).max()


def test_matrices_are_those_of_the_full_system_on_the_basis(
    disc: BlochTorrey, model: ProjectedModel
) -> None:
    basis, _ = corrector_basis(disc, expand(disc, DIRECTION, 6), 7)
    full = AffineSystem.at(disc, 6.0, 0.08, DIRECTION).matrix(np.array([0.7]))
    expected = basis.T @ (full @ basis)
    found = model.matrix([[0.7]], 6.0, 0.08 / 6.0)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())


def test_two_axes_span_the_plane(disc: BlochTorrey) -> None:
    axes = np.array([[0.6, 0.8], [-0.8, 0.6]])
    plane = project(disc, axes, 2)
    basis, _ = corrector_basis(disc, expand(disc, axes, 1), 2)
    g = np.array([0.4, -0.7])
    expected = basis.T @ (AffineSystem.at(disc, 6.0, 0.08, axes).matrix(g) @ basis)
    found = plane.matrix([g], 6.0, 0.08 / 6.0)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())
    # The same gradient in other axes.
    turned = plane.along(np.eye(2)).matrix([g @ axes], 6.0, 0.08 / 6.0)
    np.testing.assert_allclose(turned, expected, atol=1e-9 * np.abs(expected).max())


def test_axes_outside_the_span_are_refused(model: ProjectedModel) -> None:
    np.testing.assert_allclose(model.along(np.array([[0.0, -1.0]])).C, -model.C)
    with pytest.raises(ValueError, match="for a basis along"):
        model.along(np.array([[1.0, 0.0]]))


def test_no_point_has_growth(model: ProjectedModel) -> None:
    generator = np.random.default_rng(3)
    q, period = generator.uniform(0, 3, 200), generator.uniform(0.5, 50, 200)
    sigma = generator.uniform(0, 1, 200) / period
    G = model.matrix(q[:, None, None], period, sigma)
    smallest = np.linalg.eigvalsh(G)[:, 0]
    assert np.all(smallest >= -1e-12 * np.abs(G).max(axis=(1, 2)))
    found = model.truncate(3).stability(WAVEFORM, q, period, sigma)
    assert np.all(found.growth == 0.0)
    assert np.all(found.amplification == 1.0)
    assert np.all(np.abs(model.truncate(3).signal(WAVEFORM, q, period, sigma)) <= 1 + 1e-9)


@pytest.mark.parametrize(
    ("period", "kappa", "b"), [(10.0, 0.05, 4.0), (10.0, 0.1, 1.0), (3.0, 0.3, 2.0)]
)
def test_signals_approach_those_of_the_full_system(
    disc: BlochTorrey, model: ProjectedModel, period: float, kappa: float, b: float
) -> None:
    q = WAVEFORM.q_of_b(b)
    exact = mesh_signal(AffineSystem.at(disc, period, kappa, DIRECTION), WAVEFORM, q, 96).real
    errors = [
        abs(model.truncate(order).signal(WAVEFORM, q, period, kappa / period) / exact - 1)
        for order in (1, 3, 5, 7)
    ]
    print(*(f"{error:.1e}" for error in errors))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 2e-5
    assert errors[3] < 1e-6
    assert model.ranks[5] <= 32  # 30 without the fields of the second derivative of g


def test_where_r2_explodes_the_projected_model_does_not(
    disc: BlochTorrey, model: ProjectedModel
) -> None:
    point = (2.0, 20.0, 0.01)  # q, period, sigma
    r2 = expand(disc, DIRECTION, 2).model
    assert r2.stability(WAVEFORM, *point).growth > 1.0
    assert r2.stability(WAVEFORM, *point).amplification > 1e3
    assert abs(r2.signal(WAVEFORM, *point)) > 1e3 or not np.isfinite(r2.signal(WAVEFORM, *point))
    assert abs(model.signal(WAVEFORM, *point)) <= 1.0


def test_orders_beyond_the_basis_are_refused(model: ProjectedModel) -> None:
    with pytest.raises(ValueError, match="orders 0 to 7"):
        model.truncate(8)
