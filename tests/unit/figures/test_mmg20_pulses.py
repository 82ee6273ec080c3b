"""Figures of narrow pulses and bands, from small real tables."""

from __future__ import annotations

import numpy as np
import pytest
from support.figure_checks import labels_of, overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.bloch.bands import band_basis, band_set
from torrey.bloch.fields import dof_of_node
from torrey.bloch.files import band_groups
from torrey.bloch.narrow_runs import run_narrow_maps, run_narrow_signals, run_sampling
from torrey.bloch.sampling import RULES
from torrey.cell.assembly import assemble
from torrey.cell.material import Material
from torrey.cell.operators import bloch_torrey
from torrey.figures import mmg20_cells, mmg20_maps, mmg20_pulses
from torrey.figures.drawing import FigureFiles
from torrey.figures.panels import to_group
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.geometry.files import write_meshes
from torrey.geometry.meshing import build_meshes
from torrey.gradients.waveforms import Pgse

X, DIAGONAL = (1.0, 0.0), (1.0, 1.0)
SHAPES = {
    "homogeneous": Discs(()),
    "square_disc_r04": Discs((Disc((0.5, 0.5), 0.4),), interior="obstacle"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> FigureFiles:
    made = Provenance("test")
    place = tmp_path_factory.mktemp("bloch")
    bands_files = {}
    for name, shape in SHAPES.items():
        mesh = build_meshes(shape, MeshOptions(0.08, 0))[0]
        sides = np.array([(m.outside, m.inside) for m in shape.membranes()]).reshape(-1, 2)
        cell = bloch_torrey(assemble(mesh, sides), Material((1.0,)))
        sets = [
            band_set(band_basis(cell, 1.0, 0.0, [direction], 0.07), direction, 12)
            for direction in (X, DIAGONAL)
        ]
        bands_files[name] = str(place / name / "bands.nc")
        artifacts.write(bands_files[name], {}, made, groups=band_groups(sets))
    mesh_file, narrow, sampling = (str(place / f"{n}.nc") for n in ("mesh", "narrow", "sampling"))
    write_meshes(mesh_file, shape, (mesh,), made)
    table = {
        **group_of(run_narrow_signals(sets, np.arange(0, 25) / 12, (0.01, 1.0), 5.0)),
        **group_of(run_narrow_maps(sets, dof_of_node(mesh, cell.cell), 7 / 3, (0.01, 1.0))),
    }
    artifacts.write(narrow, table, made)
    artifacts.write(sampling, group_of(run_sampling(Pgse(1.0, 2.0), 3.3, 1.0)), made)
    return FigureFiles(
        {
            "mesh": {name: mesh_file},
            "narrow-maps": {name: narrow},
            "narrow-signals": {name: narrow},
            "sampling": {name: sampling},
            "bands": bands_files,
        }
    )


FIGURES = [
    mmg20_cells.fig1,
    mmg20_cells.fig3,
    mmg20_pulses.fig2,
    mmg20_pulses.fig11,
    mmg20_maps.figA1,
    mmg20_maps.figA2,
    mmg20_pulses.figA3,
]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.__name__)
def test_figures_have_data_and_no_text_on_text(figure, files, tmp_path):
    drawing = figure(files)
    artifacts.write(tmp_path / "data.nc", drawing.data, Provenance("test"))
    for ax in drawing.figure.axes:
        assert ax.lines or ax.patches or ax.collections
    assert overlapping_texts(drawing.figure) == []


def test_free_bands_cross_and_those_of_the_lattice_do_not(files):
    drawing = mmg20_pulses.fig11(files)
    free, lattice = drawing.figure.axes
    assert "the bands cross" in free.get_title(loc="left")
    assert "the bands do not cross" in lattice.get_title(loc="left")
    assert labels_of(free)[0] == r"$p\,a\,/\,2\pi$"
    p = np.asarray(drawing.data["p_homogeneous"].values)
    bands = np.asarray(drawing.data["value_homogeneous"].values)
    exact = (2 * np.pi * np.column_stack([p, 1 - p])) ** 2
    np.testing.assert_allclose(bands, exact, rtol=1e-3, atol=1e-6)
    bands = np.asarray(drawing.data["value_square_disc_r04"].values)
    assert np.all(bands[:, 1] - bands[:, 0] > 5.0)


def test_steps_of_all_rules_are_drawn(files):
    drawing = mmg20_pulses.fig2(files)
    titles = [ax.get_title(loc="left") for ax in drawing.figure.axes[:4]]
    assert all(rule in title for rule, title in zip(RULES, titles, strict=True))
    levels = drawing.figure.axes[1].lines[1].get_ydata()
    assert np.max(levels) == pytest.approx(4.0)


def test_signals_start_at_one_and_follow_their_law(files):
    drawing = mmg20_pulses.figA3(files)
    table = artifacts.open_dataset(files.files["narrow-signals"]["square_disc_r04"])
    ax = drawing.figure.axes[0]
    assert labels_of(ax) == (r"$q\,a\,/\,2\pi$", "$S$")
    assert labels_of(drawing.figure.axes[1])[0] == r"$q\,a\,/\,(2\pi\sqrt{2})$"
    law, curve = ax.lines[0], ax.lines[1]
    np.testing.assert_allclose(curve.get_ydata(), table.signal[0, 0])
    np.testing.assert_allclose(law.get_ydata()[:3], table.signal[0, 0, :3], rtol=2e-3)


def test_maps_say_the_weight_of_the_pulses(files):
    assert r"$q\,a = 14\pi/3$" in texts(mmg20_maps.figA1(files).figure)
    assert r"$q\,a/\sqrt{2} = 14\pi/3$" in texts(mmg20_maps.figA2(files).figure)


def test_every_map_has_its_letter_and_every_row_its_signal(files):
    drawing = mmg20_maps.figA1(files)
    shown = texts(drawing.figure)
    assert {f"({letter})" for letter in "abcdefgh"} <= set(shown)
    table = artifacts.open_dataset(files.files["narrow-maps"]["square_disc_r04"]).isel(line=0)
    # The signal is the mean over the water.
    mesh = mmg20_cells.only_mesh(files)
    a, b, c = np.moveaxis(mesh.points[mesh.elements[:, :3]], 1, 0)
    areas = np.abs(np.linalg.det(np.stack([b - a, c - a], axis=1))) / 2
    means = table.m_real.values[:, mesh.elements[:, 3:]].mean(axis=2) @ areas / areas.sum()
    np.testing.assert_allclose(drawing.data["map_signal"].values, means, rtol=0.02)
    assert sum("$S$ = " in text for text in shown) == 2
    # One map of colours per quantity, the same in all rows.
    maps = [[ax.collections[0].get_cmap().name for ax in axes] for axes in rows(drawing.figure)]
    assert maps == [["RdBu_r", "RdBu_r", "cividis", "twilight_twice"]] * 2


def rows(figure):
    """Axes of the maps, row by row."""
    axes = [ax for ax in figure.axes if ax.patches and len(ax.collections) == 9]
    return [axes[:4], axes[4:]]


def test_maps_are_found_by_their_direction_and_one_direction_is_enough(files, tmp_path):
    name = "square_disc_r04"
    table = artifacts.open_dataset(files.files["narrow-maps"][name]).load()
    turned, alone = str(tmp_path / "turned.nc"), str(tmp_path / "alone.nc")
    for path, data in ((turned, table.isel(line=[1, 0])), (alone, table.isel(line=[1]))):
        artifacts.write(path, to_group(data, list(map(str, data.data_vars))), Provenance("test"))
    other = FigureFiles({**files.files, "narrow-maps": {name: turned}})
    for figure in (mmg20_maps.figA1, mmg20_maps.figA2):
        expected = figure(files).data["m_real"].values
        np.testing.assert_array_equal(figure(other).data["m_real"].values, expected)
    one = FigureFiles({**files.files, "narrow-signals": {name: alone}})
    (panel,) = mmg20_pulses.figA3(one).figure.axes
    assert panel.get_title(loc="left").endswith("diagonal gradient")
