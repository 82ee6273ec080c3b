"""Fits of a radius as files, and the figure drawn from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from support.figure_checks import draw_checked, overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.figures.drawing import FigureFiles
from torrey.inversion.problem import Parameters
from torrey.inversion.study import PhysicalResult

KAPPAS = [0.001, 0.01, 0.1]
RADII = np.array([[-0.01, -0.02, -0.2], [0.001, 0.03, np.nan], [0.0, 0.0, 0.0]])


def written(path: Path, names: tuple[str, ...]) -> str:
    """A file of recovered parameters, kappa first; R0 ends on a bound of the radius."""
    shape = (3, 3, len(names))
    truth = np.full(shape[1:], 0.4)
    truth[:, 0] = KAPPAS
    estimate = np.broadcast_to(truth, shape).copy()
    bounded = np.zeros(shape, bool)
    if "radius" in names:
        estimate[..., 1] *= 1.0 + RADII
        bounded[0, 2, 1] = True
    table = np.full(shape[:2], 1e-6)
    result = PhysicalResult(
        ("R0", "R2", "P4"), tuple(KAPPAS), 5.0, Parameters.of(names), truth, estimate,
        estimate, estimate, ~bounded, bounded, table, table, table,
        table if "radius" in names else None,
    )  # fmt: skip
    artifacts.write(path, group_of(result), Provenance("test"))
    return str(path)


def test_a_fit_of_the_radius_says_its_unit_and_what_the_interpolation_may_be_off(tmp_path):
    data = artifacts.open_dataset(written(tmp_path / "fit.nc", ("kappa", "radius")))
    assert list(data.parameter.values) == ["kappa", "radius"]
    assert list(data.parameter_unit.values) == ["um ms-1", "1"]
    np.testing.assert_array_equal(data.interpolation_error, np.full((3, 3), 1e-6))
    other = artifacts.open_dataset(written(tmp_path / "other.nc", ("kappa", "D_e")))
    assert "interpolation_error" not in other


def test_inversion_bias_shows_the_radius_in_a_panel_of_its_own(tmp_path):
    files = {
        "alone": written(tmp_path / "alone.nc", ("kappa",)),
        "both": written(tmp_path / "both.nc", ("kappa", "radius")),
    }
    drawing = draw_checked("inversion_bias", FigureFiles({"fit": files}), tmp_path)
    assert not overlapping_texts(drawing.figure)
    *_, kappa, radius = drawing.figure.axes
    assert len(drawing.figure.axes) == 3
    assert "$R$" in kappa.get_title(loc="left")
    assert "kappa$ recovered" in kappa.get_ylabel()
    assert "$R$ recovered" in radius.get_ylabel()
    curves = {str(line.get_label()): line for line in radius.lines}
    np.testing.assert_allclose(curves["R0"].get_ydata(), [-1.0, -2.0, np.nan])
    np.testing.assert_allclose(curves["R2"].get_ydata(), [0.1, 3.0, np.nan])
    # R0 ends on a bound, which is not the same as a value beyond the axes.
    assert curves["_bound"].get_ydata().tolist() == [radius.get_ylim()[0]]
    assert curves["_bound"].get_markerfacecolor() == "white"
    assert "_beyond" not in curves
    assert "_missing" in curves
    assert "linear within" in radius.get_ylabel()
    (band,) = (patch for patch in radius.patches if patch.get_zorder() == 0)
    extent = band.get_path().get_extents(band.get_patch_transform())
    np.testing.assert_allclose([extent.y0, extent.y1], [-0.1, 0.1])
    written_texts = texts(drawing.figure)
    assert any("at a bound" in text for text in written_texts)
    assert "beyond the axes" not in written_texts
    np.testing.assert_allclose(drawing.data["radius_error_both"].values, RADII)
    assert np.argwhere(drawing.data["radius_at_bound_both"].values).tolist() == [[0, 2]]
    assert "radius_error_alone" not in drawing.data
