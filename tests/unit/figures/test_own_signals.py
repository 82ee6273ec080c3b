"""Signals of one's own studies: every number is that of the study, whatever axis is where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray
from matplotlib.figure import Figure
from support.figure_checks import draw_own, labels_of, lines, texts
from support.figure_files import MODELS, NUMERICAL_ERROR, signal, sweep, write_disc, write_signals

from torrey.figures.drawing import Drawing, FigureFiles
from torrey.figures.own_axes import draw_within
from torrey.figures.own_signals import is_complex
from torrey.figures.style import look_of

B = (0.0, 1.0, 2.0, 3.0)
DELTAS = (10.0, 20.0, 40.0)
KAPPAS = (0.0, 0.05)
PLACES = {"x": "b", "colour": "Delta", "panel": "permeability"}


@pytest.fixture
def files(tmp_path: Path) -> FigureFiles:
    table = write_signals(
        tmp_path / "mine", sweep(b=B, Deltas=DELTAS, kappas=KAPPAS), MODELS, signal
    )
    mesh = write_disc(tmp_path / "mesh.nc")
    return FigureFiles({"signals": {"my_study": table}, "mesh": {"my_study": mesh}})


def expected(model: str, kappa: float, Delta: float) -> np.ndarray:
    return np.array([signal(model, 2.0, kappa, Delta, b) for b in B])


def test_colours_and_panels_hold_the_numbers_of_the_study(files, tmp_path):
    drawing = draw_own("signals", files, PLACES, tmp_path)
    data = drawing.data
    values = data["signal_real"]
    assert set(values.dims) == {"panel", "colour", "model", "b"}
    table = np.moveaxis(
        values.values, [values.dims.index(d) for d in ("panel", "colour", "model", "b")],
        range(4),
    )  # fmt: skip
    for i, kappa in enumerate(KAPPAS):
        for j, Delta in enumerate(DELTAS):
            for k, model in enumerate(MODELS):
                np.testing.assert_allclose(table[i, j, k], expected(model, kappa, Delta))
    assert list(data["permeability"].values) == list(KAPPAS)
    assert list(data["Delta"].values) == list(DELTAS)
    assert np.max(data["numerical_error"].values) >= NUMERICAL_ERROR


def test_curves_are_drawn_in_their_panels(files, tmp_path):
    figure = draw_own("signals", files, PLACES, tmp_path).figure
    assert len(figure.axes) == len(KAPPAS)
    for ax, kappa in zip(figure.axes, KAPPAS, strict=True):
        curves = [line for line in ax.lines if line.get_label() == "R0"]
        for curve, Delta in zip(curves, DELTAS, strict=True):
            np.testing.assert_allclose(curve.get_xdata(), [0, 1000, 2000, 3000])
            np.testing.assert_allclose(curve.get_ydata(), expected("R0", kappa, Delta))
        assert len({line.get_color() for line in curves}) == len(DELTAS)
        assert labels_of(ax)[0] == r"$b$ (s/mm$^2$)"
    said = texts(figure)
    assert r"$\Delta$ = 10 ms" in said
    assert any(r"$\kappa$ = 0" in text for text in said)


def test_signals_over_more_than_a_decade_are_drawn_in_logarithms(files, tmp_path):
    assert draw_own("signals", files, PLACES, tmp_path).figure.axes[0].get_yscale() == "log"
    points = sweep(b=(0.0, 0.5, 1.0))
    table = write_signals(tmp_path / "short", points, MODELS, signal)
    short = FigureFiles({"signals": {"short": table}})
    places = {"x": "b", "colour": "", "panel": ""}
    assert draw_own("signals", short, places, tmp_path).figure.axes[0].get_yscale() == "linear"


def test_without_colours_models_have_theirs(files, tmp_path):
    points = sweep(b=B)
    only = FigureFiles({"signals": {"a": write_signals(tmp_path / "a", points, MODELS, signal)}})
    places = {"x": "b", "colour": "", "panel": ""}
    drawing = draw_own("signals", only, places, tmp_path)
    assert set(drawing.data["signal_real"].dims) == {"panel", "model", "b"}
    (ax,) = drawing.figure.axes
    curves = lines(ax)
    assert curves["R0"].get_color() != curves["R2"].get_color()
    assert curves["Ref"].get_linestyle() == "None"
    assert {"Ref", "R0", "R2"} <= set(texts(drawing.figure))


def test_an_axis_that_is_no_b_is_drawn_against(files, tmp_path):
    places = {"x": "Delta", "colour": "b", "panel": "permeability"}
    drawing = draw_own("signals", files, places, tmp_path)
    assert labels_of(drawing.figure.axes[-1])[0] == r"$\Delta$ (ms)"
    curve = [line for line in drawing.figure.axes[0].lines if line.get_label() == "R2"][1]
    np.testing.assert_allclose(
        curve.get_ydata(), [signal("R2", 2.0, 0.0, Delta, 1.0) for Delta in DELTAS]
    )


def test_one_value_of_each_axis_and_some_models_are_drawn(files, tmp_path):
    part = {"at": {"my_study": {"Delta": 1, "permeability": 1}}, "models": ["reference", "R2"]}
    drawing = draw_own("signals", files, {"x": "b", "colour": "", "panel": "", **part}, tmp_path)
    data = drawing.data
    assert list(data["model"].values) == ["reference", "R2"]
    np.testing.assert_allclose(data["signal_real"].values.reshape(2, -1)[1],
                               expected("R2", KAPPAS[1], DELTAS[1]))  # fmt: skip
    assert {"R0"}.isdisjoint(texts(drawing.figure))
    assert any(r"$\Delta$ = 20 ms" in text and "5" in text for text in texts(drawing.figure))


def two_studies(tmp_path: Path) -> FigureFiles:
    """Studies with different b, models and Delta."""
    one = write_signals(tmp_path / "one", sweep(b=(3.0, 1.0)), MODELS, signal)
    two = write_signals(tmp_path / "two", sweep(b=(1.0, 2.0), Deltas=(7.0,)), MODELS[:2], signal)
    return FigureFiles({"signals": {"first_one": one, "second": two}})


@pytest.mark.parametrize("place", ["colour", "panel"])
def test_studies_keep_their_own_points(tmp_path, place):
    places = {"x": "b", "colour": "", "panel": ""} | {place: "study"}
    drawing: Drawing = draw_own("signals", two_studies(tmp_path), places, tmp_path)
    data = drawing.data
    assert list(data["b"].values) == [1.0, 2.0, 3.0]
    assert list(data["model"].values) == list(MODELS)
    values, dims = data["signal_real"].values, data["signal_real"].dims
    rows = np.moveaxis(
        values, [dims.index(place), dims.index("model"), dims.index("b")], range(3)
    ).reshape(2, 3, 3)
    exact = [signal("R0", 2.0, 0.05, 20.0, b) for b in (1.0, np.nan, 3.0)]
    np.testing.assert_allclose(rows[0, 1], exact)
    np.testing.assert_allclose(
        rows[1, 1], [signal("R0", 2.0, 0.05, 7.0, b) for b in (1.0, 2.0, np.nan)]
    )
    assert np.all(np.isnan(rows[1, 2]))
    assert any("first one" in text for text in texts(drawing.figure))


def test_a_signal_that_means_nothing_is_hollow_and_sets_no_limits(tmp_path):
    def wild(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
        return 50.0 * b if model == "R2" else signal(model, period, kappa, Delta, b)

    table = write_signals(tmp_path / "a", sweep(b=B), MODELS, wild, unstable=("R2",))
    places = {"x": "b", "colour": "", "panel": ""}
    figure = draw_own("signals", FigureFiles({"signals": {"a": table}}), places, tmp_path).figure
    assert figure.axes[0].get_ylim()[1] < 2.0
    assert any("unstable" in text for text in texts(figure))
    # The point at b = 0 is within the axes, those beyond have one mark at their border.
    ax = figure.axes[0]
    (mark,) = [line for line in ax.lines if line.get_label() == "_beyond"]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (3000.0, ax.get_ylim()[1])
    (curve,) = [line for line in ax.lines if line.get_label() == "R2"]
    assert not np.any(np.asarray(curve.get_ydata()) > ax.get_ylim()[1])
    # What hollow marks mean covers nothing: it is above the axes.
    assert not any("hollow" in text.get_text() for text in ax.texts)


def test_a_curve_that_comes_back_has_its_mark_where_it_leaves():
    ax = Figure().subplots()
    ax.set_ylim(0.1, 1.0)
    values, unstable = [0.9, np.inf, -1e200, 0.5], [False, True, True, True]
    label = draw_within(ax, look_of("R2"), range(4), values, unstable)
    assert (label.x, label.y, label.text) == (3.0, 0.5, "R2")
    (mark,) = [line for line in ax.lines if line.get_label() == "_beyond"]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (1.0, 1.0)
    (hollow,) = [line for line in ax.lines if line.get_label() == "_hollow"]
    assert list(hollow.get_xdata()) == [3.0]


def test_an_imaginary_part_that_means_nothing_is_none():
    columns = {"signal_imag": [0.0, 1e30], "unstable": [0, 1]}
    data = xarray.Dataset({name: ("model", values) for name, values in columns.items()})
    assert not is_complex(data)
    assert is_complex(data.assign(unstable=("model", [0, 0])))
