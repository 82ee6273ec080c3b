"""Tables 5.1 to 5.5 show what an inversion found beside what the paper prints."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.tables import chl14
from torrey.tables.chl14_published import ORDER, PUBLISHED
from torrey.tables.writing import Column, Table, TableFiles

PROVENANCE = Provenance("test", {}, "", {})
TRUTH = np.array([0.63, 0.2, 0.75, 0.9, 0.0, 0.0, 0.9])


@pytest.fixture
def fit(tmp_path):
    return write_fit(tmp_path / "fit.nc", [1, 1, 1, 1, 0, 0, 1])


def write_fit(path, identifiable):
    """A file of one reference fit that is off, and one of R0 that is not, from three starts."""
    estimate = np.stack([TRUTH + np.array([[0.01], [0.02], [0.03]]), np.tile(TRUTH, (3, 1))])
    each = ("data", "start", "parameter")
    guess = estimate[0] + 0.1
    guess[0, 4], guess[1, 4] = -8e-9, 8e-3
    error = np.where(np.arange(7) % 4 == 0, np.inf, 1e-3) * np.ones((2, 3, 1))
    missing = {"allow_missing": True}
    units = np.array(["ms-1", "ms-1", "1", *["um2 ms-1"] * 4])
    variables = {
        "data": Variable(("data",), np.array(["reference", "R0"]), "", "signals"),
        "parameter": Variable(("parameter",), np.array(ORDER), "", "parameter"),
        "parameter_unit": Variable(("parameter",), units, "", "unit"),
        "truth": Variable(("parameter",), TRUTH, "", "truth"),
        "initial_guess": Variable(("start", "parameter"), guess, "", "start"),
        "estimate": Variable(each, estimate, "", "estimate"),
        "standard_error": Variable(each, error, "", "standard error", missing),
        "starts": Variable(("fit",), np.array([2, 3]), "1", "starts"),
        "best_start": Variable(("data", "fit"), np.array([[1, 2], [0, 0]]), "1", "best"),
        "identifiable": Variable(
            ("data", "parameter"), np.tile(identifiable, (2, 1)), "1", "identifiable"
        ),
        "measurements": Variable(("data",), np.array([208, 208]), "1", "signals"),
        "model_error_rms": Variable(("data",), np.array([0.03, 1e-12]), "1", "misfit"),
        "model_error_max": Variable(("data",), np.array([0.04, 1e-11]), "1", "misfit"),
        "numerical_error_rms": Variable(("data",), np.array([1e-6, 1e-7]), "1", "error"),
    }
    artifacts.write(path, variables, PROVENANCE)
    return TableFiles({"fit": {"mine": str(path)}})


def column(table: Table, name: str) -> Column:
    (found,) = [c for c in table.columns if c.name == name]
    return found


def test_single_starts_stand_one_by_one(fit):
    table = chl14.table5_1(fit)
    assert (
        list(column(table, "fit").values) == [f"number {k}" for k in (1, 2, 3) for _ in ORDER] * 2
    )
    estimates = np.array(column(table, "estimate").values).reshape(2, 3, 7)
    np.testing.assert_allclose(estimates[0, 1], TRUTH + 0.02)
    np.testing.assert_allclose(estimates[1], np.tile(TRUTH, (3, 1)))


def test_off_diagonals_that_are_rounding_are_printed_as_zero(fit):
    start = column(chl14.table5_1(fit), "initial")
    # Beside D_e of 0.9 um^2/ms, not beside themselves.
    assert (start.shown()[4], start.plain()[4]) == ("0", "0.0")
    assert start.shown()[11] == "0.008"
    assert start.values[4] == -8e-9


def test_the_best_of_several_is_shown(fit):
    table = chl14.table5_2(fit)
    estimates = np.array(column(table, "estimate").values).reshape(2, 2, 7)
    np.testing.assert_allclose(estimates[0], [TRUTH + 0.02, TRUTH + 0.03])
    assert list(column(table, "fit").values)[::7] == ["best of 2", "best of 3"] * 2


def test_the_papers_numbers_are_in_the_units_of_the_table(fit):
    table = chl14.table5_1(fit)
    inversion = np.array(column(table, "paper_inversion").values).reshape(2, 3, 7)
    np.testing.assert_allclose(inversion[0, 0, :4], [0.83, 0.24, 0.88, 1.1])
    np.testing.assert_allclose(inversion[1, 1, :4], [0.89, 0.22, 0.90, 1.1])
    assert np.all(np.isnan(inversion[:, 2]))  # the paper has two starts


def test_the_notes_name_the_cause_of_the_bias(fit):
    notes = " ".join(chl14.table5_1(fit).notes)
    assert "reference (non-homogenised): 208 signals" in notes
    assert "the error of the model, not that of the signals" in notes
    assert "R0 (homogenised)" in notes
    assert "recovers the truth" in notes
    assert "do not enter signals along the two axes" in notes


def test_what_cannot_be_identified_is_said(fit):
    table = chl14.table5_1(fit)
    flags = np.array(column(table, "identifiable").values).reshape(-1, 7)
    assert flags[0].tolist() == ["yes"] * 4 + ["no"] * 2 + ["yes"]
    assert column(table, "standard_error").shown()[4] == "inf"


def test_a_third_direction_is_said_to_find_all_of_D_e(tmp_path, fit):
    table = chl14.table5_3directions(write_fit(tmp_path / "all.nc", [1] * 7))
    assert table.title.endswith("with a direction between the axes")
    assert "the fit finds it" in table.notes[0]
    assert set(column(table, "identifiable").values) == {"yes"}
    assert "the fit finds it" not in chl14.table5_5(fit).notes[0]


def test_every_table_of_the_paper_has_its_numbers():
    assert sorted(PUBLISHED) == ["5.1", "5.2", "5.3", "5.4", "5.5"]
    for rows in PUBLISHED.values():
        for row in rows:
            assert len(row.homogenised) == len(row.inversion) == len(row.initial) == len(ORDER)
            # D_e is nearly isotropic in all of them, and of the order of 1e-3 mm^2/s.
            assert all(4e-4 < row.inversion[i] < 4e-3 for i in (3, 6))
