"""Figures 4 to 6 and 8 to 10 of MMG20, and the error of narrow pulses, from small tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray
from support.figure_checks import overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.bloch.runs import compute
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import FigureFiles, draw
from torrey.figures.mmg20_spectrum import branch_curve, phases
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.geometry.files import write_meshes
from torrey.geometry.meshing import build_meshes

MADE = Provenance("test")
SHAPE = Discs((Disc((0.5, 0.5), 0.4),), "obstacle")
OPTIONS = MeshOptions(0.2, 1)
BOTH = [[1, 0], [1, 1]]
RUNS = {
    "maps": {"directions": BOTH, "gradient_lengths": [0.35], "ratio": 1.2, "pulses": 24},
    "strengths": {
        "directions": BOTH, "pulse_lengths": [0.2, 0.3], "pulses": 24,
        "strengths": [1.0, 4.0, 8.0, 12.0, 15.0, 16.0],
    },
    "schemes": {
        "direction": [1, 0], "gradient_length": 1 / np.pi, "ratio": 2, "modes": [30],
        "pulses": [6, 12, 24, 48], "resolution": 0.08,
    },
    "spectrum": {"direction": [1, 0], "strengths": [30.0, 40.0, 60.0, 80.0], "count": 3},
    "modes": {"direction": [1, 0], "gradient_lengths": [0.3], "count": 3},
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> FigureFiles:
    place = tmp_path_factory.mktemp("bloch")
    meshes, operators = build_meshes(SHAPE, OPTIONS), levels(SHAPE, OPTIONS, Material((1.0,)))
    found = {}
    for kind, settings in RUNS.items():
        recipe = {
            "kind": kind,
            "period": 1.0,
            "permeability": 0.0,
            "settings": json.dumps(settings),
        }
        found[kind] = {"run": str(place / f"{kind}.nc")}
        artifacts.write(found[kind]["run"], compute(recipe, operators, meshes).variables, MADE)
    write_meshes(str(place / "mesh.nc"), SHAPE, meshes, MADE)
    return FigureFiles({**found, "mesh": {"cell": str(place / "mesh.nc")}})


def drawn(name: str, files: FigureFiles, directory: Path):
    drawing = draw(CATALOGUE[name], files)
    artifacts.write(directory / f"{name}.nc", drawing.data, MADE)
    assert overlapping_texts(drawing.figure) == []
    return drawing


@pytest.mark.parametrize("name", ["mmg20_fig4", "mmg20_fig5"])
def test_maps_show_by_how_much_the_other_scheme_differs(name, files, tmp_path):
    drawing = drawn(name, files, tmp_path)
    table = artifacts.open_dataset(files.files["maps"]["run"]).isel(
        direction=int(name == "mmg20_fig5")
    )
    ratio = table.pulsed_signal.values / table.signal.values - 1
    np.testing.assert_allclose(drawing.data["signal_difference"].values, ratio)
    assert 1e-6 < drawing.data["field_difference"].values.item() < 0.1
    assert any("$P$ = 24: $\\Delta S/S$" in text for text in texts(drawing.figure))
    # The holes of the cell and of its neighbours are outlined on each of the four maps.
    assert sum(len(ax.patches) > 9 for ax in drawing.figure.axes) == 4


def test_signals_stand_beside_the_laws_and_the_other_scheme(files, tmp_path):
    drawing = drawn("mmg20_fig6", files, tmp_path)
    table = artifacts.open_dataset(files.files["strengths"]["run"])
    ratio = table.pulsed_signal.values / table.signal.values - 1
    for i, letter in enumerate("cd"):
        np.testing.assert_allclose(drawing.data[f"difference_{letter}"].values, ratio[i])
    # (34) is fitted where it is drawn through the signals: the last quarter.
    law, signal = drawing.data["law_narrowed_a"].values, table.signal.values[0, -1]
    np.testing.assert_allclose(law[-3:], signal[-3:], rtol=5e-3)
    assert drawing.data["narrowing_from_a"].values == 12.0
    width, fraction = (drawing.data[f"narrowing_{x}_a"].values for x in ("width", "fraction"))
    shown = "".join(texts(drawing.figure))
    assert f"{width:.3f}" in shown
    assert f"{fraction:.3f}" in shown
    assert "law_narrowed_b" not in drawing.data


@pytest.mark.parametrize("law", ["(33)", "(34)", "(35)"])
def test_the_number_of_a_law_lies_on_its_line(law, files):
    ax = draw(CATALOGUE["mmg20_fig6"], files).figure.axes[0]
    (text,) = [text for text in ax.texts if text.get_text() == law]
    lines = [line for line in ax.lines if line.get_color() == text.get_color()]
    assert any(
        np.isclose(line.get_xydata(), text.get_position()).all(axis=1).any() for line in lines
    )


def test_rounding_is_of_second_order_and_floor_of_first(files, tmp_path):
    drawing = drawn("mmg20_sampling_error", files, tmp_path)
    errors = np.abs(drawing.data["error_a"].values)
    rules = list(map(str, drawing.data["rule_a"].values))
    orders = dict(zip(rules, np.log2(errors[:-1] / errors[1:]).T, strict=True))
    assert drawing.data["turns_a"].values == pytest.approx(2.0)
    np.testing.assert_allclose(orders["round"], 2.0, atol=0.25)
    np.testing.assert_allclose(orders["ceil"][-1], 1.0, atol=0.3)
    np.testing.assert_allclose(errors[:, rules.index("round")], errors[:, rules.index("midpoint")])
    assert np.all(errors[:, rules.index("round")] < drawing.data["law_a"].values)


def test_numbers_of_branches_have_the_colours_of_their_lines(files, tmp_path):
    drawing = drawn("mmg20_fig9", files, tmp_path)
    for ax in drawing.figure.axes:
        labels = {text.get_text().strip(): text.get_color() for text in ax.texts}
        colors = {line.get_color() for line in ax.lines}
        assert {"1", "2", "3"} <= set(labels)
        assert len({labels[n] for n in "123"}) == 3
        assert {labels[n] for n in "123"} <= colors


def table_of_roots() -> xarray.Dataset:
    """Two branches 4 +- sqrt(1 - x/5), known at few gradients, that part in the cell at -x/2."""
    x = np.array([1.0, 4.0, 4.5, 5.5, 6.0, 9.0])
    root = np.sqrt(1.0 - x / 5.0 + 0j)
    mu = np.array([4.0 + root, 4.0 - root])
    # One of them is given one cell away.
    imag = mu.imag + x * np.array([[-0.5], [0.5]])
    return xarray.Dataset(
        {
            "gradient_scaled": ("gradient", x),
            "imag_step": ("gradient", x),
            "mu_real": (("branch", "gradient"), mu.real),
            "mu_imag": (("branch", "gradient"), imag),
            "branching_place": ("point", [5.0]),
            "branching_real": ("point", [4.0]),
            "branching_imag": ("point", [2.5]),
            "branching_pair": (("point", "two"), [[0, 1]]),
        }
    )


@pytest.mark.parametrize("n", [0, 1])
def test_a_curve_runs_through_its_branching_point_like_a_square_root(n):
    x, real, turns = branch_curve(table_of_roots(), n)
    inside = (x > 4.4) & (x < 5.6)
    assert inside.sum() > 20
    assert np.all(np.diff(x) >= 0.0)
    root = (1.0, -1.0)[n] * np.sqrt(1.0 - x[inside] / 5.0 + 0j)
    np.testing.assert_allclose(real[inside], 4.0 + root.real, atol=1e-9)
    cells = turns[inside] - root.imag / x[inside]
    # In the limit of the curve's few points the imaginary part in steps is a root, too.
    np.testing.assert_allclose(np.abs(cells - np.round(cells)), 0.5, atol=5e-3)
    # A branch may go on one cell away.
    assert np.abs(np.diff(np.unwrap(turns[inside], period=1.0))).max() < 0.05


def test_modes_are_shown_with_phases_that_can_be_compared(files, tmp_path):
    drawing = drawn("mmg20_fig10", files, tmp_path)
    overlap = drawing.data["overlap"].values[0]
    np.testing.assert_allclose(np.diagonal(overlap), 1.0)
    # Near their branching point at 0.2757.
    assert 0.7 < overlap[1, 2] < 0.95
    assert f"{overlap[1, 2]:.2f}" in "".join(texts(drawing.figure))
    real, imag = (drawing.data[f"mode_{part}"].values[0] for part in ("real", "imag"))
    # Both modes have their own mirror image: real parts even, imaginary parts odd.
    x, y = (drawing.data["place"].values[:, i] for i in (0, 1))
    on_axis = np.abs(x - 0.5) < 1e-6
    for mode in (1, 2):
        middle = np.abs(real[mode, 1, on_axis]), np.abs(imag[mode, 1, on_axis])
        assert middle[0].max() > 20 * middle[1].max()
    top = on_axis & (y > 0.9)
    assert np.all(real[1:, 1, top] > 0.0)


def test_phases_undo_any_phase(files):
    table = artifacts.open_dataset(files.files["modes"]["run"])
    places, elements = table.place.values, table.element_node.values.astype(np.int64)
    fields = table.mode_real.values[0] + 1j * table.mode_imag.values[0]
    turned = fields * np.exp(1j * np.array([0.3, -2.0, 1.7]))[:, None, None]
    plain = fields * phases(fields, places, elements)[:, None, None]
    np.testing.assert_allclose(turned * phases(turned, places, elements)[:, None, None], plain)
