"""Pictures of the magnetisation in a cell: what they show, and the film of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection, TriMesh
from PIL import Image
from support.figure_checks import draw_own, lines, overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.cell.build import filled, geometries
from torrey.cell.material import Material
from torrey.figures.cell_sections import section_of
from torrey.figures.drawing import FigureFiles, save
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Sphere, Spheres
from torrey.geometry.files import write_meshes
from torrey.geometry.meshing import build_meshes
from torrey.geometry.shapes import Shape
from torrey.gradients.instants import FRAMES, film_times, still_times
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.magnetisation import solve_magnetisation
from torrey.workflow.stages import SolveMagnetisation

WAVEFORM = Pgse(2.0, 6.0)
STILLS = still_times(WAVEFORM)
TIMES = film_times(WAVEFORM.echo_time, STILLS)
SHAPES: dict[str, tuple[Shape, MeshOptions]] = {
    "line": (Layers((0.6, 0.4), 1), MeshOptions(0.3, 1)),
    "plane": (Discs((Disc((0.5, 0.4), 0.3),)), MeshOptions(0.35, 1)),
    "space": (Spheres((Sphere((0.5, 0.5, 0.5), 0.35),)), MeshOptions(0.5, 1)),
}
L = 5.0


def write(folder: Path, cell: str, times: tuple[float, ...]) -> FigureFiles:
    """Files of a small cell, as the workflow makes them."""
    shape, options = SHAPES[cell]
    meshes, material = build_meshes(shape, options), Material((2.0, 1.0))
    d = meshes[0].dimension
    direction = {1: (1.0,), 2: (0.8, 0.6), 3: (0.0, 0.6, 0.8)}[d]
    point = Point(L, 0.01, WAVEFORM, 0.9, direction)
    stage = SolveMagnetisation(material=material, point=point, tolerance=0.2, times=times)
    levels = filled(geometries(shape, meshes), material)
    found, _ = solve_magnetisation(levels, meshes, point, stage.tolerance, stage.times)
    paths = {kind: str(folder / f"{kind}.nc") for kind in ("mesh", "magnetisation")}
    write_meshes(paths["mesh"], shape, meshes, Provenance("test", shape.to_dict()))
    made = Provenance("test", stage.to_params())
    artifacts.write(paths["magnetisation"], group_of(found), made)
    return FigureFiles({kind: {"mine": path} for kind, path in paths.items()})


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, FigureFiles]:
    return {name: write(tmp_path_factory.mktemp(name), name, TIMES) for name in ("line", "plane")}


@pytest.mark.parametrize("name", ["line", "plane"])
@pytest.mark.parametrize("value", ["modulus", "real"])
def test_each_still_has_a_panel_with_its_time(files, tmp_path, name, value):
    settings = {"times": STILLS, "value": value}
    drawing = draw_own("magnetisation", files[name], settings, tmp_path)
    said = texts(drawing.figure)
    assert [text for text in said if "$t$ =" in text] == [
        rf"$\bf{{({letter})}}$  $t$ = {time:g} ms"
        for letter, time in zip("abcde", STILLS, strict=True)
    ]
    assert any("$L$ = 5" in text and "$S$ = " in text for text in said)
    strip = drawing.figure.axes[len(STILLS)] if name == "line" else drawing.figure.axes[-1]
    assert strip.get_xlabel() == "$t$ (ms)"
    assert {float(x) for line in strip.lines for x in line.get_xdata()} >= set(STILLS)
    for one in (drawing.data["value"], drawing.data["time"]):
        assert np.shape(one.values)[0] == len(STILLS)


def test_all_maps_have_one_scale(files, tmp_path):
    figure = draw_own("magnetisation", files["plane"], {"times": STILLS, "value": "real"},
                      tmp_path).figure  # fmt: skip
    maps = [one for ax in figure.axes for one in ax.collections if isinstance(one, TriMesh)]
    assert len(maps) == len(STILLS)
    assert len({one.get_clim() for one in maps}) == 1
    low, high = maps[0].get_clim()
    assert low == -high
    # Water is in phase at first, and lengths are in um.
    np.testing.assert_array_equal(maps[0].get_array(), 1.0)
    assert figure.axes[0].get_xlim() == pytest.approx((0.0, L))


def test_profiles_jump_at_membranes(files, tmp_path):
    data = artifacts.read(files["line"].files["magnetisation"]["mine"])
    figure = draw_own("magnetisation", files["line"], {"times": STILLS, "value": "modulus"},
                      tmp_path).figure  # fmt: skip
    (walls,) = (one for one in figure.axes[1].collections if isinstance(one, LineCollection))
    places = sorted(segment[0][0] for segment in walls.get_segments())
    ends = {float(x) for x in np.unique(data["place"][:, 0])}
    assert len(places) == 2
    assert {round(place / L, 9) for place in places} <= {round(x, 9) for x in ends}
    (profile,) = lines(figure.axes[1]).values()
    x, y = (np.asarray(one, dtype=float) for one in profile.get_data())
    before, after = y[np.isclose(x, places[0], atol=1e-9)]
    assert abs(before - after) > 1e-3


def test_sections_are_the_field_and_its_phase(files):
    data = artifacts.read(files["plane"].files["magnetisation"]["mine"])
    plain, fine = section_of(data, real=False), section_of(data, real=True)
    u = data["u_real"] + 1j * data["u_imag"]
    corners = data["element_node"][:, :3].ravel()
    for one in (plain, fine):
        # Each node of the mesh is a point of the picture.
        keys = {tuple(np.round(p, 9)): i for i, p in enumerate(one.places)}
        numbers = [keys[tuple(np.round(L * p, 9))] for p in data["place"][corners]]
        phase = np.exp(-1j * L * data["wave_vector"] @ data["place"][corners].T)
        near = np.abs(np.abs(one.values[:, numbers]) - np.abs(u[:, corners])) < 1e-9
        # Points on membranes stand for two nodes.
        assert near.mean() > 0.5
        same = np.abs(one.values[:, numbers] - u[:, corners] * phase) < 1e-9
        np.testing.assert_array_equal(same, near)
    area = [triangle_area(one.places, one.simplices) for one in (plain, fine)]
    assert area == pytest.approx([L**2, L**2])


def triangle_area(places: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = np.moveaxis(places[triangles], 1, 0)
    (x, y), (v, w) = (b - a).T, (c - a).T
    return float(np.abs(x * w - y * v).sum() / 2)


def test_a_film_shows_its_frames_in_few_bytes(files, tmp_path):
    settings = {"times": STILLS, "value": "modulus"}
    drawing = draw_own("magnetisation", files["plane"], settings, tmp_path)
    assert drawing.film is not None
    drawing.film.show(FRAMES - 1)
    assert overlapping_texts(drawing.film.figure) == []
    # All of them are as good as some.
    drawing = replace(drawing, film=replace(drawing.film, frames=5))
    paths = [str(tmp_path / f"mine.{kind}") for kind in ("pdf", "png", "nc", "gif")]
    save(drawing, *paths[:3], Provenance("test"), gif=paths[3])
    with Image.open(paths[3]) as film:
        assert film.n_frames == 5
        assert film.info["loop"] == 0
        first = np.asarray(film.convert("RGB"))
        film.seek(4)
        assert np.any(np.asarray(film.convert("RGB")) != first)
        # White paper stays white.
        assert first[0, 0].tolist() == [255, 255, 255]
    assert Path(paths[3]).stat().st_size < 5 * 15_000
    assert "mine.gif" in artifacts.attributes(paths[2])[artifacts.BESIDE]


@pytest.mark.slow
def test_a_cell_in_space_is_cut_through_its_middle(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    files = write(made, "space", (0.0, 2.0, WAVEFORM.echo_time))
    settings = {"times": (2.0, WAVEFORM.echo_time), "value": "real"}
    drawing = draw_own("magnetisation", files, settings, tmp_path)
    assert any("plane $x$ = 2.5" in text for text in texts(drawing.figure))
    assert drawing.figure.axes[0].get_ylabel() == r"$z$ ($\mu$m)"
    section = section_of(artifacts.read(files.files["magnetisation"]["mine"]), real=True)
    assert section.axes == ("y", "z")
    assert triangle_area(section.places, section.simplices) == pytest.approx(L**2, rel=1e-2)
    radii = np.linalg.norm(section.borders - L / 2, axis=-1)
    on_sphere = radii[np.all(np.abs(section.borders - L / 2) < 0.48 * L, axis=(1, 2))]
    assert on_sphere.min() == pytest.approx(0.35 * L, rel=5e-2)
    assert len(on_sphere) > 8
