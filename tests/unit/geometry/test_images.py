"""Label images: areas of the pixels, nesting, cells that touch, edges, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from torrey.base.errors import InputError
from torrey.cell import build
from torrey.cell.material import Material
from torrey.config.load import load
from torrey.geometry import Disc, Discs, LabelImage, MeshOptions, shape_from_dict
from torrey.geometry.checks import check_mesh
from torrey.geometry.meshing import build_meshes
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.models.tensors import papers_tensors
from torrey.reference.full import reference_signal

Labels = np.ndarray


def distance(n: int, center: tuple[float, float], rows: int | None = None) -> Labels:
    """Distance in pixels from a place of a periodic image, rows from the top downwards."""
    rows = rows or n
    y, x = np.mgrid[:rows, :n] + 0.5
    dx, dy = x - center[0], rows - y - center[1]
    return np.hypot(dx - np.round(dx / n) * n, dy - np.round(dy / rows) * rows)


def disc(n: int, radius: float, center: tuple[float, float] = (0.5, 0.5)) -> Labels:
    return (distance(n, (center[0] * n, center[1] * n)) < radius * n).astype(np.uint8)


def cells(n: int, count: int, largest: float) -> Labels:
    """Round cells that share straight borders."""
    rng = np.random.default_rng(4)
    far = np.array([distance(n, place) for place in rng.uniform(size=(count, 2)) * n])
    return np.where(far.min(axis=0) < largest, far.argmin(axis=0) + 1, 0)


@pytest.fixture
def read(tmp_path: Path):
    """Reads labels as an image."""

    def read(labels: Labels, **options) -> LabelImage:
        np.save(tmp_path / "labels.npy", labels)
        return LabelImage(file=tmp_path / "labels.npy", **options)

    return read


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF", "a.npy"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_files_of_all_kinds_are_one_cell(tmp_path: Path, name: str, dtype: type) -> None:
    labels = 3 * disc(64, 0.3, (0.4, 0.6)).astype(dtype)
    if name.endswith("npy"):
        np.save(tmp_path / name, labels)
    else:
        Image.fromarray(labels).save(tmp_path / name)
    shape = LabelImage(file=tmp_path / name, pixel=0.25)
    assert shape.compartment_names == ("outside", "label_3")
    assert shape.own_length() == 16.0
    # Seen as it is: y grows upwards.
    np.testing.assert_allclose(np.mean(shape.cells[0].points, axis=0), (0.4, 0.6), atol=2e-3)
    assert shape == shape_from_dict(shape.to_dict())
    assert "a." not in str(shape.to_dict())


@pytest.mark.parametrize("center", [(0.5, 0.5), (0.97, 0.02), (0.313, 0.0)])
def test_a_disc_of_pixels_is_a_disc(read, center: tuple[float, float]) -> None:
    labels = disc(256, 0.4, center)
    shape = read(labels)
    # The area is that of the pixels, to what rounding to nine digits leaves.
    assert shape.measures()[1] == pytest.approx(labels.mean(), rel=1e-7)
    assert shape.measures()[1] == pytest.approx(math.pi * 0.16, rel=1e-3)
    assert shape.interface_measures()[0] == pytest.approx(0.8 * math.pi, rel=1e-3)
    apart = shape.curves[0].samples.places - np.array(center)
    radii = np.linalg.norm(apart - np.round(np.mean(apart, axis=0)), axis=1)
    # A third of a pixel.
    np.testing.assert_allclose(radii, 0.4, atol=0.34 / 256)


@pytest.mark.slow
def test_an_image_of_a_disc_has_its_signal_and_its_effective_diffusivity(read) -> None:
    material = Material((3.0, 1.7))
    found = []
    for shape in (read(disc(256, 0.4)), Discs((Disc((0.5, 0.5), 0.4),))):
        levels = build.levels(shape, MeshOptions(0.1, 1), material)
        point = Point(10.0, 0.05, Pgse(5.0, 15.0), 0.25, (0.6, 0.8))
        found.append((papers_tensors(levels[-1]), reference_signal(levels, point, 1e-5).signal))
    (one, signal), (other, exact) = found
    assert abs(signal / exact - 1) < 1e-3
    np.testing.assert_allclose(one.D, other.D, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(one.S, other.S, rtol=1e-3, atol=1e-5)


def test_cells_that_touch_part_by_a_pixel(read) -> None:
    labels = cells(64, 5, 17)
    shape = read(labels)
    assert shape.n_compartments == 6
    width = shape.surroundings.approaches[0].width * 64
    assert 0.6 <= width < 1.2
    for i, area in enumerate(shape.measures()[1:], start=1):
        pixels = np.count_nonzero(labels == i) / 64**2
        assert 0.85 * pixels < area < 1.001 * pixels
    assert shape.remarks() == ("cells that touch are parted by 1 pixel",)
    (mesh,) = build_meshes(shape, MeshOptions(0.2, 0))
    check_mesh(mesh, shape)


def test_what_lies_in_a_cell_is_a_compartment_in_it(read) -> None:
    r = distance(100, (20, 97))
    shape = read(np.select([r < 10, r < 20, r < 35], [7, 0, 3]))
    assert shape.compartment_names == ("outside", "label_3", "label_7", "hole_1")
    assert [(m.outside, m.inside) for m in shape.membranes()] == [(0, 1), (3, 2), (1, 3)]
    exact = np.pi * np.array([35**2 - 20**2, 10**2, 20**2 - 10**2]) / 100**2
    np.testing.assert_allclose(shape.measures()[1:], exact, rtol=0.02)
    # Without water between them, one curve is the border of both.
    nested = read(np.select([r < 20, r < 35], [7, 3]))
    assert [(m.outside, m.inside) for m in nested.membranes()] == [(0, 1), (1, 2)]
    for each in (shape, nested):
        (mesh,) = build_meshes(each, MeshOptions(0.2, 0))
        check_mesh(mesh, each)


def test_parts_of_a_label_are_one_compartment_or_several(read) -> None:
    labels = 5 * ((distance(80, (20, 20)) < 12) | (distance(80, (60, 60)) < 16))
    labels[3, 40] = 2
    together, apart = read(labels), read(labels, compartments="parts")
    assert together.compartment_names == ("outside", "label_5")
    assert apart.compartment_names == ("outside", "label_5", "label_5_2")
    assert len(together.membranes()) == len(apart.membranes()) == 2
    assert together.measures()[1] == pytest.approx(np.count_nonzero(labels == 5) / 80**2)
    assert together.remarks() == ("1 part of fewer than 25 pixels is left out",)


def test_an_image_that_does_not_repeat_is_mirrored_or_cropped(read) -> None:
    labels = np.where(distance(120, (60, 60)) < 20, 1, 0) + np.where(
        distance(120, (0, 30)) < 20, 2, 0
    )
    # Label 2 lies across an edge of the whole image; here it is cut.
    cut = labels[:, :100]
    with pytest.raises(
        InputError,
        match=r"periodic: found left and right edges .* rows 71 to 110: label 2 and label 0",
    ):
        read(cut)
    assert read(labels).n_compartments == 3
    mirrored = read(cut, periodic="mirror", pixel=0.1)
    assert mirrored.own_length() == 20.0
    assert mirrored.height == pytest.approx(1.2)
    assert len(mirrored.curves) == 6
    assert mirrored.measures()[1] == pytest.approx(np.count_nonzero(cut == 1) / 100**2)
    cropped = read(cut, periodic="crop")
    assert cropped.compartment_names == ("outside", "label_1")
    assert cropped.remarks() == ("1 cell at the edges of the image is left out",)
    for each in (mirrored, cropped):
        (mesh,) = build_meshes(each, MeshOptions(0.2, 0))
        check_mesh(mesh, each)


def test_cells_cut_by_little_at_an_edge_repeat(read) -> None:
    # Its lowest row of pixels lies beyond the edge, where they have no partners.
    labels = np.where(distance(100, (50, 30)) < 30.4, 1, 0)
    assert read(labels).n_compartments == 2


def test_studies_say_what_was_left_out_and_edits_of_the_image_count(tmp_path: Path) -> None:
    labels = disc(64, 0.3)
    labels[2, 2] = 9
    (tmp_path / "images").mkdir()
    np.save(tmp_path / "images" / "a.npy", labels)
    text = """\
geometries:
  tissue: {kind: image, file: images/a.npy, pixel: 100 nm}
studies:
  mine:
    geometry: tissue
    diffusivity: {outside: 2 um^2/ms, inside: 1 um^2/ms}
    period: 6.4 um
    permeability: 2e-5 m/s
    waveform: {kind: pgse, delta: 5 ms, Delta: 10 ms}
    b: 1 ms/um^2
    directions: [[1, 0]]
    models: [reference]
"""
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    study = load([tmp_path / "mine.yaml"]).studies["mine"]
    assert "1 part of fewer than 25 pixels is left out" in " ".join(study.notes)
    np.save(tmp_path / "images" / "a.npy", disc(64, 0.31))
    again = load([tmp_path / "mine.yaml"]).studies["mine"]
    assert again.shape.to_dict() != study.shape.to_dict()


# ---- what is refused ----

BAND = np.where(np.arange(64)[:, None] + np.zeros(64) < 20, 2, 0)
BAND = np.roll(BAND, 9, axis=0).astype(int)
REFUSED = [
    (np.zeros((64, 64), int), {}, "labels.npy: no label above 0"),
    (np.zeros((64, 64, 3)), {}, "labels.npy: an array of 64 x 64 x 3, accepted: rows and columns"),
    (np.ones((4, 4), int), {}, "labels.npy: 4 x 4 pixels, accepted: 8 pixels or more"),
    (np.full((64, 64), 0.5), {}, "labels.npy: values that are not whole"),
    (np.full((64, 64), np.nan), {}, "labels.npy: values that are not whole"),
    (np.full((64, 64), -1), {}, "labels.npy: labels from -1 to -1"),
    (np.full((64, 64), "a"), {}, "labels.npy: values of the type"),
    (BAND, {}, "file: found label 2 on every row or column of the image, accepted: cells"),
    (np.ones((64, 64), int), {}, "file: found label 1 on every row or column"),
    (disc(64, 0.49), {"periodic": "mirrors"}, 'periodic: found "mirrors", accepted: as_is or'),
    (disc(64, 0.3), {"compartments": "cells"}, 'compartments: found "cells", accepted: labels or'),
    (disc(64, 0.3), {"smooth": 0.0}, "smooth: found 0, accepted: 0.1 to 5 pixels"),
    (disc(64, 0.3), {"gap": 9.0}, "gap: found 9, accepted: 0.5 to 4 pixels"),
    (disc(64, 0.3), {"pixel": -1.0}, "pixel: found -1 um, accepted: a length above 0"),
    (disc(64, 0.3), {"least_pixels": 1}, "least_pixels: found 1, accepted: 9 pixels or more"),
    (disc(64, 0.3), {"least_pixels": 5000}, "least_pixels: found 5000, .* at most 1160"),
    (disc(64, 0.3), {"width": 3.0}, "width: found the width of an image, accepted: pixel"),
    (disc(64, 0.3), {"height": 2.0}, "height: found 2, accepted: no such key with an image"),
    (np.tile(disc(16, 0.3), (1, 400)), {}, "file: found 6400 x 16 pixels, accepted: a height"),
    (disc(64, 0.49), {"periodic": "crop", "gap": 0.5}, None),
    (np.pad(np.ones((64, 30), int), ((0, 0), (0, 34))), {"periodic": "crop"}, "no cell that does"),
    (np.pad(np.ones((40, 1), int), 12), {}, "file: found label 1 thinner than two pixels around"),
]


@pytest.mark.parametrize(("labels", "options", "message"), REFUSED)
def test_what_cannot_be_is_refused_with_its_place(read, labels, options, message) -> None:
    if message is None:
        assert read(labels, **options).n_compartments == 2
        return
    with pytest.raises(InputError, match=message):
        read(labels, **options)


def test_water_between_a_cell_and_what_touches_it_inside_has_no_owner(read) -> None:
    r = distance(100, (50, 50))
    labels = np.select([r < 20, r < 40], [0, 3])
    labels[45:55, 50:72] = 7
    with pytest.raises(InputError, match="pixels of label 0 between label 3 and cells inside it"):
        read(labels)


def test_files_that_are_no_images_are_refused(tmp_path: Path) -> None:
    good = Image.fromarray(disc(64, 0.3))
    good.convert("RGB").save(tmp_path / "rgb.png")
    good.save(tmp_path / "two.tif", save_all=True, append_images=[good])
    (tmp_path / "text.png").write_text("hello", encoding="utf-8")
    (tmp_path / "text.npy").write_text("hello", encoding="utf-8")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    for name, message in {
        "rgb.png": "rgb.png: pixels of the kind RGB, accepted: one whole number for each pixel",
        "two.tif": "two.tif: 2 pages, accepted: an image of one page",
        "text.png": "text.png: no image that can be read, accepted: PNG or TIFF",
        "text.npy": "text.npy: .*accepted: an array of numpy",
        "objects.npy": "objects.npy: .*accepted: an array of numpy",
        "none.png": "none.png: No such file",
        "a.jpg": "accepted: a file .png, .tif, .tiff or .npy",
    }.items():
        with pytest.raises(InputError, match=message):
            LabelImage(file=tmp_path / name)
    with pytest.raises(InputError, match="cells: found neither cells nor a file"):
        LabelImage()
