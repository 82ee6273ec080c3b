"""The radius of a cell from signals, with the permeability: made anew on a mesh for each radius."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.base.lazy import Lazy
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Shape, Sphere, Spheres
from torrey.gradients.protocol import Measurement
from torrey.gradients.waveforms import Pgse
from torrey.inversion.fit import at_bound, fit, identify
from torrey.inversion.physical import physical_problem
from torrey.inversion.radius import Radii, RadiusProblem, RoundCell, radius_problem
from torrey.inversion.study import Options, fit_physical

MATERIAL = Material((3.0, 1.7))
KNOWN = {"kappa": 0.05, "D_e": 3.0, "D_c": 1.7}
PERIOD = 5.0
POINTS = tuple(
    Measurement(waveform, waveform.q_of_b(b), (1.0, 0.0))
    for waveform in (Pgse(5.0, 15.0), Pgse(5.0, 30.0))
    for b in (0.4, 2.4)
)


@cache
def built(shape: Shape) -> BlochTorrey:
    return levels(shape, MeshOptions(0.1, 1), MATERIAL)[1]


def coarse(shape: Shape) -> BlochTorrey:
    return levels(shape, MeshOptions(0.2, 0), MATERIAL)[0]


def disc(radius: float) -> Discs:
    return Discs((Disc((0.5, 0.5), radius),))


@cache
def problem(model: str, *names: str, radius: float = 0.4) -> RadiusProblem:
    cell = RoundCell(disc(radius), built)
    return radius_problem(cell, MATERIAL, POINTS, PERIOD, model, KNOWN, names or ("kappa",))


def direct(model: str, radius: float, kappas: np.ndarray, size: float = 0.1) -> np.ndarray:
    """Signals of a model of the cell with this very radius."""
    operators = levels(disc(radius), MeshOptions(size, 1), MATERIAL)[1]
    one = physical_problem(operators, MATERIAL, POINTS, PERIOD, model, KNOWN, ("kappa",))
    return one.signals(kappas[:, None])


# ---- interpolation ----


@pytest.mark.parametrize(
    ("model", "radius"),
    [("R0", 0.4), ("R2", 0.4), ("R2", 0.25), pytest.param("P2", 0.4, marks=pytest.mark.slow)],
)
def test_signals_between_the_nodes_are_those_of_a_cell_with_this_radius(model, radius):
    one = problem(model, radius=radius)
    kappas = np.array([1e-3, 0.03, 1.0])
    low, high = one.radii.bracket
    for share in (0.07, 0.58, 0.9):
        r = low + share * (high - low)
        rows = np.column_stack([kappas, np.full(3, r)])
        np.testing.assert_allclose(one.signals(rows), direct(model, r, kappas), rtol=0.0, atol=2e-6)
    assert one.interpolation(rows[1]) < 2e-6


def test_the_error_of_the_interpolation_falls_exponentially_with_the_nodes():
    # tau(r) = sqrt(r_t - r) is a polynomial of the variable, 1/(r + 0.1) is none.
    bracket, touching = (0.32, 0.45), 0.5
    errors = []
    for count in (3, 5, 7, 9):
        radii = Radii(bracket, touching, count)
        rows = np.linspace(*bracket, 11)
        weights = np.array([radii.weights(r)[0] for r in rows])
        np.testing.assert_allclose(
            weights @ np.sqrt(touching - radii.nodes), np.sqrt(touching - rows), rtol=1e-12
        )
        errors.append(np.abs(weights @ (1 / (radii.nodes + 0.1)) - 1 / (rows + 0.1)).max())
    assert np.all(np.array(errors[1:]) < 0.05 * np.array(errors[:-1]))


def test_the_derivative_by_the_radius_is_that_of_the_signals():
    one = problem("R2", "kappa", "D_e", "radius")
    x = np.array([0.05, 3.0, 0.41])
    _, jacobian = one.evaluate(x)
    for i, step in enumerate(1e-3 * x):
        change = np.zeros(3)
        change[i] = step
        near, far = (one.signals(np.array([x + s * change, x - s * change])) for s in (1.0, 2.0))
        difference = (8 * (near[0] - near[1]) - (far[0] - far[1])) / (12 * step)
        np.testing.assert_allclose(jacobian[:, i] * x[i], difference * x[i], rtol=0.0, atol=2e-6)


@pytest.mark.parametrize("radius", [0.05, 0.25, 0.4, 0.49, 0.49995])
def test_all_radii_that_are_considered_can_be_made(radius):
    cell = RoundCell(disc(radius), built)
    low, high = cell.bracket
    assert 0.0 < low < radius <= high <= 0.49995
    for r in (low, *Radii(cell.bracket, cell.touching).nodes, high):
        assert disc(float(r)).measures()[1] == pytest.approx(np.pi * r**2)


def test_cells_of_a_short_lattice_touch_sooner():
    lattice = ((1.0, 0.0), (0.3, 0.6))
    cell = RoundCell(Discs((Disc((0.5, 0.5), 0.3),), lattice=lattice), built)
    assert cell.touching == pytest.approx(np.hypot(0.3, 0.6) / 2)
    assert cell.bracket[1] < cell.touching


# ---- fits ----


@pytest.mark.parametrize("model", ["R0", "R2", pytest.param("P2", marks=pytest.mark.slow)])
def test_kappa_and_the_radius_of_a_model_are_recovered(model):
    # Signals of a cell of this very radius: neither the meshes nor the interpolation had a part.
    truth = np.array([0.05, 0.37])
    data = direct(model, truth[1], truth[:1], size=0.08)[0]
    found = fit(problem(model), data, np.array([0.07, 0.43]), tolerance=1e-9)
    np.testing.assert_allclose(found.estimate, truth, rtol=1e-4)
    assert found.residual < 2e-6
    known = identify(problem(model), found.estimate, found.jacobian)
    assert known.identifiable.all()


def test_the_radius_alone_is_recovered():
    one = problem("R2", "radius")
    assert one.names == ("radius",)
    assert one.units == ("1",)
    data = direct("R2", 0.42, np.array([KNOWN["kappa"]]), size=0.08)[0]
    found = fit(one, data, np.array([0.35]), tolerance=1e-9)
    np.testing.assert_allclose(found.estimate, 0.42, rtol=1e-5)


def test_a_radius_beyond_the_bracket_ends_on_its_bound():
    one = problem("R0")
    data = direct("R0", 0.28, np.array([0.05]))[0]
    found = fit(one, data, np.array([0.05, 0.4]), tolerance=1e-9)
    np.testing.assert_array_equal(at_bound(one, found.estimate), [False, True])


def test_order_0_does_not_know_the_diffusivity_of_closed_cells_of_any_radius():
    one = problem("R0", "kappa", "D_c", "radius")
    np.testing.assert_array_equal(one.hidden, [[0.0], [1.0], [0.0]])


@pytest.mark.slow
def test_a_study_of_the_radius_says_how_well_it_is_known():
    kappas = [0.02]
    data = direct("P5", 0.4, np.array(kappas))
    result = fit_physical(
        Lazy.of(lambda _: pytest.fail("the true cell plays no part"), 2), MATERIAL, POINTS,
        PERIOD, kappas, data, ["R0", "P3"], ["radius", "kappa"], Options(),
        RoundCell(disc(0.4), built),
    )  # fmt: skip
    assert result.parameters.names == ("kappa", "radius")
    np.testing.assert_allclose(result.truth, [[0.02, 0.4]])
    error = np.abs(result.estimate / result.truth - 1.0)
    assert np.all(error[1] < 0.02 * error[0])
    assert np.all(error[1, :, 1] < 1e-4)
    assert np.isnan(result.truncation[0]).all()
    assert np.all(result.truncation[1] < 1e-2)
    assert result.interpolation is not None
    assert np.all(result.interpolation < 2e-6)
    assert np.all(result.identifiable)


@pytest.mark.slow
def test_a_model_that_is_unstable_at_some_radii_has_no_result():
    # R2 of cells that nearly touch, and fast exchange.
    cell = RoundCell(disc(0.485), coarse)
    data = np.full((1, len(POINTS)), 0.3)
    result = fit_physical(
        lambda: pytest.fail("not needed"), MATERIAL, POINTS, PERIOD, [1.0], data,
        ["R2"], ["radius"], Options(), cell,
    )  # fmt: skip
    assert np.isnan(result.estimate).all()
    assert result.interpolation is not None
    assert np.isnan(result.interpolation).all()


@pytest.mark.parametrize(
    "shape",
    [
        Discs((Disc((0.25, 0.5), 0.2), Disc((0.75, 0.5), 0.2))),
        Discs(()),
        replace(disc(0.3), interior="obstacle"),
        replace(disc(0.3), layer=0.02),
        Layers((0.6, 0.4)),
    ],
    ids=["two", "none", "obstacle", "layer", "layers"],
)
def test_shapes_without_one_radius_are_refused(shape):
    with pytest.raises(InputError, match="one disc or one sphere"):
        RoundCell(shape, built)


@pytest.mark.slow
def test_the_radius_of_a_sphere_is_recovered():
    def sphere(radius: float) -> Spheres:
        return Spheres((Sphere((0.5, 0.5, 0.5), radius),))

    def operators(shape: Shape) -> BlochTorrey:
        return levels(shape, MeshOptions(0.25, 0), MATERIAL)[0]

    points = tuple(replace(m, direction=(1.0, 0.0, 0.0)) for m in POINTS)
    cell = RoundCell(sphere(0.35), operators)
    one = radius_problem(cell, MATERIAL, points, PERIOD, "R0", KNOWN, ("kappa", "radius"))
    exact = operators(sphere(0.38))
    data = physical_problem(exact, MATERIAL, points, PERIOD, "R0", KNOWN, ("kappa",))
    found = fit(one, data.signals(np.array([[0.05]]))[0], np.array([0.06, 0.34]), tolerance=1e-9)
    # The meshes are coarse: their error differs from one radius to the next.
    np.testing.assert_allclose(found.estimate, [0.05, 0.38], rtol=1e-2)
