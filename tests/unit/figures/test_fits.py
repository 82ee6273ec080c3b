"""Figures of fits of measured signals: what is seen of voxels with a value and without."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from support.figure_checks import draw_checked, draw_own, overlapping_texts, texts

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import FigureFiles, draw
from torrey.figures.fits import _draw_estimates, labelled
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.measured import protocol_of_columns
from torrey.inversion.table_models import MODELS, table_model, table_signals
from torrey.inversion.table_report import gathered
from torrey.inversion.table_runs import fit_part
from torrey.inversion.voxel_data import VoxelData

PROTOCOL = protocol_of_columns(
    np.tile([0.0, 1.0, 2.0, 4.0], 3), 8.0, np.repeat([15.0, 40.0, 80.0], 4)
)


#: Voxels of a slice that are in the mask.
INSIDE = 20


def files_of(folder, data: VoxelData, **settings) -> FigureFiles:
    chosen = FitSettings("karger", starts=1, **settings)
    artifacts.write(folder / "part.nc", fit_part(data, chosen), Provenance("test"))
    group, attributes, _ = gathered([folder / "part.nc"], data, chosen)
    path = folder / "fit.nc"
    artifacts.write(path, group, Provenance("test"), attributes=attributes)
    return FigureFiles({"fit": {"mine": str(path)}})


def signals_of(count: int) -> np.ndarray:
    x = np.column_stack(
        [np.full(count, 2.4), np.full(count, 0.4), np.full(count, 0.5), np.linspace(10, 40, count)]
    )
    signals = table_signals("karger", PROTOCOL, x)
    return signals + np.random.default_rng(0).normal(0.0, 1e-3, signals.shape)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory) -> FigureFiles:
    i, j, _ = np.indices((6, 4, 7))
    index = np.argwhere(np.hypot(i - 2.5, j - 1.5) < 2.6)
    signals = signals_of(len(index))
    signals[index[:, 2] == 0, 1] = np.nan  # a slice without a value
    data = VoxelData(
        signals, None, index, None, PROTOCOL, (6, 4, 7), np.diag([2.0, 4.0, 3.0, 1.0]), "00"
    )
    return files_of(tmp_path_factory.mktemp("volumes"), data)


@pytest.fixture(scope="module")
def drawn(volumes) -> Figure:
    return draw(CATALOGUE["fit_maps"], volumes).figure


def test_maps_have_a_row_for_each_parameter_and_empty_voxels_outside_the_mask(drawn):
    figure = drawn
    pictures = [ax for ax in figure.axes if len(ax.images) == 2]
    assert len(pictures) == 4 * 5
    shown = [ax.images[1].get_array() for ax in pictures[:4]]
    assert all(image.shape == (4, 6) for image in shown)
    assert all(np.isfinite(np.ma.filled(image, np.nan)).sum() == INSIDE for image in shown[1:])
    assert {ax.get_aspect() for ax in pictures} == {2.0}
    said = texts(figure)
    assert r"$t_{ex}$ (ms)" in said
    assert r"$D_e$ ($\mu$m$^2$/ms)" in said
    assert "slice 0" in said
    assert "slice 6" in said
    assert overlapping_texts(figure) == []


def test_voxels_that_were_not_fitted_are_grey(drawn):
    first, *_ = (ax.images for ax in drawn.axes if len(ax.images) == 2)
    grey, shown = (np.isfinite(np.ma.filled(image.get_array(), np.nan)) for image in first)
    assert grey.sum() == INSIDE
    assert not shown.any()


@pytest.mark.parametrize("profiles", [False, True])
def test_estimates_of_a_table_have_bars_and_names(tmp_path, profiles):
    names = ("a", "b", "c")
    signals = signals_of(3)
    signals[1, 2] = np.nan
    data = VoxelData(signals, None, None, names, PROTOCOL)
    files = files_of(tmp_path, data, intervals=profiles)
    figure = draw_checked("fit_estimates", files, tmp_path).figure
    assert len(figure.axes) == 4
    said = texts(figure)
    assert {*names, "no value"} <= {*said}
    assert any(("interval of 95 %" if profiles else "standard error") in text for text in said)
    assert overlapping_texts(figure) == []
    drawn = artifacts.read(tmp_path / "fit_estimates.nc")
    assert np.isnan(drawn["estimate"][:, 1]).all()
    assert np.all(drawn["lower"][:, 0] <= drawn["estimate"][:, 0])


def test_a_figure_of_ones_own_shows_the_correlation_of_estimates_too(tmp_path):
    data = VoxelData(signals_of(3), None, None, ("a", "b", "c"), PROTOCOL)
    files = files_of(tmp_path, data)
    folder = tmp_path / "drawn"
    folder.mkdir()
    figure = draw_own("fit", files, {}, folder).figure
    fit = artifacts.open_dataset(files.files["fit"]["mine"])
    expected = np.nanmedian(fit.correlation.values, axis=0)
    drawn = artifacts.read(folder / "fit.nc")["correlation"]
    np.testing.assert_allclose(drawn, expected)
    assert any("correlation of the estimates, median of 3" in text for text in texts(figure))
    shown = {text.replace("\N{MINUS SIGN}", "-") for text in texts(figure)}
    assert {f"{value:.2f}" for value in expected.ravel() if np.isfinite(value)} <= shown
    assert np.isfinite(expected).any()


def test_a_figure_of_ones_own_has_the_curves_of_profiles(tmp_path):
    data = VoxelData(signals_of(3), None, None, ("a", "b_1", "c"), PROTOCOL)
    files = files_of(tmp_path, data, intervals=True)
    folder = tmp_path / "drawn"
    folder.mkdir()
    figure = draw_own("fit", files, {}, folder).figure
    fit = artifacts.open_dataset(files.files["fit"]["mine"])
    names = [str(name) for name in fit.parameter.values]
    panels = [ax for ax in figure.axes if ax.get_ylabel() == "deviance"]
    assert len(panels) == len(names) == 4
    assert {"b 1", "95 %"} <= set(texts(figure))
    for ax, name in zip(panels, names, strict=True):
        curves = [line for line in ax.lines if len(line.get_xdata()) > 2]
        assert len(curves) == 3
        for line, x, y in zip(
            curves, fit[f"{name}_profile"].values, fit[f"{name}_deviance"].values, strict=True
        ):
            there = np.interp(x, line.get_xdata(), line.get_ydata())
            np.testing.assert_allclose(there, y, atol=0.03)
    drawn = artifacts.read(folder / "fit.nc")
    assert drawn["deviance"].shape == (4, 3, fit.sizes["profile_point"])


@pytest.mark.parametrize(("marker", "way"), [("^", "up"), ("v", "down")])
def test_the_arrow_of_an_open_interval_covers_no_estimate(tmp_path, marker, way):
    files = files_of(tmp_path, VoxelData(signals_of(3), None, None, ("a", "b", "c"), PROTOCOL))
    fit = artifacts.read(files.files["fit"]["mine"])
    name = str(fit["parameter"][0])
    values = fit[name]
    place = int(values.argmax() if way == "up" else values.argmin())
    ends = np.array([values - 1e-3, values + 1e-3])
    ends[int(way == "up"), place] = np.inf if way == "up" else -np.inf
    ax = Figure().subplots()
    _draw_estimates(ax, values, ends)
    (arrow,) = [line for line in ax.lines if line.get_label() == "_open"]
    assert arrow.get_marker() == marker
    low, high = ax.get_ylim()
    assert abs(arrow.get_ydata()[0] - values[place]) > 0.08 * (high - low)


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_has_a_symbol(name):
    options = {"anisotropic": True} if "anisotropic" in MODELS[name].options else {}
    for one in (*table_model(name).parameters, *table_model(name, **options).parameters):
        symbol = labelled(one.name, one.unit).split(" (")[0]
        assert symbol.startswith("$") or symbol in ("ADC", "AXR")
