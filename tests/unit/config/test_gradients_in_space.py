"""A study decides whether its gradients are within the cell or in space."""

from __future__ import annotations

import numpy as np
import pytest
from support.configurations import B_VALUES, edited
from support.gradient_files import FSL, ONE_PGSE, double, with_gradients, write_files

from torrey.cell.material import Material
from torrey.gradients.sweep import Sweep

AXIS = "directions: [[0, 0, 2]]"
CUBE = (
    '[["2 um^2/ms", "0 um^2/ms", "0.5 um^2/ms"], ["0 um^2/ms", "2 um^2/ms", "0 um^2/ms"], '
    '["0.5 um^2/ms", "0 um^2/ms", "1 um^2/ms"]]'
)
SQUARE = '[["2 um^2/ms", "0 um^2/ms"], ["0 um^2/ms", "2 um^2/ms"]]'


@pytest.fixture
def study(tmp_path, read):
    """Reads the study `mine` with other lines, beside files that they may name."""
    write_files(tmp_path)
    return lambda *lines, geometry="tissue": read(
        with_gradients(*lines).replace("geometry: tissue", f"geometry: {geometry}")
    ).studies["mine"]


def directions(study) -> list[tuple[float, ...]]:
    return [m.direction for m in study.sweep.protocol.measurements]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("[[1, 0], [0, 1]]", [(1, 0), (0, 1)]),
        ("[[3, 0, 0], [0, 1]]", [(1, 0), (0, 1)]),
        ("[[0, 0, 2]]", [(0, 0, 1)]),
        ("[[1, 0], [3, 0, 4]]", [(1, 0, 0), (0.6, 0, 0.8)]),
    ],
)
def test_vectors_have_as_many_numbers_as_gradients_have_axes(study, given, kept):
    found = study(ONE_PGSE, "b: 1 ms/um^2", f"directions: {given}")
    assert directions(found) == kept
    assert found.material.in_space is (len(kept[0]) == 3)
    assert found.material.key().endswith("_axes3") is found.material.in_space
    assert Sweep.from_json(found.sweep.to_json()) == found.sweep
    assert Material.from_dict(found.material.to_dict()) == found.material


def test_vectors_that_are_the_same_in_the_cell_are_refused(tmp_path, messages):
    write_files(tmp_path)
    (said,) = messages(with_gradients(ONE_PGSE, B_VALUES, "directions: [[1, 0], [1, 0, 0]]"))
    assert "studies.mine.directions[1]: found [1, 0], the same as entry 0" in said


def test_waveforms_of_more_components_than_the_cell_has_dimensions_are_in_space(study):
    found = study(double(angle="90 deg"), "b: 1 ms/um^2", "directions: [1]", geometry="layers")
    assert directions(found) == [(1, 0, 0)]
    assert found.material.in_space
    found = study(double(angle="90 deg"), "b: 1 ms/um^2", "directions: [[1, 0]]")
    assert directions(found) == [(1, 0)]


def test_tables_of_measurements_run_on_cylinders_and_slabs(study):
    tilted = FSL.replace("dwi.bvec", "tilted.bvec")
    found = study(ONE_PGSE, tilted)
    assert directions(found) == [(1, 0, 0), (1, 0, 0), (0, 1, 0), (0.6, 0, -0.8)]
    assert found.material.in_space
    scheme = study("acquisition: {scheme: tilted.scheme}", geometry="layers")
    assert directions(scheme)[1] == (0, 0.6, 0.8)


def test_a_table_within_the_cell_stays_there_but_for_the_last_digit(study, tmp_path):
    (tmp_path / "near.bvec").write_text("0 1 0 0.6\n0 0 1 0.8\n0 0 0 0.0004\n")
    found = study(ONE_PGSE, FSL.replace("dwi.bvec", "near.bvec"))
    np.testing.assert_allclose(directions(found)[-1], (0.6, 0.8), rtol=1e-6)
    assert not found.material.in_space


def test_a_matrix_of_three_rows_makes_a_study_one_in_space(read):
    found = read(edited("outside: 2.5e-3 mm^2/s", f"outside: {CUBE}")).studies["mine"]
    assert found.material.in_space
    assert directions(found)[0] == (1, 0, 0)
    np.testing.assert_allclose(found.material.tensors(2)[0][0], [2, 0, 0.5])
    np.testing.assert_allclose(found.material.tensors(2)[1], 1.2 * np.eye(3))


def test_a_matrix_of_two_rows_does_not_say_what_gradients_in_space_see(messages):
    text = edited("inside: 1.2e-3 mm^2/s", f"inside: {SQUARE}").replace(
        "directions: [[1, 0]]", AXIS
    )
    (said,) = messages(text)
    assert "studies.mine.diffusivity.inside: found a matrix of 2 rows, accepted: 3 rows" in said
    assert "along the axis out of the cell" in said


def test_runs_that_need_the_plane_say_so(messages):
    run = (
        "bloch:\n  bands: {kind: bands, geometry: tissue, diffusivity: 1 um^2/ms, period: 1 um, "
        "directions: [[1, 0, 1]], pulses: 4, resolution: 0.3}\n"
    )
    (said,) = messages(edited("figures:\n", run + "figures:\n"))
    assert "bloch.bands.directions[0]: found [1, 0, 1], accepted: 2 whole numbers" in said
    assert "gradients within the cell" in said


def test_karger_fits_take_gradients_across_the_cells(messages):
    fit = "inversions:\n  fit: {kind: karger, studies: [mine], data: [R0]}\n"
    text = edited("figures:\n", fit + "figures:\n").replace("directions: [[1, 0]]", AXIS)
    text = text.replace("[6 um, 12 um]", "6 um")
    said = messages(text)
    assert any("with gradients out of the plane of the cell" in one for one in said)
