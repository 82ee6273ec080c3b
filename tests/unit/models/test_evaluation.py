"""Tables of models over a sweep: the same numbers as one point at a time."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.gradients.protocol import Measurement
from torrey.gradients.sweep import Acquisition, Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import DoublePgse, Pgse, SineOgse
from torrey.models.evaluation import build_systems, evaluate_models
from torrey.models.expansion import expand
from torrey.models.files import eigenvalue_table
from torrey.models.projection import project

MODELS = ("R2", "lumped-R0", "R0", "P3")
SWEEP = Sweep(
    periods=(2.0, 5.0),
    permeability_kind="sigma0",
    permeabilities=(10.0, 20.0),
    protocol=Product(
        WaveformGrid("pgse", (("delta", (3.0,)), ("Delta", (9.0, 12.0)))),
        encoding_kind="b",
        encodings=(0.0, 0.8),
        directions=((1.0, 0.0), (0.6, 0.8)),
    ),
)


@pytest.fixture(scope="module")
def cell():
    shape = Discs((Disc((0.3, 0.4), 0.2), Disc((0.7, 0.8), 0.1)))
    return levels(shape, MeshOptions(0.25, 1), Material((3.0, 1.7, 1.1)))


@pytest.fixture(scope="module")
def table(cell):
    return evaluate_models(cell, SWEEP, MODELS)


def test_every_entry_is_that_of_its_point(cell, table) -> None:
    points = SWEEP.points()
    assert table.signal.shape == (4, 2, *SWEEP.shape)
    for index in ((0, 0, 0, 0, 1, 0), (1, 1, 0, 1, 1, 1)):
        point = points[index]
        at = (point.waveform, point.q, point.period, point.sigma)
        r2 = expand(cell[1], point.direction, 2).model
        p3 = project(cell[1], point.direction, 3)
        assert table.signal[(0, 1, *index)] == pytest.approx(r2.signal(*at), abs=1e-9)
        assert table.signal[(3, 1, *index)] == pytest.approx(p3.signal(*at), abs=1e-9)


ROWS = (
    Measurement(Pgse(3.0, 9.0), 0.4, (1.0, 0.0)),
    Measurement(DoublePgse(2.0, 6.0, 1.0, 60.0), 0.5, (0.6, 0.8)),
    Measurement(SineOgse(4.0, 6.0, 2.0), 0.6, (0.6, 0.8)),
    Measurement(Pgse(3.0, 9.0), 0.2, (0.6, 0.8)),
    Measurement(DoublePgse(2.0, 6.0, 1.0, 60.0), 0.3, (0.6, 0.8)),
    Measurement(Pgse(3.0, 9.0), 0.0, (1.0, 0.0)),
)
ACQUIRED = Sweep((2.0, 5.0), "permeability", (0.05, 0.1), Acquisition("b", ROWS))


def test_rows_of_an_acquisition_keep_their_order(cell) -> None:
    table = evaluate_models([cell[0]], ACQUIRED, ("R2", "P2"))
    assert table.signal.shape == (2, 1, 2, 2, len(ROWS))
    periods, kappas = np.array([[2.0], [5.0]]), np.array([0.05, 0.1])
    for row, m in enumerate(ROWS):
        r2 = expand(cell[0], m.frame, 2).model
        p2 = project(cell[0], m.frame, 2)
        at = (m.waveform, m.q, periods, kappas / periods)
        found = table.signal[:, 0, :, :, row]
        np.testing.assert_allclose(found[0], r2.signal(*at), atol=1e-9)
        np.testing.assert_allclose(found[1], p2.signal(*at), atol=1e-9)
        found = r2.stability(*at)
        np.testing.assert_allclose(table.growth[0, :, :, row], found.growth, atol=1e-12)
        np.testing.assert_allclose(table.amplification[0, :, :, row], found.amplification)


@pytest.mark.parametrize("sweep", [SWEEP, ACQUIRED], ids=["product", "acquisition"])
def test_eigenvalues_follow_each_waveform(cell, sweep) -> None:
    table = eigenvalue_table(cell[0], sweep, ("R2",), instants=7)
    eigenvalues = np.asarray(table["eigenvalue_real"].values)
    time = np.asarray(table["time"].values)
    assert table["eigenvalue_real"].dims == ("model", *sweep.axes(), "instant", "eigenvalue")
    by_measurement = "measurement" in sweep.axes()
    assert table["time"].dims[:-1] == (("measurement",) if by_measurement else ("delta", "Delta"))
    for index, point in sweep.points().items():
        model = expand(cell[0], point.frame, 2).model
        instants = time[index[2:]] if by_measurement else time[index[2:4]]
        assert instants == pytest.approx(point.waveform.echo_time * (np.arange(7) + 0.5) / 7)
        jets = point.q * point.waveform.sample(instants, model.n_derivatives)
        expected = np.linalg.eigvals(model.matrix(jets, point.period, point.sigma)).real
        np.testing.assert_allclose(eigenvalues[(0, *index)], np.sort(expected), atol=1e-12)


def test_without_gradient_the_signal_is_one_and_nothing_grows(table) -> None:
    np.testing.assert_allclose(table.signal[..., 0, :], 1.0, atol=1e-9)
    assert np.all(table.growth[..., 0, :] <= 0.0)
    assert np.all(table.amplification[..., 0, :] == 1.0)


def test_the_error_of_the_mesh_is_estimated_for_every_model(table) -> None:
    change = np.abs(table.signal[:, 1] - table.signal[:, 0])
    assert np.all(table.space_error() > 0)
    assert np.all(table.space_error() < change + 1e-9)


def test_a_model_alone_is_what_it_is_among_others(cell, table) -> None:
    for i, model in enumerate(MODELS):
        alone = evaluate_models(cell, SWEEP, (model,))
        np.testing.assert_allclose(alone.signal[0], table.signal[i], rtol=0.0, atol=1e-12)
        np.testing.assert_allclose(alone.growth[0], table.growth[i], rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("name", ["reference", "R21", "Q2", "lumped-R1"])
def test_other_names_are_refused(cell, name: str) -> None:
    with pytest.raises(InputError, match=f"found .*{name}.*, accepted: .*R2"):
        evaluate_models(cell, SWEEP, ("R0", name))


def test_a_model_without_rate_matrices_is_no_system(cell) -> None:
    with pytest.raises(InputError, match="found Pade, accepted: a model with rate matrices"):
        build_systems(cell[0], (1.0, 0.0), ("R0", "Pade"))
