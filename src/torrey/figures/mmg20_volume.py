"""Figure 7 of MMG20: magnetisation after an echo in a cubic lattice of spheres."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from torrey.base.stored import Variable
from torrey.figures import style
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.isosurfaces import cut, eighths, isosurface, nodal_gradient, normals, refine
from torrey.figures.panels import only_table, to_group
from torrey.figures.rendering import Camera, Surface, render, tube
from torrey.figures.style import PAGE, styled

Array = NDArray[np.float64]

#: Values shown, as parts of the largest |Re m|, with colour and opacity.
_LEVELS: Final = (
    (0.7, "#7F0000", 1.0),
    (0.4, "#D55E00", 0.55),
    (0.15, "#F0C27B", 0.22),
    (-0.05, "#0072B2", 0.45),
)
_OBSTACLE: Final = "#C8C8C8"
#: Width and height of a picture: 250 in an inch of the page.
_PIXELS: Final = 900
#: The cell and a part of each neighbour.
_VIEW: Final = (-0.35, 1.35)
#: What MMG20 print below the figure.
_PRINTED: Final = 2.75e-3


@styled
def fig7(files: FigureFiles) -> Drawing:
    """Isosurfaces of Re m in one cell, and with a part of each neighbour; signals beside them."""
    data = only_table(files, "schemes")
    if data.sizes["axis"] != 3:
        raise ValueError(f"a cell of {data.sizes['axis']} dimensions, the figure needs 3")
    largest = float(np.abs(data.magnetisation_real).max())
    levels = largest * np.array([part for part, _, _ in _LEVELS])
    figure = style.new_figure(PAGE, 0.63 * PAGE)
    figure.set_dpi(300)
    one, many = figure.subplots(1, 2)
    surfaces = list(_surfaces(data, levels))
    _draw(one, surfaces, (0.0, 1.0), elevation=18.0, azimuth=-62.0)
    # The two highest levels alone: spheres would hide them.
    _draw(many, surfaces[:2], _VIEW, elevation=12.0, azimuth=-72.0)
    style.panel_title(one, "a", "one unit cell, gradient from A to B")
    style.panel_title(many, "b", "with a part of each neighbour, spheres left out")
    _explain(figure, data, levels)
    names = ("magnetisation_real", "place", "unknowns", "signal", "signal_error", "pulsed_signal")
    group = dict(to_group(data, (*names, "water")))
    group["level"] = Variable(("level",), levels, "1", "values of Re m on the surfaces")
    group["printed_signal"] = Variable((), _PRINTED, "1", "signal printed in MMG20")
    group["signal_per_cell"] = Variable(
        ("mesh",), (data.signal * data.water).values, "1", "integral of m over the volume a^3"
    )
    return Drawing(figure, group)


def _surfaces(data: xarray.Dataset, levels: Array) -> Iterator[Surface]:
    """Isosurfaces in the unit cell, and the sphere."""
    places, values = data.place.values, data.magnetisation_real.values
    elements = data.element_node.values.astype(np.int64)
    slopes = nodal_gradient(places, elements, values)
    nodal = np.column_stack([places, slopes, values])
    lowest, highest = values[elements].min(axis=1), values[elements].max(axis=1)
    for level, (_, color, opacity) in zip(levels, _LEVELS, strict=True):
        # A quadratic field may pass a level that no node has reached.
        margin = 0.1 * (highest - lowest)
        crossed = (lowest - margin < level) & (level < highest + margin)
        fine, tetrahedra = refine(elements[crossed], nodal)
        points, triangles = isosurface(fine[:, :6], tetrahedra, fine[:, 6], float(level))
        yield Surface(points[triangles], color, opacity)
    yield Surface(_obstacle(places, eighths(elements)), _OBSTACLE)


def _obstacle(places: Array, tetrahedra: NDArray[np.int64]) -> Array:
    """Faces of the water that lie on no face of the unit cell, with normals, shape (n, 3, 6)."""
    faces = np.concatenate([np.delete(tetrahedra, i, axis=1) for i in range(4)])
    _, first, count = np.unique(
        np.sort(faces, axis=1), axis=0, return_index=True, return_counts=True
    )
    outer = faces[first[count == 1]]
    # What lies opposite a face is in the water: normals of all faces point the same way.
    inner = np.concatenate([tetrahedra[:, i] for i in range(4)])[first[count == 1]]
    corners = places[outer]
    low, high = places.min(axis=0), places.max(axis=0)
    flat = [np.all(np.abs(corners - side) < 1e-9, axis=1).any(axis=1) for side in (low, high)]
    chosen = ~(flat[0] | flat[1])
    outer, inner = outer[chosen], inner[chosen]
    across = normals(places, outer)
    inward = np.einsum("ni,ni->n", across, places[inner] - places[outer[:, 0]]) < 0.0
    across[inward] *= -1.0
    mean = np.zeros_like(places)
    np.add.at(mean, outer, across[:, None])
    return np.concatenate([places[outer], mean[outer]], axis=-1)


def _draw(
    ax: Axes,
    surfaces: list[Surface],
    view: tuple[float, float],
    elevation: float,
    azimuth: float,
) -> None:
    """A picture of the surfaces in the cells that a cube cuts, and of the edges of one cell."""
    low, high = view
    middle = (low + high) / 2.0
    # The diagonal of the cube, whichever way it is seen.
    camera = Camera(elevation, azimuth, (middle, middle, middle), 1.72 * (high - low))
    steps = range(int(np.floor(low)), int(np.ceil(high)))
    scene = []
    for surface in surfaces:
        moved = [surface.corners + np.array([*s, 0, 0, 0]) for s in product(steps, repeat=3)]
        corners = np.concatenate([clip(part, low, high) for part in moved])
        scene.append(Surface(corners, surface.color, surface.opacity))
    radius = 0.0022 * camera.width
    edges = [tube(start, end, radius) for start, end in _box()]
    scene.append(Surface(np.concatenate(edges), "black"))
    # A picture of its own resolution in the PDF too.
    ax.imshow(render(scene, camera, _PIXELS), extent=(0, 1, 0, 1), interpolation="none")
    for place, name in ((-0.05, "A"), (1.05, "B")):
        x, y, _ = camera.project(np.full(3, place))
        halo = withStroke(linewidth=2.0, foreground="white")
        ax.text(x, y, name, fontweight="bold", ha="center", va="center", path_effects=[halo])
    ax.set(xlim=(0.06, 0.94), ylim=(0.06, 0.94))
    ax.set_axis_off()


def clip(triangles: Array, low: float, high: float) -> Array:
    """The parts of triangles (n, 3, 3 or more) that lie in a cube, as triangles."""
    for axis, (limit, sign) in product(range(3), ((low, 1.0), (high, -1.0))):
        triangles = cut(triangles, sign * (triangles[..., axis] - limit))
    return triangles


def _box() -> Array:
    """The twelve edges of the unit cell, shape (12, 2, 3)."""
    corners = np.array(list(product((0.0, 1.0), repeat=3)))
    edges = [(a, b) for a in corners for b in corners if (b - a).sum() == 1 and (b >= a).all()]
    return np.array(edges)


def _explain(figure: Figure, data: xarray.Dataset, levels: Array) -> None:
    """Colours of the surfaces, and the signals."""
    patches = [
        Patch(color=color, alpha=max(opacity, 0.5), label=style.power_of_ten(float(f"{level:.1e}")))
        for level, (_, color, opacity) in zip(levels, _LEVELS, strict=True)
    ]
    patches.append(Patch(color=_OBSTACLE, label="obstacle"))
    finest = data.isel(mesh=-1)
    pulsed = finest.pulsed_signal.isel(pulses=0, modes=-1)
    rounded, ceiling = (float(pulsed.sel(rule=rule)) for rule in ("round", "ceil"))
    share = float(data.water)
    lines = (
        f"S = {_three(float(finest.signal))}, mean over the water, gradient as it is; by "
        f"P = {int(pulsed.pulses)} narrow pulses and {int(pulsed.modes)} modes "
        f"{_three(rounded)} (rounding) or {_three(ceiling)} (ceiling)",
        f"S per volume of the cell (water: {share:.3f}): {_three(share * float(finest.signal))} "
        f"and {_three(share * rounded)} (rounding); MMG20 print {_three(_PRINTED)}",
        r"Re $m$ on the surfaces:",
    )
    figure.legend(
        handles=patches,
        loc="outside lower center",
        ncols=len(patches),
        title="\n".join(lines),
        title_fontsize=style.SMALL,
    )


def _three(value: float) -> str:
    return style.power_of_ten(float(f"{value:.2e}"))
