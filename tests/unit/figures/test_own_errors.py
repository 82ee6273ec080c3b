"""Errors of models in one's own studies: the numbers of the study, above their numerical error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray
from support.figure_checks import draw_own, labels_of, texts
from support.figure_files import MODELS, signal, sweep, write_disc, write_signals

from torrey.base import artifacts
from torrey.figures.drawing import FigureFiles
from torrey.figures.own_errors import _edges, with_errors

B = (0.0, 1.0, 2.0, 3.0)
DELTAS = (10.0, 20.0, 40.0)
KAPPAS = (0.0, 0.05)
CURVES = {"x": "b", "y": "", "colour": "Delta", "panel": "permeability"}
MAPS = {"x": "b", "y": "Delta", "colour": "", "panel": "permeability"}
MODELS_WITH_ERRORS = MODELS[1:]


def table(directory: Path, error: float = 1e-9, unstable: tuple[str, ...] = ()) -> FigureFiles:
    points = sweep(b=B, Deltas=DELTAS, kappas=KAPPAS)
    path = write_signals(directory / "mine", points, MODELS, signal, unstable, error)
    mesh = write_disc(directory / "mesh.nc")
    return FigureFiles({"signals": {"mine": path}, "mesh": {"mine": mesh}})


def true_error(model: str, kappa: float, Delta: float) -> np.ndarray:
    return np.array(
        [
            abs(signal(model, 2, kappa, Delta, b) - signal("reference", 2, kappa, Delta, b))
            for b in B
        ]
    )


@pytest.mark.parametrize(("places", "second"), [(CURVES, "colour"), (MAPS, "Delta")])
def test_the_data_are_the_errors_of_the_study(tmp_path, places, second):
    drawing = draw_own("errors", table(tmp_path), places, tmp_path)
    found = artifacts.open_dataset(tmp_path / "errors.nc").error
    assert list(found.model.values) == list(MODELS_WITH_ERRORS)
    for i, kappa in enumerate(KAPPAS):
        for j, Delta in enumerate(DELTAS):
            for model in MODELS_WITH_ERRORS:
                row = found.isel({"panel": i, second: j}).sel(model=model)
                np.testing.assert_allclose(row.values, true_error(model, kappa, Delta), atol=1e-12)
    assert "error_floor" in drawing.data


def test_curves_are_those_of_each_colour_and_panel(tmp_path):
    figure = draw_own("errors", table(tmp_path), CURVES, tmp_path).figure
    assert [ax.get_yscale() for ax in figure.axes] == ["log", "log"]
    for ax, kappa in zip(figure.axes, KAPPAS, strict=True):
        curves = [line for line in ax.lines if line.get_label() == "R2"]
        for curve, Delta in zip(curves, DELTAS, strict=True):
            np.testing.assert_allclose(curve.get_ydata(), true_error("R2", kappa, Delta), rtol=1e-6)
    assert {"Ref"}.isdisjoint(texts(figure))


def test_errors_of_some_models_at_one_value(tmp_path):
    part = {"at": {"mine": {"permeability": 1}}, "models": ["reference", "R2"]}
    draw_own("errors", table(tmp_path), {**MAPS, "panel": "", **part}, tmp_path)
    found = artifacts.open_dataset(tmp_path / "errors.nc")
    assert list(found.model.values) == ["R2"]
    np.testing.assert_allclose(
        found.error.isel(Delta=2).values.ravel(), true_error("R2", KAPPAS[1], DELTAS[2]), atol=1e-12
    )
    assert float(found.permeability) == KAPPAS[1]


def test_what_is_below_the_numerical_error_is_not_drawn(tmp_path):
    figure = draw_own("errors", table(tmp_path, error=5e-4), CURVES, tmp_path).figure
    data = artifacts.open_dataset(tmp_path / "errors.nc").isel(panel=0, colour=0)
    below = (data.error <= data.error_floor).sel(model="R2").values
    assert below.any()
    curve = next(line for line in figure.axes[0].lines if line.get_label() == "R2")
    np.testing.assert_array_equal(np.isnan(curve.get_ydata()), below)


def test_maps_show_each_model_in_each_panel(tmp_path):
    figure = draw_own("errors", table(tmp_path), MAPS, tmp_path).figure
    maps = [ax for ax in figure.axes if ax.collections and ax.get_label() != "<colorbar>"]
    assert len(maps) == len(KAPPAS) * len(MODELS_WITH_ERRORS)
    shown = np.asarray(maps[0].collections[0].get_array()).reshape(len(DELTAS), len(B))
    exact = np.log10(np.maximum([true_error("R0", KAPPAS[0], Delta) for Delta in DELTAS], 1e-30))
    np.testing.assert_allclose(shown[:, 1:], exact[:, 1:], rtol=1e-3)
    assert labels_of(maps[-1])[0] == r"$b$ (s/mm$^2$)"
    assert labels_of(maps[0])[1] == r"$\Delta$ (ms)"


def test_marks_say_what_means_nothing_and_what_is_below_the_numerical_error(tmp_path):
    figure = draw_own("errors", table(tmp_path, 5e-4, unstable=("R2",)), MAPS, tmp_path).figure
    assert {"unstable", "below the numerical error"} <= set(texts(figure))
    crosses = [line for line in figure.axes[1].lines if line.get_marker() == "x"]
    assert [len(line.get_xdata()) for line in crosses] == [len(B) * len(DELTAS)]
    (dots,) = [line for line in figure.axes[1].lines if line.get_marker() == "."]
    data = artifacts.open_dataset(tmp_path / "errors.nc").isel(panel=0).sel(model="R2")
    below = np.argwhere((data.error <= data.error_floor).transpose("Delta", "b").values)
    assert 0 < len(below) < len(B) * len(DELTAS)
    expected = {(1000.0 * B[column], DELTAS[row]) for row, column in below}
    assert set(zip(dots.get_xdata(), dots.get_ydata(), strict=True)) == expected


def test_rounding_is_no_error_of_a_model():
    names = xarray.DataArray(["reference", "R0"], dims="model")
    columns = {"model_error": [0.0, 2e-16], "model_error_floor": [0.0, 0.0], "unstable": [0, 0]}
    data = xarray.Dataset({k: ("model", v) for k, v in columns.items()}, {"model": names})
    found = with_errors(data)
    assert found.error.values < found.error_floor.values


@pytest.mark.parametrize("colour", ["Delta", ""])
def test_a_point_without_neighbours_is_seen(tmp_path, colour):
    def exact_at_zero(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
        return signal(model if b else "reference", period, kappa, Delta, b)

    points = sweep(b=B[:2], Deltas=DELTAS)
    path = write_signals(tmp_path / "mine", points, MODELS, exact_at_zero)
    places = {"x": "b", "y": "", "colour": colour, "panel": ""}
    figure = draw_own("errors", FigureFiles({"signals": {"mine": path}}), places, tmp_path).figure
    marks = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", "none")]
    seen = [y for line in marks for y in line.get_ydata() if np.isfinite(y)]
    expected = [
        abs(signal(model, 2, 0.05, Delta, 1.0) - signal("reference", 2, 0.05, Delta, 1.0))
        for Delta in (DELTAS if colour else DELTAS[:1])
        for model in MODELS_WITH_ERRORS
    ]
    np.testing.assert_allclose(sorted(seen), sorted(expected), rtol=1e-6)


def test_where_nothing_is_above_the_numerical_error_a_panel_says_so(tmp_path):
    def free(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
        return signal("reference", period, kappa, Delta, b)

    path = write_signals(tmp_path / "mine", sweep(b=B), MODELS, free, error=1e-12)
    places = {"x": "b", "y": "", "colour": "", "panel": ""}
    figure = draw_own("errors", FigureFiles({"signals": {"mine": path}}), places, tmp_path).figure
    assert "all errors are below\nthe numerical error" in texts(figure)
    # The band lies below the axes: no sample promises it.
    assert "below the numerical error" not in texts(figure)


@pytest.mark.parametrize(("error", "seen"), [(5e-4, True), (1e-12, False)])
def test_the_legend_has_the_band_where_it_is_seen(tmp_path, error, seen):
    said = texts(draw_own("errors", table(tmp_path, error), CURVES, tmp_path).figure)
    assert ("below the numerical error" in said) == seen
    assert "all errors are below\nthe numerical error" not in said


def test_errors_that_mean_nothing_leave_a_mark_at_the_border(tmp_path):
    def wild(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
        return 1e30 * b if model == "R2" else signal(model, period, kappa, Delta, b)

    path = write_signals(tmp_path / "mine", sweep(b=B), MODELS, wild, unstable=("R2",))
    places = {"x": "b", "y": "", "colour": "", "panel": ""}
    figure = draw_own("errors", FigureFiles({"signals": {"mine": path}}), places, tmp_path).figure
    (ax,) = figure.axes
    (mark,) = [line for line in ax.lines if line.get_label() == "_beyond"]
    assert list(mark.get_ydata()) == [ax.get_ylim()[1]]
    (curve,) = [line for line in ax.lines if line.get_label() == "R2"]
    assert not np.any(np.asarray(curve.get_ydata()) > ax.get_ylim()[1])
    assert "R2" in texts(figure)


def test_maps_have_no_axis_below_zero_where_no_value_is(tmp_path):
    figure = draw_own("errors", table(tmp_path), MAPS, tmp_path).figure
    assert figure.axes[0].get_xlim() == (0.0, 3500.0)
    assert _edges(np.array([-1.0, 1.0])).tolist() == [-2.0, 0.0, 2.0]
