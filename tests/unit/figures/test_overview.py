"""The overview of a study: something is drawn whatever it sweeps, with the numbers of the study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.figure_checks import identifiers, labels_of, overlapping_texts, texts
from support.figure_files import MODELS, signal, sweep, write_disc, write_signals, write_table

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.figures import overview as module
from torrey.figures.drawing import Drawing
from torrey.figures.overview import overview
from torrey.gradients.sweep import Sweep

B = (0.0, 1.0, 2.0, 3.0)
ONE = {"b": (1.0,)}
FOUR = {"b": B, "Deltas": (10.0, 20.0), "kappas": (0.0, 0.05), "periods": (2.0, 3.0)}


@pytest.fixture
def draw(tmp_path: Path):
    def drawn(points: Sweep, models=MODELS, remarks: list[str] | None = None) -> Drawing:
        table = write_signals(tmp_path / "my_study", points, models, signal)
        said: list[str] = []
        drawing = overview("my_study", table, write_disc(tmp_path / "mesh.nc"), said)
        artifacts.write(tmp_path / "overview.nc", drawing.data, Provenance("test"))
        assert identifiers(drawing.figure) == []
        assert overlapping_texts(drawing.figure) == []
        if remarks is None:
            assert said == []
        else:
            remarks += said
        return drawing

    return drawn


def test_four_axes_are_cut_to_two_and_the_rest_is_said(draw):
    drawing = draw(sweep(**FOUR))
    assert len(drawing.figure.axes) == 3
    said = "\n".join(texts(drawing.figure))
    assert "my study: " in said
    assert "the first of 2 values of permeability and of 2 values of Delta" in said
    data = drawing.data["signal_real"]
    assert set(data.dims) == {"colour", "model", "b"}
    order = [data.dims.index(dim) for dim in ("colour", "model", "b")]
    values = np.transpose(data.values, order)
    for i, period in enumerate(FOUR["periods"]):
        for k, model in enumerate(MODELS):
            exact = [signal(model, period, 0.0, 10.0, b) for b in B]
            np.testing.assert_allclose(values[i, k], exact)


def test_errors_have_a_panel_where_there_are_some(draw):
    drawing = draw(sweep(b=B))
    cell, signals, errors = drawing.figure.axes
    assert labels_of(errors)[0] == r"$b$ (s/mm$^2$)"
    assert errors.get_yscale() == "log"
    assert labels_of(signals) == ("", "$S$")
    curve = next(line for line in errors.lines if line.get_label() == "R0")
    exact = [abs(signal("R0", 2, 0.05, 20, b) - signal("reference", 2, 0.05, 20, b)) for b in B]
    seen = np.isfinite(curve.get_ydata())
    np.testing.assert_allclose(curve.get_ydata()[seen], np.array(exact)[seen], rtol=1e-6)
    assert seen.any()


def test_one_measurement_is_a_point_of_each_model(draw):
    drawing = draw(sweep(**ONE))
    signals = drawing.figure.axes[1]
    points = {str(line.get_label()): line.get_ydata() for line in signals.lines}
    for model in ("R0", "R2"):
        np.testing.assert_allclose(points[model], [signal(model, 2.0, 0.05, 20.0, 1.0)])
    assert labels_of(drawing.figure.axes[2])[0] == "one measurement"


def test_rows_of_an_acquisition_are_points_against_b(tmp_path):
    b = np.array([0.0, 2.0, 1.0, 2.0])
    axes, signals = {"measurement": np.arange(4.0)}, np.array([[1.0, 0.3, 0.5, 0.2]] * 2)
    table = write_table(tmp_path, axes, signals, {"b_value": (("measurement",), b)})
    said: list[str] = []
    figure = overview("scan", table, write_disc(tmp_path / "mesh.nc"), said).figure
    assert said == []
    (points,) = [line for line in figure.axes[1].lines if line.get_label() == "R2"]
    assert points.get_linestyle() == "None"
    np.testing.assert_allclose(points.get_xdata(), 1000.0 * b)
    np.testing.assert_allclose(points.get_ydata(), signals[1])
    assert labels_of(figure.axes[1])[0] == r"$b$ (s/mm$^2$)"


@pytest.mark.parametrize("count", [2, 9])
def test_labels_stand_along_x_where_there_are_no_numbers(tmp_path, count):
    labels = np.array([f"{i},1" for i in range(count)])
    table = write_table(tmp_path, {"direction": labels}, np.full((2, count), 0.5), {})
    said: list[str] = []
    figure = overview("round", table, write_disc(tmp_path / "mesh.nc"), said).figure
    assert said == []
    assert overlapping_texts(figure) == []
    ax = figure.axes[1]
    if count == 2:
        ticks = [text.get_text() for text in ax.get_xticklabels()]
        assert ticks == [r"$\mathbf{n} = \mathbf{e}_y$", r"$\mathbf{n}$ = (1, 1)"]
    else:
        assert labels_of(ax)[0] == "number of the direction"


def test_directions_of_a_rule_are_shown_by_their_mean(tmp_path):
    b, rule = np.array([0.0, 1.0, 2.0]), np.array(["1,0,0", "0,1,0"])
    mean = np.array([[1.0, 0.5, 0.2], [1.0, 0.4, 0.1]])
    more = {
        "spherical_mean": (("model", "b"), mean),
        "spherical_mean_error": (("model", "b"), 0.0 * mean + 1e-3),
        "direction_weight": (("direction",), np.full(2, 0.5)),
        "b_value": (("b",), b),
    }
    axes = {"b": b, "direction": rule}
    models = ("reference", "R2")
    table = write_table(tmp_path, axes, np.ones((2, 3, 2)), more, models)
    said: list[str] = []
    drawing = overview("powder", table, write_disc(tmp_path / "mesh.nc"), said)
    assert said == []
    _, signals, errors = drawing.figure.axes
    # No direction has an imaginary part.
    assert labels_of(signals)[1] == "$S$"
    curves = {str(line.get_label()): line for line in signals.lines}
    np.testing.assert_allclose(curves["R2"].get_ydata(), mean[1])
    (curve,) = [line for line in errors.lines if line.get_label() == "R2"]
    np.testing.assert_allclose(curve.get_ydata()[1:], [0.1, 0.1])
    assert any("mean over 2 directions" in text for text in texts(drawing.figure))
    assert "the first of" not in " ".join(texts(drawing.figure))


def test_without_other_models_there_are_no_errors(draw):
    assert len(draw(sweep(b=B), models=MODELS[:1]).figure.axes) == 2


@pytest.mark.parametrize(
    ("broken", "name"),
    [("draw_signals", "signals"), ("draw_on", "cell"), ("draw_errors", "errors"),
     ("words_of", "title"), ("cut_axes", "signals")],
)  # fmt: skip
def test_what_cannot_be_drawn_fails_nothing(draw, monkeypatch, broken, name):
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no way")

    monkeypatch.setattr(module, broken, fail)
    remarks: list[str] = []
    figure = draw(sweep(b=B), remarks=remarks).figure
    assert remarks[0] == f"the overview lacks its {name}: ZeroDivisionError: no way"
    assert (f"{name}: cannot be drawn" in texts(figure)) == (name != "title")
