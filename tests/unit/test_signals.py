"""Tables of models over a sweep: the same numbers as one point at a time."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.expansion import expand
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.material import Material
from torrey.projection import project
from torrey.rates import model_signal
from torrey.signals import ModelName, evaluate_models
from torrey.sweep import Sweep

MODELS = ("R2", "lumped-R0", "R0", "P3")
SWEEP = Sweep(
    periods=(2.0, 5.0),
    permeability_kind="sigma0",
    permeabilities=(10.0, 20.0),
    deltas=(3.0,),
    Deltas=(9.0, 12.0),
    encoding_kind="b",
    encodings=(0.0, 0.8),
    directions=((1.0, 0.0), (0.6, 0.8)),
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
        r2 = expand(cell[1](), point.direction, 2).model
        p3 = project(cell[1](), point.direction, 3)
        assert table.signal[(0, 1, *index)] == pytest.approx(model_signal(r2, *at), abs=1e-9)
        assert table.signal[(3, 1, *index)] == pytest.approx(model_signal(p3, *at), abs=1e-9)


def test_without_gradient_the_signal_is_one_and_nothing_grows(table) -> None:
    np.testing.assert_allclose(table.signal[..., 0, :], 1.0, atol=1e-9)
    assert np.all(table.growth[..., 0, :] <= 0.0)


def test_the_error_of_the_mesh_is_estimated_for_every_model(table) -> None:
    change = np.abs(table.signal[:, 1] - table.signal[:, 0])
    assert np.all(table.space_error() > 0)
    assert np.all(table.space_error() < change + 1e-9)


@pytest.mark.parametrize(
    ("name", "kind", "order"),
    [("R0", "R", 0), ("R12", "R", 12), ("P3", "P", 3), ("lumped-R2", "lumped-R", 2)],
)
def test_names_of_models(name: str, kind: str, order: int) -> None:
    assert ModelName.parse(name) == ModelName(kind, order)


@pytest.mark.parametrize("name", ["reference", "R", "Q2", "lumped-P1", "R2 "])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="accepted: R0"):
        ModelName.parse(name)
