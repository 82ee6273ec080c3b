"""Figures show the numbers of their files, and nothing where there is none."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as MplPath
from matplotlib.transforms import Affine2D
from support.figure_checks import draw_checked, overlapping_texts, texts
from support.figure_files import MODELS, RADIUS, disc_mesh, signal, sweep, write_disc, write_signals

from torrey.base.provenance import Provenance
from torrey.figures import cells, style
from torrey.figures.catalogue import CATALOGUE, paper_of
from torrey.figures.drawing import FigureFiles, draw, save
from torrey.figures.entries import Entry
from torrey.figures.panels import read_panels

B = (0.0, 1.0, 2.0, 3.0)
PERIODS = (1.0, 2.0, 4.0, 8.0)


def test_files_are_sorted_by_kind_in_the_order_of_the_names():
    paths = ["b/signals.nc", "a/signals.nc", "b/kurtosis.nc", "a/kurtosis.nc"]
    files = FigureFiles.of(paths, ["b", "a"]).files
    assert files == {
        "signals": {"b": "b/signals.nc", "a": "a/signals.nc"},
        "kurtosis": {"b": "b/kurtosis.nc", "a": "a/kurtosis.nc"},
    }
    assert list(files["signals"]) == ["b", "a"]


@pytest.mark.parametrize(("paths", "names"), [(["a/mesh.nc"], []), (["a/mesh.nc"], ["a", "b"])])
def test_files_that_do_not_fit_the_names_are_refused(paths, names):
    with pytest.raises(ValueError, match="files for"):
        FigureFiles.of(paths, names)


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_names_functions_that_exist(name):
    recipe = CATALOGUE[name]
    assert callable(getattr(import_module(recipe.module), recipe.function))
    assert recipe.caption
    assert paper_of(name) in recipe.module


# ---- cells ----


def test_membranes_and_compartments_are_drawn_with_their_curves():
    mesh = disc_mesh()
    circle = _flat(cells.membrane_path(mesh))
    assert len(circle) == 4
    radii = np.linalg.norm(np.concatenate(circle) - 0.5, axis=1)
    # Parabolas follow the circle; their chords miss it by 29 percent.
    assert radii == pytest.approx(RADIUS, rel=2e-2)
    areas = [sum(map(_area, _flat(cells.compartment_path(mesh, i)))) for i in (0, 1)]
    assert areas[0] + areas[1] == pytest.approx(1.0)
    assert areas[1] == pytest.approx(np.pi * RADIUS**2, rel=2e-2)


def _flat(path: MplPath) -> list[np.ndarray]:
    """Polygons that follow the curves of a path."""
    # Curves are divided to a tolerance of about one pixel.
    polygons = path.to_polygons(Affine2D().scale(1e4), closed_only=False)
    return [np.asarray(polygon) / 1e4 for polygon in polygons]


def _area(polygon: np.ndarray) -> float:
    """Signed area: a hole counts as negative."""
    x, y = polygon.T
    return float(0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def test_elements_that_turn_clockwise_are_turned():
    mesh = disc_mesh()
    clockwise = replace(mesh, elements=mesh.elements[:, [0, 2, 1, 5, 4, 3]])
    for compartment in (0, 1):
        expected = _flat(cells.compartment_path(mesh, compartment))
        found = _flat(cells.compartment_path(clockwise, compartment))
        assert sum(map(_area, found)) == pytest.approx(sum(map(_area, expected)))


def test_labels_lie_inside_their_compartments():
    mesh = disc_mesh()
    for compartment in (0, 1):
        place = cells.roomiest_place(mesh, compartment)
        distance = np.linalg.norm(place - 0.5)
        assert (distance < RADIUS) == (compartment == 1)
        assert np.all((place >= 0) & (place <= 1))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kl23_fig1", ["$Y^e$", "$Y^c$", r"$\Gamma^m$", "sides of $Y$"]),
        ("kl23_fig2", [r"$\Omega$", r"$\varepsilon Y$"]),
    ],
)
def test_the_parts_of_the_cell_are_named(name, words, tmp_path):
    files = FigureFiles({"mesh": {"disc": write_disc(tmp_path / "mesh.nc")}})
    drawing = draw_checked(name, files, tmp_path)
    assert set(words) <= set(texts(drawing.figure))
    mesh = disc_mesh()
    np.testing.assert_allclose(
        drawing.data["membrane_facet"].values, mesh.points[mesh.membrane_outside]
    )
    assert overlapping_texts(drawing.figure) == []


def test_periods_of_the_extension_lie_inside_the_domain(tmp_path):
    files = FigureFiles({"mesh": {"disc": write_disc(tmp_path / "mesh.nc")}})
    drawing = draw_checked("kl23_fig2", files, tmp_path)
    corners = np.asarray(drawing.data["corner"].values)
    omega = np.asarray(drawing.data["omega"].values)
    assert len(corners) > 20
    assert len(np.unique(corners, axis=0)) == len(corners)
    assert np.all(corners.min(axis=0) > omega.min(axis=0))
    assert np.all(corners.max(axis=0) + 1 < omega.max(axis=0))


def test_sizes_of_the_meshes_are_written_above_them(tmp_path):
    paths = {name: write_disc(tmp_path / f"{name}.nc") for name in ("one", "two")}
    drawing = draw_checked("kl23_fig3", FigureFiles({"mesh": paths}), tmp_path)
    unknowns = len(np.unique(disc_mesh().periodic))
    titles = [ax.get_title(loc="left") for ax in drawing.figure.axes]
    assert all(f"finest (drawn): 12 triangles, {unknowns} unknowns" in t for t in titles)
    assert "one" in titles[0]
    assert "two" in titles[1]
    assert drawing.data["triangles"].values.tolist() == [[12, 12], [12, 12]]
    assert drawing.data["unknowns"].values.tolist() == [[unknowns] * 2] * 2
    assert overlapping_texts(drawing.figure) == []


def test_a_cell_in_space_is_refused(tmp_path):
    mesh = disc_mesh()
    in_space = replace(mesh, points=np.column_stack([mesh.points, mesh.points[:, 0]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "read_meshes", lambda path: (in_space,))
        with pytest.raises(ValueError, match="3 dimensions, the figure needs 2"):
            cells.read_cell(tmp_path)


# ---- panels and style ----


def test_a_study_that_sweeps_more_than_a_figure_shows_is_refused(tmp_path):
    path = write_signals(tmp_path / "s", sweep(PERIODS, b=B), MODELS, signal)
    with pytest.raises(ValueError, match="study s: 4 values of b, the figure shows one"):
        read_panels({"s": path}, "period")


def test_a_study_that_lacks_an_axis_is_refused(tmp_path):
    path = write_signals(tmp_path / "s", sweep(b=B), MODELS, signal)
    with pytest.raises(ValueError, match="study s: the figure needs sigma0"):
        read_panels({"s": path}, "b", over=["sigma0"])


def test_studies_with_different_axes_are_refused(tmp_path):
    paths = {
        name: write_signals(tmp_path / name, sweep(b=b), MODELS, signal)
        for name, b in (("s", B), ("t", (0.0, 1.5)))
    }
    with pytest.raises(ValueError, match="studies s, t do not share their axes"):
        read_panels(paths, "b", over=["Delta"])


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([0.1, 0.5, 0.9], [0.1, 0.5, 0.9]),
        ([0.5, 0.5], [0.4, 0.6]),
        ([0.9, 0.9, 0.1], [0.8, 1.0, 0.1]),
        ([0.0, 0.0, 0.1], [0.0, 0.2, 0.4]),
        ([0.4, 0.5, 0.6], [0.3, 0.5, 0.7]),
        ([], []),
    ],
)
def test_labels_are_moved_apart_inside_their_limits(places, expected):
    np.testing.assert_allclose(style.spread(places, 0.2, 0.0, 1.0), expected, atol=1e-12)


def test_models_are_told_apart_without_colour():
    # Width and marks count: a lumped model is a wide line.
    looks = {(look.marker, look.linestyle, look.width) for look in style.LOOKS.values()}
    assert len(looks) == len(style.LOOKS)
    assert len({look.color for look in style.LOOKS.values()}) == len(style.LOOKS)


def test_a_model_without_a_look_of_its_own_keeps_its_name():
    look = style.look_of("P3")
    assert look.label == "P3"
    assert look.color not in {known.color for known in style.LOOKS.values()}


def test_drawing_leaves_the_defaults_alone(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    files = FigureFiles({"mesh": {"disc": write_disc(tmp_path / "mesh.nc")}})
    draw(CATALOGUE["kl23_fig1"], files)
    assert dict(matplotlib.rcParams) == before


def test_the_same_data_give_the_same_picture(tmp_path):
    files = FigureFiles({"mesh": {"disc": write_disc(tmp_path / "mesh.nc")}})
    recipe: Entry = CATALOGUE["kl23_fig1"]
    pictures = []
    for i in range(2):
        stem = str(tmp_path / f"figure{i}")
        save(draw(recipe, files), f"{stem}.pdf", f"{stem}.png", f"{stem}.nc", Provenance("test"))
        pictures.append((Path(f"{stem}.pdf").read_bytes(), Path(f"{stem}.png").read_bytes()))
    assert pictures[0] == pictures[1]
    assert pictures[0][0].startswith(b"%PDF")
    assert pictures[0][1].startswith(b"\x89PNG")
