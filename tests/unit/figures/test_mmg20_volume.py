"""Figure 7 of MMG20 from a small file; parts of triangles in a cube."""

from __future__ import annotations

import numpy as np
import pytest
from support.figure_checks import overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable, group_of
from torrey.bloch.fields import DrawnMesh
from torrey.bloch.sampling import RULES
from torrey.figures import mmg20_volume
from torrey.figures.drawing import FigureFiles
from torrey.figures.isosurfaces import normals
from torrey.figures.mmg20_volume import clip, fig7
from torrey.geometry import Disc, Discs, MeshOptions, Sphere, Spheres
from torrey.geometry.meshing import build_meshes

SPACE = Spheres((Sphere((0.5, 0.5, 0.5), 0.4),), "obstacle")
PLANE = Discs((Disc((0.5, 0.5), 0.4),), "obstacle")


def files_of(shape, directory) -> FigureFiles:
    """A made-up field with both signs, and made-up signals."""
    mesh = build_meshes(shape, MeshOptions(0.3, 0))[0]
    field = 1e-2 * (np.cos(2 * np.pi * mesh.points.sum(axis=1)) + 0.5)
    signals = np.full((2, 1, 1, len(RULES)), 3e-3)
    group = {
        "magnetisation_real": Variable(("node",), field, "1", "Re m"),
        "unknowns": Variable(("mesh",), np.array([10, 20]), "1", "unknowns"),
        "signal": Variable(("mesh",), np.array([3.1e-3, 3.2e-3]), "1", "signal"),
        "signal_error": Variable(("mesh",), np.array([1e-7, 1e-7]), "1", "error"),
        "pulses": Variable(("pulses",), np.array([12]), "1", "P"),
        "modes": Variable(("modes",), np.array([50]), "1", "modes"),
        "rule": Variable(("rule",), np.array(RULES), "1", "rule"),
        "pulsed_signal": Variable(("mesh", "pulses", "modes", "rule"), signals, "1", "signal"),
        "water": Variable((), 0.5, "1", "water"),
        **group_of(DrawnMesh.of(mesh)),
    }
    artifacts.write(directory / "schemes.nc", group, Provenance("test"))
    return FigureFiles({"schemes": {"mine": directory / "schemes.nc"}})


def test_surfaces_and_signals_are_shown_without_text_on_text(tmp_path, monkeypatch):
    # What is drawn does not depend on how finely.
    monkeypatch.setattr(mmg20_volume, "_PIXELS", 90)
    drawing = fig7(files_of(SPACE, tmp_path))
    artifacts.write(tmp_path / "data.nc", drawing.data, Provenance("test"))
    for ax in drawing.figure.axes:
        (picture,) = ax.images
        image = np.asarray(picture.get_array())
        assert image.shape[0] == image.shape[1] == 90
        assert 0.1 < image[..., 3].mean() < 0.9
    assert overlapping_texts(drawing.figure) == []
    shown = "".join(texts(drawing.figure))
    for number in (r"3.2\times10", r"3\times10", r"1.6\times10", r"2.75\times10"):
        assert number in shown
    np.testing.assert_allclose(drawing.data["signal_per_cell"].values, [1.55e-3, 1.6e-3])


def test_a_cell_in_the_plane_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a cell of 2 dimensions, the figure needs 3"):
        fig7(files_of(PLANE, tmp_path))


def test_parts_of_triangles_in_a_cube_have_the_right_area():
    # A square of side 4 in the plane z = 0.5, of which a square of side 2 is inside.
    square = np.array([[-2.0, -2, 0.5], [2, -2, 0.5], [2, 2, 0.5], [-2, 2, 0.5]])
    parts = clip(square[[[0, 1, 2], [0, 2, 3]]], -1.0, 1.0)
    across = normals(parts.reshape(-1, 3), np.arange(3 * len(parts)).reshape(-1, 3))
    assert across.sum(axis=0) / 2 == pytest.approx([0.0, 0.0, 4.0])
    assert np.abs(parts).max() <= 1.0 + 1e-12
    assert clip(square[[[0, 1, 2]]] + [0.0, 0.0, 1.0], -1.0, 1.0).shape == (0, 3, 3)
