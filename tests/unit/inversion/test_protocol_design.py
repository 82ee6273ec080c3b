"""Designs from derivatives of a study, beside all subsets of its measurements."""

from __future__ import annotations

import csv
import io
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from torrey.base import artifacts
from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.gradients.orientations import Fibres, Orientation
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.inversion import design
from torrey.inversion.design_files import remarks, save, to_csv
from torrey.inversion.design_settings import DesignSettings
from torrey.inversion.protocol_design import (
    BELOW_ITS_ERROR,
    MISSING,
    design_of,
    read_sensitivity,
)

GRID = WaveformGrid("pgse", (("delta", (4.0,)), ("Delta", (10.0, 16.0))))
SWEEP = Sweep(
    (8.0, 12.0), "sigma0", (5.0,), Product(GRID, "b", (0.5, 1.0, 2.0, 3.0), ((1.0, 0.0),))
)
KAPPA = (0.04, 0.06)
PARAMETERS = (("kappa", (), 0.0), ("D_inside", (1, 2), 1.7), ("L", (), 0.0))
SETTINGS = DesignSettings("reference", PARAMETERS, 0.02, 4, "A", ("kappa",))


def derivatives(is_complex: bool = False) -> dict[str, np.ndarray]:
    """Variables of a file of derivatives, of three regions."""
    generator = np.random.default_rng(5)
    shape = (2, *SWEEP.shape)
    data = {"model": np.array(["P2", "reference"])}
    for by, scale, more in (("kappa", 2.0, ()), ("D", 0.1, (3,)), ("L", 0.05, ())):
        data[f"dS_d{by}_real"] = scale * generator.normal(size=(*shape, *more))
        imaginary = scale * generator.normal(size=(*shape, *more))
        data[f"dS_d{by}_imag"] = imaginary if is_complex else np.zeros_like(imaginary)
        data[f"dS_d{by}_error"] = np.full((*shape, *more), 1e-6 * scale)
    return data


def scaled(data: dict[str, np.ndarray], cell: int, part: str = "real") -> np.ndarray:
    """Derivatives of the reference by the logarithms of the parameters, measurement by row."""
    kappa, D, L = (data[f"dS_d{by}_{part}"][1, cell].reshape(8, -1) for by in ("kappa", "D", "L"))
    inside = D[:, 1] + D[:, 2]
    return np.stack([KAPPA[cell] * kappa[:, 0], 1.7 * inside, SWEEP.periods[cell] * L[:, 0]], 1)


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize(("criterion", "of"), [("A", ("kappa",)), ("D", ("kappa", "L"))])
def test_the_choice_is_the_best_of_all_subsets(is_complex, criterion, of):
    data = derivatives(is_complex)
    settings = DesignSettings("reference", PARAMETERS, 0.02, 4, criterion, of)
    found = design_of(read_sensitivity(data, SWEEP, settings), SWEEP, settings)
    columns = [settings.names.index(name) for name in of]
    for cell in range(2):
        rows = scaled(data, cell)[:, None]
        if is_complex:
            rows = np.stack([rows[:, 0], scaled(data, cell, "imag")], axis=1)
        every = rows.reshape(-1, 3)
        whole, best, chosen = found.whole[cell], found.best[cell], found.chosen[cell]
        np.testing.assert_allclose(whole.information, every.T @ every / 0.02**2)
        expected = np.sqrt(np.diag(np.linalg.inv(whole.information)))
        np.testing.assert_allclose(whole.relative, expected)
        values = {
            subset: design.bound(rows[list(subset)].reshape(-1, 3), 0.02, criterion, columns)
            for subset in combinations(range(8), 4)
        }
        least = min(values.values())
        assert best.criterion == pytest.approx(values[tuple(sorted(chosen.tolist()))])
        assert best.criterion == pytest.approx(least, rel=1e-9)
        assert np.all(best.relative >= whole.relative)


def test_unknown_derivatives_are_no_candidates_and_are_said():
    data = derivatives()
    data["dS_dkappa_real"][1, 0, 0, 0, 0, 1] = np.nan
    data["dS_dL_error"][1, 0, 0, 0, 1, 2] = 10.0
    sensitivity = read_sensitivity(data, SWEEP, SETTINGS)
    assert sensitivity.status[0, 1].tolist() == [MISSING, 0, 0]
    assert sensitivity.status[0, 6].tolist() == [0, 0, BELOW_ITS_ERROR]
    found = design_of(sensitivity, SWEEP, SETTINGS)
    assert 1 not in found.chosen[0]
    rows = np.delete(scaled(data, 0), 1, axis=0)
    np.testing.assert_allclose(found.whole[0].relative, design.cramer_rao(rows, 0.02))
    said = remarks(found, SETTINGS)
    assert "1 of 16 derivatives by kappa are not known" in said[1]
    assert "1 of 16 derivatives by L are no larger than their errors" in said[0]
    assert any("bound of L by all" in line for line in said)
    assert found.whole[0].error[2] > found.whole[0].relative[2]
    assert found.whole[1].error[2] < 1e-3 * found.whole[1].relative[2]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"dS_dL_error": 1e3}, "by L of reference that are no larger than their errors"),
        ({"dS_dkappa_real": np.nan}, r"by kappa of reference that are not known \(period 8 um"),
    ],
)
def test_parameters_of_which_nothing_is_known_are_refused(spoil, message):
    data = derivatives()
    for name, value in spoil.items():
        data[name][...] = value
    with pytest.raises(InputError, match=message):
        design_of(read_sensitivity(data, SWEEP, SETTINGS), SWEEP, SETTINGS)


def test_too_few_known_measurements_are_refused_with_their_cell():
    data = derivatives()
    data["dS_dkappa_real"][1, 1, 0, 0, 0] = np.nan
    data["dS_dkappa_real"][1, 1, 0, 0, 1, 0] = np.nan
    with pytest.raises(InputError, match=r"n = 4 \(period 12 um, permeability 0.06") as caught:
        design_of(read_sensitivity(data, SWEEP, SETTINGS), SWEEP, SETTINGS)
    assert "at most 3" in str(caught.value)


def test_files_hold_bounds_and_choices(tmp_path: Path):
    data = derivatives()
    found = design_of(read_sensitivity(data, SWEEP, SETTINGS), SWEEP, SETTINGS)
    comma, file = str(tmp_path / "design.csv"), str(tmp_path / "design.nc")
    save(found, SWEEP, SETTINGS, comma, file, Provenance("bound_parameters"))
    table = artifacts.open_dataset(file)
    assert table.chosen.dims == ("period", "sigma0", "choice")
    np.testing.assert_allclose(table.value_kappa.values[:, 0], KAPPA)
    kappa = table.sel(parameter="kappa")
    np.testing.assert_allclose(table.bound_kappa, kappa.bound_relative * table.value_kappa)
    np.testing.assert_allclose(
        table.chosen_bound_L, table.chosen_bound_relative.sel(parameter="L") * table.value_L
    )
    assert table.bound_D_inside.attrs["units"] == "um2 ms-1"
    assert table.counts.values.tolist() == [1, 0, 0]
    assert (table.times_chosen.sum("candidate") == 4).all()
    rows = list(csv.DictReader(io.StringIO(Path(comma).read_text(encoding="utf-8"))))
    assert [int(row["candidate"]) for row in rows] == table.chosen.values.ravel().tolist()
    for row in rows:
        number = int(row["candidate"])
        assert row["measurement"] == table.candidate_words.values[number]
        assert float(row["b (s/mm^2)"]) == pytest.approx(1e3 * table.candidate_b.values[number])
        assert float(row["Delta (ms)"]) == (10.0, 16.0)[number // 4]
    assert rows[0]["sigma0 (um/ms)"] == "5.0"
    words = "pgse, delta = 4 ms, Delta = 16 ms, b = 3000 s/mm^2, along (1, 0)"
    assert table.candidate_words.values[-1] == words


def test_without_a_choice_all_measurements_are_listed_with_their_orientation():
    fibres = Fibres((Orientation((0.0, 0.0, 1.0)), Orientation((1.0, 0.0, 0.0))))
    protocol = Product(GRID, "b", (0.0, 1.0), ((0.6, 0.8, 0.0),), fibres=fibres)
    sweep = Sweep((8.0,), "permeability", (0.05,), protocol)
    generator = np.random.default_rng(1)
    data = {"model": np.array(["reference"])}
    for part, size in (("real", 1.0), ("imag", 0.0), ("error", 1e-6)):
        values = np.abs(generator.normal(size=(1, *sweep.shape)))
        data[f"dS_dkappa_{part}"] = size * (values if part == "real" else np.ones_like(values))
    settings = DesignSettings("reference", (("kappa", (), 0.0),), 0.02)
    found = design_of(read_sensitivity(data, sweep, settings), sweep, settings)
    assert not found.chosen
    rows = list(csv.DictReader(io.StringIO(to_csv(found, sweep))))
    assert [row["orientation"] for row in rows] == ["0,0,1"] * 4 + ["1,0,0"] * 4
    # In the frame of the scanner, whatever the cell sees.
    assert {row["direction x"] for row in rows} == {"0.6"}
    assert rows[4]["measurement"].endswith("b = 0 s/mm^2, fibre along 1,0,0")
