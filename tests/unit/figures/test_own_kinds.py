"""Orders, cumulants and angles of one's own studies: the numbers of their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.figure_checks import draw_own, labels_of, lines, texts
from support.figure_files import (
    MODELS,
    signal,
    sweep,
    write_convergence,
    write_cumulants,
    write_signals,
    write_table,
)

from torrey.figures.drawing import FigureFiles
from torrey.figures.own_angles import own_angles
from torrey.figures.own_axes import wrapped

PERIODS = (1.0, 2.0, 4.0, 8.0)
DELTAS = (10.0, 20.0)


def convergent(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
    """Signals whose errors fall like L^2 (R0) and like L^4 (R2)."""
    power = {"reference": None, "R0": 2, "R2": 4}[model]
    return 0.5 + (0.0 if power is None else 1e-6 * Delta * period**power)


@pytest.fixture
def orders(tmp_path: Path) -> FigureFiles:
    points = sweep(periods=PERIODS, Deltas=DELTAS)
    table = write_signals(tmp_path / "mine", points, MODELS, convergent, error=1e-9)
    return FigureFiles({"convergence": {"mine": write_convergence(table, MODELS[1:])}})


def test_orders_are_beside_the_errors_that_they_are_fitted_to(orders, tmp_path):
    figure = draw_own("orders", orders, {"panel": "Delta"}, tmp_path).figure
    assert len(figure.axes) == len(DELTAS)
    said = " ".join(texts(figure))
    assert "R0: 2.00" in said
    assert "R2: 4.00" in said
    for ax, Delta in zip(figure.axes, DELTAS, strict=True):
        np.testing.assert_allclose(lines(ax)["R2"].get_xdata(), PERIODS)
        exact = [1e-6 * Delta * period**4 for period in PERIODS]
        np.testing.assert_allclose(lines(ax)["R2"].get_ydata(), exact, rtol=1e-4)
    assert labels_of(figure.axes[0])[0] == r"$L$ ($\mu$m)"


def test_errors_of_rounding_have_no_order_and_set_no_limits(tmp_path):
    def rounded(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
        if model == "R2" or b == 0.0:
            return 1.0 - (0.0 if model == "reference" else 1e-15 * period)
        return convergent(model, period, kappa, Delta, b)

    points = sweep(periods=PERIODS[2:], b=(0.0, 1.0))
    table = write_signals(tmp_path / "mine", points, MODELS, rounded, error=0.0)
    files = FigureFiles({"convergence": {"mine": write_convergence(table, MODELS[1:])}})
    figure = draw_own("orders", files, {"panel": "b"}, tmp_path).figure
    assert figure.axes[0].get_ylim()[0] > 1e-6
    assert "R0: 2.00" in texts(figure)
    assert [text.get_text() for text in figure.axes[0].texts] == ["R0: no order", "R2: no order"]
    assert "below the numerical error" not in texts(figure)
    # They are at the border of the axes, and not beyond it.
    hollow = [line for line in figure.axes[0].lines if line.get_label() == "_hollow"]
    assert {y for line in hollow for y in line.get_ydata()} == {figure.axes[0].get_ylim()[0]}


def test_periods_have_numbers_where_there_is_room(tmp_path):
    many = tuple(float(period) for period in range(10, 30))
    table = write_signals(tmp_path / "mine", sweep(periods=many), MODELS, convergent, error=1e-9)
    files = FigureFiles({"convergence": {"mine": write_convergence(table, MODELS[1:])}})
    (ax,) = draw_own("orders", files, {"panel": ""}, tmp_path).figure.axes
    numbers = [text.get_text() for text in ax.get_xticklabels()]
    assert numbers == ["10", "12", "15", "18", "22", "27"]


def test_a_model_below_the_numerical_error_has_no_order(tmp_path):
    table = write_signals(tmp_path / "mine", sweep(periods=PERIODS), MODELS, convergent, error=1.0)
    files = FigureFiles({"convergence": {"mine": write_convergence(table, MODELS[1:])}})
    figure = draw_own("orders", files, {"panel": ""}, tmp_path).figure
    assert "R2: no order" in texts(figure)
    hollow = [line for line in figure.axes[0].lines if line.get_label() == "_hollow"]
    assert len(hollow) == 2


def test_cumulants_are_those_of_the_study(tmp_path):
    points = sweep(Deltas=DELTAS, kappas=(0.0, 0.05))
    table = write_signals(tmp_path / "mine", points, MODELS, signal)
    files = FigureFiles({"cumulants": {"mine": write_cumulants(table, points, MODELS)}})
    places = {"x": "Delta", "colour": "permeability"}
    drawing = draw_own("cumulants", files, places, tmp_path)
    diffusivity, kurtosis = drawing.figure.axes
    assert labels_of(diffusivity) == (r"$\Delta$ (ms)", r"$D$ ($\mu$m$^2$/ms)")
    curves = [line for line in diffusivity.lines if line.get_label() == "R0"]
    for curve, kappa in zip(curves, (0.0, 0.05), strict=True):
        np.testing.assert_allclose(curve.get_ydata(), [0.5 + kappa + 0.01 * D for D in DELTAS])
    np.testing.assert_allclose(lines(kurtosis)["R2"].get_ydata(), 0.3)
    assert r"$\kappa$ = 0" in texts(drawing.figure)
    some = draw_own("cumulants", files, {**places, "models": ["R2"]}, tmp_path)
    assert list(some.data["model"].values) == ["R2"]


# ---- angles ----


def angular(directory: Path, vectors: np.ndarray, **more: np.ndarray) -> FigureFiles:
    """Signals 0.5 + 0.1 i of R0 along direction number i, and half of that of R2."""
    labels = np.array([",".join(f"{x:.3f}" for x in vector) for vector in vectors])
    given = {"direction_vector": (("direction", "axis"), vectors)}
    given |= {name: (("direction",), values) for name, values in more.items()}
    value = 0.5 + 0.1 * np.arange(len(vectors))
    path = write_table(directory, {"direction": labels}, np.array([value, 0.5 * value]), given)
    return FigureFiles({"signals": {"mine": path}})


PLAIN = {"colour": "", "panel": ""}


def test_directions_of_the_plane_are_drawn_with_their_opposites(tmp_path):
    angles = np.radians([0.0, 60.0, 120.0])
    files = angular(tmp_path, np.column_stack([np.cos(angles), np.sin(angles)]))
    drawing = draw_own("angles", files, PLAIN, tmp_path)
    (ax,) = drawing.figure.axes
    assert ax.name == "polar"
    curve = lines(ax)["R0"]
    np.testing.assert_allclose(np.degrees(curve.get_xdata()), np.arange(0, 361, 60), atol=1e-9)
    np.testing.assert_allclose(curve.get_ydata(), [0.5, 0.6, 0.7, 0.5, 0.6, 0.7, 0.5])
    assert any("a circle every 0." in text for text in texts(drawing.figure))
    assert {"R0", "R2"} <= set(texts(drawing.figure))


def test_directions_in_space_are_drawn_against_their_angle_to_the_fibre(tmp_path):
    vectors = np.eye(3)
    files = angular(tmp_path, vectors, fibre_angle=np.array([90.0, 90.0, 0.0]))
    drawing = draw_own("angles", files, PLAIN, tmp_path)
    (ax,) = drawing.figure.axes
    marks = lines(ax)["R2"]
    assert marks.get_linestyle() == "None"
    np.testing.assert_allclose(marks.get_xdata(), [90.0, 90.0, 0.0])
    np.testing.assert_allclose(marks.get_ydata(), [0.25, 0.3, 0.35])
    assert labels_of(ax) == ("angle to the z axis of the cell (degree)", "$S$")
    assert own_angles(files, {**PLAIN, "models": ["R0"]}).data["signal_real"].values.size == 3


def test_signals_of_directions_that_mean_nothing_are_at_the_border(tmp_path):
    vectors, marks = np.eye(2), np.array([[0, 0], [0, 1]], dtype=np.int8)
    path = write_table(
        tmp_path,
        {"direction": np.array(["1,0", "0,1"])},
        np.array([[0.5, 0.6], [0.5, 1e200]]),
        {"direction_vector": (("direction", "axis"), vectors),
         "validity": (("model", "direction"), marks)},
    )  # fmt: skip
    figure = draw_own("angles", FigureFiles({"signals": {"mine": path}}), PLAIN, tmp_path).figure
    (ax,) = figure.axes
    (mark,) = [line for line in ax.lines if line.get_label() == "_beyond"]
    assert list(mark.get_ydata()) == [ax.get_ylim()[1]] == [1.05 * 0.6]
    assert np.nanmax([line.get_ydata().max() for line in ax.lines]) < 1.0
    assert any("hollow: R2 unstable" in text for text in texts(figure))


def test_directions_in_space_are_drawn_on_the_sphere(tmp_path):
    files = angular(tmp_path, np.eye(3), fibre_angle=np.array([90.0, 90.0, 0.0]))
    drawing = draw_own("angles", files, {**PLAIN, "sphere": True}, tmp_path)
    maps = [ax for ax in drawing.figure.axes if ax.name == "mollweide"]
    assert len(maps) == 2
    (points,) = maps[1].collections
    places = np.degrees(np.asarray(points.get_offsets()))
    np.testing.assert_allclose(places[:3, 1], [0.0, 0.0, 90.0])
    np.testing.assert_allclose(places[:2, 0], [0.0, 90.0])
    np.testing.assert_allclose(places[3:, 1], [0.0, 0.0, -90.0])
    np.testing.assert_allclose(points.get_array(), [0.25, 0.3, 0.35] * 2)
    assert points.get_clim() == (0.25, 0.7)
    assert {"poles: z and \N{MINUS SIGN}z", "$S$"} <= set(texts(drawing.figure))


def test_a_long_line_is_broken_at_commas():
    assert wrapped("one, two, three", 9) == "one, two,\nthree"
    assert wrapped(r"$\Delta$ = 1, $\kappa$ = 2", 13) == r"$\Delta$ = 1, $\kappa$ = 2"
    assert wrapped("", 5) == ""
