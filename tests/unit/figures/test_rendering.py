"""Pictures of surfaces: areas, hidden surfaces, layers of transparent ones, light."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from torrey.figures.rendering import Camera, Surface, render, tube

#: Seen along z from above, x to the right and y upward.
ABOVE = Camera(90.0, -90.0, (0.0, 0.0, 0.0), 2.0)


def square(height: float, side: float = 1.0, slope: float = 0.0) -> np.ndarray:
    """A square across the view, or inclined along x."""
    half = side / 2
    x, y = np.array([[-half, -half], [half, -half], [half, half], [-half, half]]).T
    places = np.column_stack([x, y, height + slope * x, 0 * x - slope, 0 * x, 0 * x + 1])
    return places[[[0, 1, 2], [0, 2, 3]]]


def test_the_camera_looks_as_it_says():
    np.testing.assert_allclose(ABOVE.axes, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(ABOVE.project([0.5, -0.5, 0.0]), [0.75, 0.25, 0.5])
    slanted = Camera(18.0, -62.0, (0.5, 0.5, 0.5), 2.0).axes
    np.testing.assert_allclose(slanted @ slanted.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(slanted) == pytest.approx(1.0)


@pytest.mark.parametrize("side", [1.0, 0.83, 0.25])
def test_areas_are_those_of_the_surfaces(side):
    image = render([Surface(square(0.0, side), "black")], ABOVE, 200, 4)
    assert image.shape == (200, 200, 4)
    assert image[..., 3].mean() * 4.0 == pytest.approx(side**2, rel=2e-2)
    # No gap and no double layer where two triangles meet.
    assert image[95:105, 95:105, 3].min() == 1.0


def test_up_is_up():
    corners = square(0.0, 0.5) + np.array([0.4, 0.6, 0, 0, 0, 0])
    covered = np.argwhere(render([Surface(corners, "black")], ABOVE, 40)[..., 3] > 0.5)
    row, column = covered.mean(axis=0)
    assert row < 12
    assert column > 24


def test_what_is_nearer_hides_what_is_behind():
    for order in (1, -1):
        surfaces = [Surface(square(0.3), "red"), Surface(square(-0.3, 1.5), "blue")][::order]
        image = render(surfaces, ABOVE, 60)
        middle, edge = image[30, 30], image[30, 10]
        assert middle[0] > 0.5 > middle[2]
        assert edge[2] > 0.5 > edge[0]


def test_surfaces_that_cross_hide_each_other_in_part():
    surfaces = [Surface(square(0.0), "red"), Surface(square(0.0, slope=1.0), "blue")]
    image = render(surfaces, ABOVE, 60)
    left, right = image[30, 20], image[30, 40]
    assert left[0] > left[2]
    assert right[2] > right[0]


def test_transparent_layers_add_up_in_their_order():
    alone = [
        render([Surface(square(z), color)], ABOVE, 20)[10, 10, :3]
        for z, color in ((0.5, "red"), (0.0, "lime"), (-0.5, "blue"))
    ]
    surfaces = [
        Surface(square(0.0), "lime", 0.5),
        Surface(square(-0.5), "blue"),
        Surface(square(0.5), "red", 0.25),
    ]
    pixel = render(surfaces, ABOVE, 20)[10, 10]
    expected = 0.25 * alone[0] + 0.75 * (0.5 * alone[1] + 0.5 * alone[2])
    np.testing.assert_allclose(pixel, [*expected, 1.0], atol=1e-12)
    pixel = render(surfaces[::2], ABOVE, 20)[10, 10]
    assert pixel[3] == pytest.approx(1 - 0.5 * 0.75)
    expected = (0.25 * alone[0] + 0.75 * 0.5 * alone[1]) / pixel[3]
    np.testing.assert_allclose(pixel[:3], expected, atol=1e-12)


def ball(count: int) -> np.ndarray:
    """A sphere of few triangles with its true normals, shape (n, 3, 6)."""
    u, v = np.meshgrid(np.linspace(0, np.pi, count), np.linspace(0, 2 * np.pi, 2 * count))
    n = np.stack([np.sin(u) * np.cos(v), np.sin(u) * np.sin(v), np.cos(u)], axis=-1)
    grid = np.concatenate([0.8 * n, n], axis=-1)
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    return np.concatenate([np.stack(t, axis=2).reshape(-1, 3, 6) for t in ((a, b, c), (a, c, d))])


def test_light_is_smooth_over_the_facets():
    """As on a sphere of many facets; one colour for each facet would differ by its size."""
    coarse, fine = (
        render([Surface(ball(count), "grey")], ABOVE, 100, 1)[30:70, 30:70, 0]
        for count in (14, 120)
    )
    steps = np.abs(np.diff(coarse, axis=1)).max()
    assert np.abs(coarse - fine).max() < 0.02
    assert steps < 2.5 * np.abs(np.diff(fine, axis=1)).max()
    # The side of a normal does not matter.
    flipped = ball(14) * np.array([1, 1, 1, -1, -1, -1])
    image = render([Surface(flipped, "grey")], ABOVE, 100, 1)[30:70, 30:70, 0]
    np.testing.assert_allclose(image, coarse, atol=1e-9)


def test_a_surface_across_the_view_has_its_own_colour():
    image = render([Surface(square(0.0), "#D55E00")], ABOVE, 10)
    red, green, blue = to_rgb("#D55E00")
    pixel = image[5, 5, :3]
    # The mirrored light is white.
    assert pixel[0] - pixel[2] == pytest.approx(
        (pixel[0] - pixel[1]) * (red - blue) / (red - green)
    )


def test_a_tube_has_its_width_and_its_ends():
    corners = tube(np.array([-0.5, 0.1, 0.0]), np.array([0.5, 0.1, 0.0]), 0.05, 40)
    image = render([Surface(corners, "black")], ABOVE, 200, 2)
    assert image[..., 3].mean() * 4.0 == pytest.approx(0.1, rel=2e-2)
    np.testing.assert_allclose(np.linalg.norm(corners[..., 3:], axis=-1), 1.0)
    np.testing.assert_allclose(np.hypot(corners[..., 1] - 0.1, corners[..., 2]), 0.05)
