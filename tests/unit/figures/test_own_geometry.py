"""Cells of one's own are drawn with their meshes and neighbours."""

from __future__ import annotations

from support.figure_checks import draw_own, texts
from support.figure_files import disc_mesh, write_disc

from torrey.figures.drawing import FigureFiles


def test_each_part_of_each_cell_has_a_panel(tmp_path):
    paths = {name: write_disc(tmp_path / f"{name}.nc") for name in ("my_first", "second")}
    show = {"show": ["cell", "mesh", "extension"]}
    drawing = draw_own("geometry", FigureFiles({"mesh": paths}), show, tmp_path)
    axes = drawing.figure.axes
    assert len(axes) == 6
    assert [ax.get_xlim()[0] for ax in axes[:3]] == [-0.14, -0.14, -1.0]
    said = "\n".join(texts(drawing.figure))
    assert all(words in said for words in ("coarsest mesh", "cell and its neighbours"))
    assert list(drawing.data["geometry"].values) == ["my_first", "second"]
    assert list(drawing.data["elements"].values) == [len(disc_mesh().elements)] * 2


def test_the_mesh_is_drawn_where_it_is_asked_for(tmp_path):
    files = FigureFiles({"mesh": {"cell": write_disc(tmp_path / "mesh.nc")}})
    with_mesh, without = (
        draw_own("geometry", files, {"show": [part]}, tmp_path).figure.axes[0]
        for part in ("mesh", "cell")
    )
    assert len(with_mesh.collections) + len(with_mesh.artists) + len(with_mesh.patches) > len(
        without.collections
    ) + len(without.artists) + len(without.patches)
