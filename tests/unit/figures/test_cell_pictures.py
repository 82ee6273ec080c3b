"""Pictures of cells of every dimension, from their meshes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from torrey.base.provenance import Provenance
from torrey.figures.cell_colors import Palette
from torrey.figures.cell_pictures import picture
from torrey.figures.cells import roomiest_places
from torrey.figures.drawing import Drawing, save
from torrey.figures.rendering import render
from torrey.figures.solid_cells import Solid
from torrey.geometry import Disc, Discs, Layers, MeshOptions, Shape, Sphere, Spheres
from torrey.geometry.files import write_meshes
from torrey.geometry.meshing import build_meshes

BALL = Spheres((Sphere((0.5, 0.5, 0.5), 0.3),))
TWO = Discs((Disc((0.27, 0.4), 0.15), Disc((0.75, 0.93), 0.2)))
CROWD = Discs(tuple(Disc(((i + 0.5) / 5, (j + 0.5) / 5), 0.05) for i in range(5) for j in range(5)))


def drawn(shape: Shape, folder: Path, elements: bool = False, size: float = 0.3) -> Drawing:
    path = folder / "mesh.nc"
    write_meshes(path, shape, build_meshes(shape, MeshOptions(size, 0)), Provenance("test"))
    return picture(path, elements)


def texts(drawing: Drawing) -> list[str]:
    return [text.get_text() for text in drawing.figure.axes[0].texts]


def key(drawing: Drawing) -> list[str]:
    legend = drawing.figure.axes[0].get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        (Layers((0.3, 0.7)), {"layer 0", "layer 1"}),
        (Layers((0.5, 0.5), 2), {"layer 0", "layer 1"}),
        (TWO, {"outside", "cell 1", "cell 2"}),
        (Discs((Disc((0.5, 0.5), 0.3),), "obstacle"), {"outside"}),
        (BALL, {"outside", "cell 1"}),
    ],
)
def test_every_region_is_named_where_there_is_room(
    tmp_path: Path, shape: Shape, names: set[str]
) -> None:
    drawing = drawn(shape, tmp_path)
    assert {*texts(drawing), *key(drawing)} == names
    assert set(drawing.data["region"].values) == {name.replace(" ", "_") for name in names}


def test_names_without_room_stand_below_as_a_number(tmp_path: Path) -> None:
    drawing = drawn(CROWD, tmp_path)
    assert texts(drawing) == ["outside"] or key(drawing)[0] == "outside"
    assert key(drawing)[-1] == "25 × cell"


def test_a_name_lies_in_its_region() -> None:
    mesh = build_meshes(TWO, MeshOptions(0.2, 0))[0]
    places, gaps = roomiest_places(mesh)
    centres, radii = np.array([[0.27, 0.4], [0.75, 0.93]]), (0.15, 0.2)
    for place, gap, centre, radius in zip(places[1:], gaps[1:], centres, radii, strict=True):
        apart = (place - centre + 0.5) % 1.0 - 0.5
        assert np.linalg.norm(apart) + gap < radius + 0.02
    assert np.linalg.norm((places[0] - centres + 0.5) % 1.0 - 0.5, axis=1).min() > 0.2


def test_the_room_of_a_name_ends_at_the_middle_of_edges_too() -> None:
    mesh = build_meshes(Discs((Disc((0.5, 0.5), 0.3),), "obstacle"), MeshOptions(0.5, 0))[0]
    (place,), (gap,) = roomiest_places(mesh)
    to_disc = np.linalg.norm(place - 0.5) - 0.3
    to_sides = float(np.minimum(place, 1.0 - place).min())
    assert gap == pytest.approx(min(to_disc, to_sides), abs=2e-3)


def test_a_picture_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    files = []
    for i in range(2):
        names = [str(tmp_path / f"{i}.{kind}") for kind in ("pdf", "png", "nc")]
        save(drawn(TWO, tmp_path, elements=True), *names, Provenance("draw_cell"))
        files.append([Path(name).read_bytes() for name in names[:2]])
    assert files[0] == files[1]


def test_what_a_cut_shows_has_the_areas_of_the_cell() -> None:
    """On the three faces of the cut a centred ball leaves three quarters of a great disc."""
    mesh = build_meshes(BALL, MeshOptions(0.2, 0))[0]
    solid = Solid(mesh, Palette.of(("outside", "cell_1")))
    areas = {}
    for region in (0, 1):
        parts = np.concatenate(list(solid._sections(np.array([region]))))[..., :3]
        across = np.cross(parts[:, 1] - parts[:, 0], parts[:, 2] - parts[:, 0])
        areas[region] = 0.5 * np.linalg.norm(across, axis=1).sum()
    disc = 3 * np.pi * 0.3**2 / 4
    assert areas[0] + areas[1] == pytest.approx(0.75, rel=1e-4)
    # The edge between them is drawn with some twenty chords.
    assert areas[1] == pytest.approx(disc, rel=6e-3)


def test_the_octant_shows_the_inside_and_the_rest_the_outside() -> None:
    mesh = build_meshes(BALL, MeshOptions(0.3, 0))[0]
    palette = Palette(("outside", "cell 1"), ("#FF0000", "#0000FF"))
    solid = Solid(mesh, palette)
    scene = [surface for surface in solid.surfaces() if surface.opacity == 1.0]
    image = render(scene, solid.camera, 100, samples=1)
    middle = image[50, 50, :3] - image[50, 50, :3].min()
    np.testing.assert_allclose(middle / middle.max(), to_rgb("#0000FF"), atol=1e-6)
    seen = image[..., 3] > 0.5
    blue = seen & (image[..., 2] > image[..., 0])
    assert 0.03 < blue.sum() / seen.sum() < 0.15


def test_insides_keep_their_colours_without_an_outside() -> None:
    around = Palette.of(("outside", "cell_1", "cell_2", "coat_1", "coat_2"))
    walled = Palette.of(("cell_1", "cell_2", "coat_1", "coat_2"))
    assert walled.colors == around.colors[1:]
    assert Palette.of(("layer_0", "layer_1")).colors[0] == around.colors[0]
