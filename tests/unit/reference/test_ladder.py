"""Ladders of projected models: nested, Hermitian, reaching further with every rung."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.cell.system import AffineSystem
from torrey.geometry import Disc, Discs, MeshOptions, Sphere, Spheres
from torrey.gradients.protocol import frame
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import DoublePgse, Pgse
from torrey.models.integration import Points, projected_signal
from torrey.models.projection import ProjectedModel, project
from torrey.reference.full import mesh_signal
from torrey.reference.ladder import GrowingLadder, climb
from torrey.reference.ladder_levels import climb_meshes, continued, models_to_store
from torrey.reference.span import SPACING, Span, rung_for

DIRECTION = (0.0, 1.0)
WAVEFORM = Pgse(5.0, 25.0)


@pytest.fixture(scope="module")
def disc() -> BlochTorrey:
    shape = Discs((Disc((0.5, 0.5), 0.4),))
    return levels(shape, MeshOptions(0.15, 0), Material((3.0, 1.7)))[0]


@pytest.fixture(scope="module")
def ladder(disc: BlochTorrey) -> ProjectedModel:
    return climb(disc, DIRECTION, 9)


def test_the_first_rungs_are_the_projected_models(disc: BlochTorrey, ladder: ProjectedModel):
    plain = project(disc, DIRECTION, 3)
    assert ladder.ranks[:4] == plain.ranks
    low = ladder.truncate(3)
    g = np.array([[[0.3]]])
    for x, y in zip(
        np.linalg.eigh(low.matrix(g, 5.0, 0.01)), np.linalg.eigh(plain.matrix(g, 5.0, 0.01)),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_allclose(np.abs(x), np.abs(y), atol=1e-8)


def test_rungs_grow(ladder: ProjectedModel):
    assert list(ladder.ranks) == sorted(set(ladder.ranks))
    assert len(ladder.ranks) == 10


def test_matrices_are_hermitian_and_never_negative(ladder: ProjectedModel):
    generator = np.random.default_rng(5)
    g = generator.uniform(0, 3, (50, 1, 1))
    period = generator.uniform(0.5, 50, 50)
    A = ladder.matrix(g, period, generator.uniform(0, 1, 50) / period)
    np.testing.assert_array_equal(A, A.conj().swapaxes(1, 2))
    values = np.linalg.eigvalsh(A)
    assert np.all(values[:, 0] >= -1e-10 * values[:, -1])


def test_each_rung_reaches_further(disc: BlochTorrey, ladder: ProjectedModel):
    # gamma = 7: beyond what correctors at g = 0 resolve.
    period, kappa, q = 10.0, 0.02, 0.7
    exact = mesh_signal(AffineSystem.at(disc, period, kappa, DIRECTION), WAVEFORM, q, 32)
    point = Points.of(q, period, kappa / period)
    errors = [
        abs(projected_signal(ladder.truncate(rung), WAVEFORM, point, 32)[0] / exact - 1)
        for rung in (4, 6, 8)
    ]
    assert errors[2] < 1e-5
    assert errors[1] < 0.1 * errors[0]
    assert errors[2] < 0.1 * errors[1]


def test_one_ladder_serves_all_directions_of_the_plane(disc: BlochTorrey):
    ladder = climb(disc, np.eye(2), 6)
    for waveform in (WAVEFORM, DoublePgse(3.0, 12.0, 4.0, 50.0)):
        axes = frame((0.8, -0.6), waveform.n_components)
        q = waveform.q_of_b(1.5)
        exact = mesh_signal(AffineSystem.at(disc, 6.0, 0.05, axes), waveform, q, 32)
        found = projected_signal(ladder.along(axes), waveform, Points.of(q, 6.0, 0.05 / 6.0), 32)
        assert abs(found[0] / exact - 1) < 1e-5


def test_the_rungs_that_only_tell_errors_are_left_out_on_finer_meshes():
    shape = Discs((Disc((0.5, 0.5), 0.4),))
    cell = levels(shape, MeshOptions(0.3, 1), Material((3.0, 1.7)))
    coarse, fine = climb_meshes(cell, DIRECTION, 6)
    assert (coarse.order, fine.order) == (6, 4)
    assert fine.whole.ranks == climb(cell[1], DIRECTION, 6).ranks[:5]
    assert [model.order for model in climb_meshes(cell, DIRECTION, 4)] == [4, 3]


def test_a_ladder_that_grows_has_the_rungs_of_one_made_at_once(disc: BlochTorrey):
    whole, growing = climb(disc, np.eye(2), 6), GrowingLadder(disc, np.eye(2), 6)
    axes = np.array([[0.6, 0.8]])
    g, period, sigma = np.array([[[0.3]]]), 5.0, 0.01
    for rung in (3, 4, 6, 5):
        model = growing.along(axes).truncate(rung)
        assert model.ranks == whole.ranks[: rung + 1]
        expected = whole.truncate(rung).along(axes).matrix(g, period, sigma)
        found = model.matrix(g, period, sigma)
        size = np.abs(expected).max()
        np.testing.assert_allclose(
            np.linalg.eigvalsh(found), np.linalg.eigvalsh(expected), atol=1e-10 * size
        )
    assert not growing.reaches(7)
    with pytest.raises(ValueError, match="rungs 0 to 6"):
        growing.truncate(7)


def test_a_growing_ladder_ends_before_it_fills_the_mesh():
    shape = Discs((Disc((0.5, 0.5), 0.3),))
    cell = levels(shape, MeshOptions(0.5, 0), Material((3.0, 1.7)))[0]
    growing, whole = GrowingLadder(cell, np.eye(2), 14), climb(cell, np.eye(2), 14)
    assert 3 < whole.order < 14
    assert growing.order == 14
    assert growing.reaches(whole.order)
    assert not growing.reaches(whole.order + 1)
    assert growing.order == whole.order


def test_what_is_stored_in_space_is_continued_where_more_is_asked_for():
    shape = Spheres((Sphere((0.5, 0.5, 0.5), 0.35),))
    cell = levels(shape, MeshOptions(0.5, 0), Material((2.0, 1.0)))
    few = [cell[0], cell[0]]  # as if the second one were finer
    stored = models_to_store(few, np.eye(3)[:2], 7)
    assert [model.order for model in stored] == [7, 3]
    coarse, finer = continued(stored, few)
    assert coarse is stored[0]
    assert finer.truncate(3).ranks == stored[1].ranks
    assert finer.reaches(5)
    assert not finer.reaches(6)
    assert finer.along(np.eye(3)[:1]).truncate(5).ranks == stored[0].ranks[:6]


def test_axes_outside_the_span_are_refused(ladder: ProjectedModel):
    with pytest.raises(ValueError, match="for a basis along"):
        ladder.along(np.array([[1.0, 0.0]]))


def test_the_reach_decides_the_rung():
    assert [rung_for(gamma) for gamma in (0.0, SPACING, SPACING + 0.1, 5 * SPACING)] == [3, 3, 4, 7]


def sweep(periods: tuple[float, ...], directions: tuple[tuple[float, ...], ...]) -> Sweep:
    grid = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", (25.0,))))
    return Sweep(periods, "permeability", (0.05,), Product(grid, "b", (0.0, 4.0), directions))


def test_a_span_holds_the_directions_and_the_largest_gradient():
    one = Span.of(sweep((10.0,), ((0.0, 1.0),)))
    assert one.axes == ((0.0, 1.0),)
    assert one.label == f"n0_1_rungs{one.rungs}"
    assert Span.of(sweep((10.0,), ((0.0, 1.0), (0.0, -1.0)))).axes == ((0.0, 1.0),)
    every = Span.of(sweep((10.0,), ((0.0, 1.0), (1.0, 0.0))))
    assert every.axes == ((1.0, 0.0), (0.0, 1.0))
    assert every.label.startswith("all_")
    assert Span.of(sweep((10.0, 30.0), ((0.0, 1.0),))).rungs > one.rungs
    assert Span.of(sweep((1000.0,), ((0.0, 1.0),))).rungs == 14
