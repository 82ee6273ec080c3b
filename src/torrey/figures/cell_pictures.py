"""The picture of a cell of any kind and dimension, from its meshes."""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hsv_to_rgb
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.stored import Variable
from torrey.figures import style
from torrey.figures.cell_colors import Palette
from torrey.figures.drawing import Drawing
from torrey.figures.plane_cells import BEHIND, MARGIN, draw_line, draw_plane, place_names, repeats
from torrey.figures.rendering import Camera, render
from torrey.figures.solid_cells import Solid
from torrey.geometry.files import read_mesh
from torrey.geometry.mesh import CellMesh

Array = NDArray[np.float64]

#: Width and height in pixels of a cell in space, and of the picture in which its names are placed.
_PIXELS, _COARSE = 700, 160
#: Share of the light that comes from everywhere: names are to be read on faces in the shade.
_AMBIENT: Final = 0.74
#: Regions of a cell in space that may get a name: as many as hues can be told apart.
_NAMED: Final = 12


@style.styled
def picture(path: str | Path, elements: bool) -> Drawing:
    """Draw the cell of a file of meshes, with its coarsest mesh if wanted.

    Parameters
    ----------
    path : path
        See `torrey.geometry.files.write_meshes`.
    elements : bool
    """
    mesh, names = read_mesh(path), artifacts.read(path)
    regions = [str(name) for name in names["region"]]
    height = {1: 0.42, 2: 1.0, 3: 1.0}[mesh.dimension] * style.COLUMN
    figure = style.new_figure(style.COLUMN, height)
    draw_on(figure.subplots(), mesh, regions, elements, "in units of the cell")
    _, counts = np.unique(mesh.region, return_counts=True)
    data = {
        "region": Variable(("region",), np.array(regions, dtype=object), "", "name of the region"),
        "color": Variable(
            ("region",), np.array(Palette.of(regions).colors, dtype=object), "", "its colour"
        ),
        "elements": Variable(("region",), counts, "1", "elements of the region"),
    }
    return Drawing(figure, data)


def draw_on(
    ax: Axes,
    mesh: CellMesh,
    regions: Sequence[str],
    elements: bool,
    unit: str,
    margin: float = MARGIN,
) -> None:
    """Draw a cell of any dimension on axes.

    Parameters
    ----------
    ax : Axes
    mesh : CellMesh
        In the unit that axes are labelled with.
    regions : sequence of str
        Names of the regions.
    elements : bool
        Whether to draw the mesh.
    unit : str
        Of lengths.
    margin : float
        How far neighbours are shown, in units of the width of a cell in one or two dimensions.
    """
    palette = Palette.of(regions)
    figure = ax.get_figure(root=True)
    assert figure is not None
    inches = ax.get_position().bounds[2] * figure.get_size_inches()[0]
    if mesh.dimension == 3:
        left = _draw_solid(ax, mesh, palette, elements, 72.0 * inches)
    else:
        width = float(np.ptp(mesh.points[:, 0]))
        ax.set_xlabel(f"x ({unit})")
        if mesh.dimension == 1:
            draw_line(ax, mesh, palette, elements, margin)
            left = []
        else:
            ax.set_ylabel(f"y ({unit})")
            span = 1.02 + 2.0 * margin if repeats(mesh) else 1.06
            left = draw_plane(ax, mesh, palette, elements, 72.0 * inches / (span * width), margin)
    if left:
        summary = palette.summary(left)
        handles = [tuple(Patch(color=color) for color in colors) for colors, _ in summary]
        ax.legend(
            handles=handles,
            labels=[text for _, text in summary],
            handler_map={tuple: HandlerTuple(ndivide=None, pad=0.0)},
            loc="upper center",
            bbox_to_anchor=(0.5, _below(inches) if mesh.dimension == 2 else 0.03),
            ncols=min(3, len(handles)),
            borderaxespad=0.0,
        )


def _below(inches: float) -> float:
    """Place below the label of an axis, in units of the height of axes of some width."""
    return -0.13 * style.COLUMN / inches


def _draw_solid(
    ax: Axes, mesh: CellMesh, palette: Palette, elements: bool, points: float
) -> list[int]:
    """Draw a cell in space without its nearest octant; return regions without a label."""
    solid = Solid(mesh, palette)
    scene = [*solid.surfaces(), *solid.lines(elements)]
    ax.imshow(
        render(scene, solid.camera, _PIXELS, ambient=_AMBIENT),
        extent=(0, 1, 0, 1),
        interpolation="none",
    )
    ax.set_axis_off()
    rooms = _rooms(mesh, palette.names, solid.camera)
    found = place_names(palette, points * rooms[:, 2])
    for region, (text, size) in found.items():
        x, y, _ = rooms[region].tolist()
        ax.text(
            x, y, text, fontsize=size, ha="center", va="center", bbox=BEHIND if elements else None
        )
    return [region for region in range(len(rooms)) if region not in found]


def _rooms(mesh: CellMesh, names: tuple[str, ...], camera: Camera) -> Array:
    """Roomiest place in the picture of each region and the room there, shape (n_regions, 3)."""
    # Each region in a hue of its own, which no light changes.
    from scipy.ndimage import distance_transform_edt

    count = min(len(names), _NAMED)
    hues = [to_hex(hsv_to_rgb(i / count, 1.0, 1.0)) for i in range(count)]
    marked = Palette(names, (*hues, *("#808080",) * (len(names) - count)))
    scene = [s for s in Solid(mesh, marked).surfaces() if s.opacity == 1.0]
    image = render(scene, camera, _COARSE, samples=1)
    pure = image[..., :3] - image[..., :3].min(axis=2, keepdims=True)
    rooms = np.zeros((len(names), 3))
    for i, hue in enumerate(hues):
        seen = pure / np.maximum(pure.max(axis=2, keepdims=True), 1e-9)
        here = np.abs(seen - to_rgb(hue)).max(axis=2) < 0.4 / count
        here &= (image[..., 3] > 0.5) & (pure.max(axis=2) > 0.05)
        room = distance_transform_edt(np.pad(here, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(int(room.argmax()), room.shape)
        rooms[i] = column + 0.5, _COARSE - row - 0.5, room.max()
    return rooms / _COARSE
