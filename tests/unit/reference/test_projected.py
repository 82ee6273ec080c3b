"""Projected references: signals within their error estimates, and the full system where needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.gradients.protocol import Measurement, Point
from torrey.gradients.slabs import slabs_of
from torrey.gradients.sweep import Acquisition, Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import CosineOgse, DoublePgse, Pgse
from torrey.models.integration import Points, projected_signal
from torrey.models.projection import ProjectedModel
from torrey.reference.full import reference_signal
from torrey.reference.ladder import climb
from torrey.reference.ladder_files import lazy_ladders, write_ladders
from torrey.reference.methods import method_variable, read_methods
from torrey.reference.outcome import ProjectedSignals, solved
from torrey.reference.projected import projected_signals
from torrey.reference.slab import solve_slab
from torrey.reference.slab_files import table_variables
from torrey.study.comparison import DisagreementError, compare_with_full
from torrey.study.files import gather_signals

DIRECTION = (0.0, 1.0)
WAVEFORM = Pgse(5.0, 15.0)
TOLERANCE = 1e-4

Levels = list[BlochTorrey]


@pytest.fixture(scope="module")
def cell() -> Levels:
    shape = Discs((Disc((0.5, 0.5), 0.3),))
    return levels(shape, MeshOptions(0.2, 2), Material((3.0, 1.7)))


@pytest.fixture(scope="module")
def ladders(cell: Levels) -> list[ProjectedModel]:
    built = [climb(operators, DIRECTION, 7) for operators in cell]
    return built


def test_signals_are_those_of_the_full_system_within_their_errors(cell, ladders):
    q = np.array([WAVEFORM.q_of_b(b) for b in (0.0, 0.3, 1.0, 2.5)])
    period, kappa = 6.0, 0.05
    found = projected_signals(ladders, WAVEFORM, Points.of(q, period, kappa / period), TOLERANCE)
    assert found.reached.all()
    assert np.all(found.error <= TOLERANCE * np.abs(found.signal))
    for i in range(len(q)):
        full = reference_signal(cell, Point(period, kappa, WAVEFORM, q[i], DIRECTION), TOLERANCE)
        assert abs(found.signal[i] - full.signal) <= found.error[i] + full.error
        assert abs(found.coarse_signal[i] - full.coarse_signal) <= (
            found.basis_error[i] + found.time_error[i] + full.coarse_time_error + 1e-15
        )
    assert found.signal[0] == pytest.approx(1.0, abs=1e-12)


def test_a_basis_that_fills_the_coarsest_mesh_does_not_tell_its_error():
    """On 28 unknowns nine rungs are the whole space, and on finer meshes they are not."""
    meshes = levels(Layers((0.55, 0.45)), MeshOptions(0.1, 2), Material((2.0, 1.2)))
    built = [climb(operators, (1.0,), 13 if i == 0 else 11) for i, operators in enumerate(meshes)]
    waveform, period, kappa = Pgse(10.0, 40.0), 60.0, 0.03
    q = np.array([waveform.q_of_b(b) for b in (3.5, 4.0)])
    found = projected_signals(built, waveform, Points.of(q, period, kappa / period), 1e-3)
    for i in np.flatnonzero(found.reached):
        full = reference_signal(meshes, Point(period, kappa, waveform, q[i], (1.0,)), 1e-3)
        assert abs(found.signal[i] - full.signal) <= found.error[i] + full.error


def test_a_smaller_tolerance_takes_a_higher_rung(ladders):
    points = Points.of(WAVEFORM.q_of_b(2.0), 4.0, 0.01)
    same_mesh = [ladders[1], ladders[1]]  # no error in space
    rough, fine = (projected_signals(same_mesh, WAVEFORM, points, t) for t in (1e-2, 1e-6))
    assert rough.reached.all()
    assert fine.reached.all()
    assert fine.rung[0] > rough.rung[0]
    assert fine.steps[0] > rough.steps[0]


def test_a_gradient_beyond_the_ladder_is_not_reached(ladders):
    found = projected_signals(ladders, WAVEFORM, Points.of([0.2, 3.0], 10.0, 0.01), TOLERANCE)
    assert list(found.reached) == [True, False]


def test_finer_meshes_are_not_asked_for_the_highest_rungs(ladders):
    points = Points.of([WAVEFORM.q_of_b(b) for b in (0.3, 1.0, 2.5)], 6.0, 0.01)
    low = [ladders[0], *(ladder.truncate(5) for ladder in ladders[1:])]
    whole, less = (projected_signals(x, WAVEFORM, points, TOLERANCE) for x in (ladders, low))
    np.testing.assert_array_equal(less.signal, whole.signal)


def test_what_a_mesh_changes_is_close_on_a_lower_rung_and_with_fewer_steps(ladders):
    points = Points.of([WAVEFORM.q_of_b(b) for b in (0.3, 1.0, 2.5)], 6.0, 0.01)
    found = projected_signals(ladders, WAVEFORM, points, TOLERANCE)
    assert found.reached.all()
    for i in range(len(points)):
        model = ladders[found.level[i]].truncate(found.rung[i])
        all_of_it = projected_signal(model, WAVEFORM, points[np.array([i])], int(found.steps[i]))
        change = abs(found.signal[i] - found.coarse_signal[i])
        assert abs(found.signal[i] - all_of_it[0]) <= 0.05 * change


def test_an_error_in_space_alone_stops_the_climb(ladders):
    asked = []

    class Asked(list):
        def __getitem__(self, level):
            asked.append(level)
            return super().__getitem__(level)

    points = Points.of(WAVEFORM.q_of_b(1.0), 4.0, 0.01)
    found = projected_signals(Asked(ladders[:2]), WAVEFORM, points, 1e-6)
    assert not found.reached[0]
    assert found.space_error[0] > 1e-6 * abs(found.signal[0])
    # Whether it reaches, and the refinement on two rungs, once: none was tried after the one that
    # was good enough.
    assert asked.count(1) == 3


def one_sweep(b: tuple[float, ...], period: float = 6.0) -> Sweep:
    grid = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", (15.0, 25.0))))
    return Sweep((period,), "permeability", (0.0, 0.05), Product(grid, "b", b, (DIRECTION,)))


def test_points_that_no_rung_reaches_are_solved_in_full(cell, ladders):
    sweep = one_sweep((0.5, 6.0), period=14.0)
    low = [ladder.truncate(5) for ladder in ladders]
    table = solve_slab(sweep, 1e-3, low, cell)
    assert table.signals.reached.all()
    assert set(table.signals.method) == {"projected", "full"}
    np.testing.assert_array_equal(table.signals.rung > 0, table.signals.method == "projected")
    for row, point in enumerate(sweep.points().values()):
        if table.signals.method[row] == "full":
            full = reference_signal(cell, point, 1e-3)
            assert table.signals.signal[row] == full.signal
            assert table.signals.error[row] == full.error


def test_waveforms_and_directions_of_an_acquisition(cell):
    rows = tuple(
        Measurement(waveform, waveform.q_of_b(b), direction)
        for waveform, b, direction in [
            (WAVEFORM, 0.5, (1.0, 0.0)),
            (CosineOgse(10.0, 12.0, 1.0), 0.3, (0.0, 1.0)),
            (DoublePgse(3.0, 10.0, 2.0, 90.0), 1.0, (0.6, 0.8)),
            (WAVEFORM, 0.0, (1.0, 0.0)),
        ]
    )
    sweep = Sweep((5.0,), "permeability", (0.03,), Acquisition("b", rows))
    built = [climb(operators, np.eye(2), 6) for operators in cell[:2]]
    table = solve_slab(sweep, 1e-3, built, cell)
    for row, point in enumerate(sweep.points().values()):
        full = reference_signal(cell, point, 1e-3)
        assert table.signals.method[row] == "projected"
        assert abs(table.signals.signal[row] - full.signal) <= table.signals.error[row] + full.error


def test_merging_makes_a_new_table():
    before = ProjectedSignals.unsolved(4)
    rows = np.array([2, 0])
    column = np.array([0.5, 0.25])
    part = solved(
        "full",
        signal=column + 0j,
        space_error=0.1 * column,
        time_error=0.2 * column,
        level=np.array([1, 2]),
        steps=np.array([6, 12]),
        coarse_signal=column + 0j,
        coarse_error=0.3 * column,
    )
    after = before.merge(rows, part)
    assert not before.reached.any()
    assert np.isnan(before.signal).all()
    np.testing.assert_array_equal(after.reached, [True, False, True, False])
    np.testing.assert_array_equal(after.method, ["full", "", "full", ""])
    np.testing.assert_array_equal(after.signal[rows], column)
    np.testing.assert_allclose(after.error[rows], 0.3 * column)
    assert np.isinf(after.error[[1, 3]]).all()


# ---- files ----


def test_methods_come_back_from_their_file(tmp_path: Path):
    names = np.array([["full", "projected"], ["folded", "full"]])
    path = tmp_path / "methods.nc"
    artifacts.write(path, {"method": method_variable(("a", "b"), names)}, PROVENANCE)
    np.testing.assert_array_equal(read_methods(artifacts.read(path)["method"]), names)
    table = artifacts.open_dataset(path)
    meanings = table.method.attrs["flag_meanings"].split()
    folded = table.method.attrs["flag_values"][meanings.index("folded")]
    np.testing.assert_array_equal(table.method.values == folded, names == "folded")
    with pytest.raises(ValueError, match="found the methods"):
        method_variable(("a",), np.array(["full", ""]))


PROVENANCE = Provenance("test")


def test_ladders_come_back_from_their_file(tmp_path: Path, ladders):
    path = tmp_path / "basis.nc"
    write_ladders(path, ladders, PROVENANCE)
    for read, made in zip(lazy_ladders(path), ladders, strict=True):
        assert read.ranks == made.ranks
        for name in ("K", "C", "N", "J", "R", "start", "readout", "frame"):
            np.testing.assert_array_equal(getattr(read, name), getattr(made, name))


@pytest.mark.parametrize("tolerance", [5e-5, 1e-3])
def test_what_a_lower_rung_misses_of_a_refinement_is_part_of_the_error(tolerance):
    # Wide layers, where the rung that asks the finer mesh is another one on each mesh.
    outside = ((2.0, 0.4, 0.5), (0.4, 1.5, -0.3), (0.5, -0.3, 1.0))
    inside = ((1.2, 0.0, -0.6), (0.0, 0.8, 0.2), (-0.6, 0.2, 1.4))
    material = Material((outside, inside), in_space=True)
    cells = levels(Layers((0.55, 0.45)), MeshOptions(0.02, 2), material)
    waveform, along = Pgse(3.0, 60.0), (1.0, 0.0, 0.0)
    q, sigma = waveform.q_of_b(4.0), 0.03 / 60.0
    steps = [climb(operators, along, 14) for operators in cells]
    found = projected_signals(steps, waveform, Points.of(np.array([q]), 60.0, sigma), tolerance)
    full = reference_signal(cells, Point(60.0, 0.03, waveform, q, along), 1e-5)
    assert found.reached.all()
    assert abs(found.signal[0] - full.signal) <= found.error[0] + full.error


def test_tables_are_gathered_and_compared(tmp_path: Path, cell, ladders):
    sweep = one_sweep((0.5, 1.0))
    table = solve_slab(sweep, TOLERANCE, ladders, cell)
    files = []
    for slab in slabs_of(sweep):
        files.append(tmp_path / f"{slab.name}.nc")
        part = table_variables(solve_slab(slab.sweep, TOLERANCE, ladders, cell))
        artifacts.write(files[-1], part, PROVENANCE)
    group = gather_signals(sweep, ["reference"], [], files)
    assert group["signal_real"].values.shape == (1, *sweep.shape)
    # A slab is solved as if it were alone, but for the rounding of products of matrices. Errors
    # are differences of signals times up to 6 / (1 - 0.8): what rounds in them is that much more.
    np.testing.assert_allclose(
        group["signal_real"].values.ravel(), table.signals.signal.real, rtol=1e-12
    )
    np.testing.assert_allclose(
        group["numerical_error"].values.ravel(), table.signals.error, rtol=0.0, atol=2 * 30 * 1e-12
    )
    assert np.all(group["reference_rung"].values > 0)
    method = group["reference_method"]
    assert method.attributes["flag_meanings"] == "projected folded full"
    np.testing.assert_array_equal(read_methods(method.values), "projected")

    row, point = 1, list(sweep.points().values())[1]
    full = reference_signal(cell, point, TOLERANCE)
    for shift, fine in ((0.0, True), (1e-3, False)):
        reference = tmp_path / f"reference{shift}.nc"
        scalars = {
            "signal_real": full.signal.real + shift,
            "signal_imag": 0.0,
            "space_error": full.space_error,
            "time_error": full.time_error,
        }
        variables = {name: Variable((), float(x), "1", name) for name, x in scalars.items()}
        artifacts.write(reference, variables, PROVENANCE)
        if fine:
            checked = compare_with_full([(files[0], row, reference)])
            assert checked["difference"].values[0] <= checked["estimate"].values[0]
        else:
            with pytest.raises(DisagreementError, match="differ by 1"):
                compare_with_full([(files[0], row, reference)])
