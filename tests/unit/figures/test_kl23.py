"""Figures 4 to 9 of Kchaou and Li show the numbers of their files, and nothing where is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from support.figure_checks import draw_checked, labels_of, lines, overlapping_texts, texts
from support.figure_files import (
    ALL_MODELS,
    MODELS,
    signal,
    sweep,
    write_convergence,
    write_cumulants,
    write_eigenvalues,
    write_kurtosis,
    write_signals,
)

from torrey.base import artifacts
from torrey.figures import style
from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import Drawing, FigureFiles, draw

B = (0.0, 1.0, 2.0, 3.0)
PERIODS = (1.0, 2.0, 4.0, 8.0)


@pytest.fixture
def against_period(tmp_path: Path) -> dict[str, str]:
    """Two studies that sweep the period."""
    return {
        f"study{i}": write_signals(
            tmp_path / f"study{i}", sweep(PERIODS, Deltas=[Delta]), MODELS, signal
        )
        for i, Delta in enumerate((15.0, 30.0))
    }


@pytest.fixture
def against_b(tmp_path: Path) -> dict[str, str]:
    """Two studies that sweep b, one of them kappa, too."""
    points = sweep(kappas=(0.05, 0.1), Deltas=[25.0], b=B)
    other = sweep(kappas=(0.05,), Deltas=[50.0], b=B)
    return {
        "short": write_signals(tmp_path / "short", points, MODELS, signal, unstable=["R2"]),
        "long": write_signals(tmp_path / "long", other, MODELS, signal),
    }


def test_signals_against_the_period(against_period, tmp_path):
    drawing = draw_checked("kl23_fig4", FigureFiles({"signals": against_period}), tmp_path)
    panels = [ax for ax in drawing.figure.axes if ax.get_ylabel()]
    assert len(panels) == 2
    for ax, Delta in zip(panels, (15.0, 30.0), strict=True):
        assert labels_of(ax) == (r"$\varepsilon = L\,/\,(1$ mm$)$", r"$\log S$ (natural)")
        assert f"{Delta:g} ms" in ax.get_title(loc="left")
        assert "1000 s/mm" in ax.get_title(loc="left")
        for model, label in zip(MODELS, ("Ref", "R0", "R2"), strict=True):
            x, y = lines(ax)[label].get_data()
            expected = [np.log(signal(model, L, 0.05, Delta, 1.0)) for L in PERIODS]
            np.testing.assert_allclose(x, np.array(PERIODS) / 1000)
            np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert {"Ref", "R0", "R2"} <= set(texts(drawing.figure))
    assert drawing.data["period"].units == "um"
    assert overlapping_texts(drawing.figure) == []


def test_the_second_axis_is_the_period_in_micrometres(against_period):
    figure = draw(CATALOGUE["kl23_fig4"], FigureFiles({"signals": against_period})).figure
    ax = figure.axes[0]
    (top,) = ax.child_axes
    assert top.get_xlabel() == r"$L$ ($\mu$m)"
    np.testing.assert_allclose(top.get_xlim(), np.array(ax.get_xlim()) * 1000)


def test_orders_are_fitted_and_printed(against_period, tmp_path):
    files = {name: write_convergence(path, ["R0", "R2"]) for name, path in against_period.items()}
    drawing = draw_checked("kl23_fig5", FigureFiles({"convergence": files}), tmp_path)
    written = "\n".join(texts(drawing.figure))
    assert r"R0: order 2.00 $\pm$ 0.00" in written
    assert r"R2: order 4.00 $\pm$ 0.00" in written
    assert "theory 2 (dotted)" in written
    # Two periods are large, which is too few for an order of their own.
    assert "orders: R0: published 1.8; R2: published 3.5" in written
    assert "theory 4 (dotted)" in written
    np.testing.assert_allclose(drawing.data["local_order"].values, [[2, 2], [4, 4]], rtol=1e-4)
    order = artifacts.open_dataset(files["study1"]).order.squeeze().values
    np.testing.assert_allclose(np.asarray(drawing.data["order"].values).squeeze()[1], order)
    error = artifacts.open_dataset(files["study0"]).error.sel(model="R2").squeeze().values
    points = [line for line in drawing.figure.axes[0].lines if line.get_marker() == "D"]
    np.testing.assert_allclose(points[0].get_ydata(), error)
    assert overlapping_texts(drawing.figure) == []


def test_points_below_the_numerical_error_are_hollow(tmp_path):
    signals = write_signals(tmp_path / "study", sweep(PERIODS), MODELS, signal, error=1e-4)
    files = {"study": write_convergence(signals, ["R0", "R2"])}
    drawing = draw(CATALOGUE["kl23_fig5"], FigureFiles({"convergence": files}))
    used = np.asarray(drawing.data["used"].values)[0, 1].ravel().astype(bool)
    assert used.any()
    assert not used.all()
    (hollow,) = [line for line in drawing.figure.axes[0].lines if line.get_label() == "_hollow"]
    np.testing.assert_allclose(hollow.get_xdata(), np.array(PERIODS)[~used] / 1000)
    assert "numerical error" in texts(drawing.figure)


def test_a_model_without_an_order_says_so(tmp_path):
    signals = write_signals(tmp_path / "study", sweep(PERIODS), MODELS, signal, error=1.0)
    files = {"study": write_convergence(signals, ["R0", "R2"])}
    drawing = draw(CATALOGUE["kl23_fig5"], FigureFiles({"convergence": files}))
    assert "R0: no order above the\nnumerical error" in texts(drawing.figure)
    assert np.isnan(drawing.data["local_order"].values).all()


def test_panels_come_in_the_order_of_the_paper(against_b, tmp_path):
    drawing = draw_checked("kl23_fig6", FigureFiles({"signals": against_b}), tmp_path)
    order = [(0.05, 25.0), (0.05, 50.0), (0.1, 25.0)]
    assert list(drawing.data["panel"].values) == ["a", "b", "c"]
    np.testing.assert_allclose(drawing.data["permeability"].values, [p[0] for p in order])
    np.testing.assert_allclose(drawing.data["Delta"].values, [p[1] for p in order])
    assert len(drawing.figure.axes) == 3
    for ax, (kappa, Delta) in zip(drawing.figure.axes, order, strict=True):
        assert f"{Delta:g} ms" in ax.get_title(loc="left")
        assert style.kappa_text(kappa) in ax.get_title(loc="left")
        for model, label in zip(MODELS, ("Ref", "R0", "R2"), strict=True):
            x, y = lines(ax)[label].get_data()
            np.testing.assert_allclose(x, 1000 * np.array(B))
            expected = [np.log10(signal(model, 2.0, kappa, Delta, b)) for b in B]
            np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    assert drawing.figure.axes[0].get_ylabel() == r"$\log_{10} S$"
    assert drawing.figure.axes[2].get_xlabel() == r"$b$ (s/mm$^2$)"
    assert overlapping_texts(drawing.figure) == []


def test_unstable_points_are_hollow_and_explained(against_b):
    figure = draw(CATALOGUE["kl23_fig6"], FigureFiles({"signals": against_b})).figure
    unstable = [ax for ax in figure.axes if "_hollow" in lines(ax)]
    assert unstable == [figure.axes[0], figure.axes[2]]
    hollow = lines(unstable[0])["_hollow"]
    np.testing.assert_allclose(hollow.get_xdata(), 1000 * np.array(B))
    assert hollow.get_markerfacecolor() == "white"
    assert sum("hollow: R2 unstable" in text for text in texts(figure)) == 2


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("bad", [np.nan, -0.1, np.inf])
def test_what_has_no_logarithm_is_absent(bad, tmp_path):
    def broken(model: str, *where: float) -> float:
        return bad if model == "R2" and where[-1] == 2.0 else signal(model, *where)

    files = {"s": write_signals(tmp_path / "s", sweep(b=B), MODELS, broken, unstable=["R2"])}
    drawing = draw_checked("kl23_fig6", FigureFiles({"signals": files}), tmp_path)
    y = np.asarray(lines(drawing.figure.axes[0])["R2"].get_ydata())
    assert np.isnan(y).tolist() == [False, False, True, False]
    assert np.isnan(np.asarray(drawing.data["log_signal"].values)[0, 2]).sum() == 1
    low, high = drawing.figure.axes[0].get_ylim()
    assert np.isfinite([low, high]).all()


def test_a_model_without_any_value_has_no_label(tmp_path):
    def broken(model: str, *where: float) -> float:
        return np.nan if model == "R2" else signal(model, *where)

    files = {"s": write_signals(tmp_path / "s", sweep(b=B), MODELS, broken)}
    figure = draw(CATALOGUE["kl23_fig6"], FigureFiles({"signals": files})).figure
    assert "R2" not in texts(figure)
    assert "R0" in texts(figure)


def test_numerical_errors_are_drawn_as_large_as_they_are(tmp_path):
    error = 0.05
    files = {"s": write_signals(tmp_path / "s", sweep(b=B), MODELS, signal, error=error)}
    drawing = draw(CATALOGUE["kl23_fig6"], FigureFiles({"signals": files}))
    S = np.array([signal("reference", 2.0, 0.05, 20.0, b) for b in B])
    bars = drawing.figure.axes[0].collections[0].get_segments()  # type: ignore[attr-defined]
    lengths = [bar[1, 1] - bar[0, 1] for bar in bars]
    np.testing.assert_allclose(lengths, 2 * error / S / np.log(10))


def test_kurtosis_against_the_time_between_the_pulses(tmp_path):
    points = sweep(Deltas=(10.0, 20.0, 30.0), b=B)
    signals = write_signals(tmp_path / "s", points, MODELS, signal, unstable=["R2"])
    files = FigureFiles(
        {
            "kurtosis": {"s": write_kurtosis(signals)},
            "signals": {"s": signals},
            "cumulants": {"s": write_cumulants(signals, points, MODELS)},
        }
    )
    drawing = draw_checked("kl23_fig7", files, tmp_path)
    fitted = artifacts.open_dataset(files.files["kurtosis"]["s"])
    exact = artifacts.open_dataset(files.files["cumulants"]["s"])
    adc, kurtosis = drawing.figure.axes
    assert labels_of(adc) == (r"$\Delta$ (ms)", r"ADC ($\mu$m$^2$/ms)")
    assert labels_of(kurtosis) == (r"$\Delta$ (ms)", "AK (no unit)")
    for ax, name in ((adc, "adc"), (kurtosis, "kurtosis")):
        for model, label in zip(MODELS, ("Ref", "R0", "R2"), strict=True):
            for line, table in ((lines(ax)[label], exact), (lines(ax)[f"{label}, fit"], fitted)):
                x, y = line.get_data()
                np.testing.assert_allclose(x, [10.0, 20.0, 30.0])
                np.testing.assert_allclose(y, table[name].sel(model=model).squeeze().values)
            # Exact values are lines, fits are marks.
            assert lines(ax)[label].get_marker() in ("None", "none")
            assert lines(ax)[f"{label}, fit"].get_linestyle() == "None"
        assert "_hollow" in lines(ax)
    expected = [0.5 + 0.05 + 0.01 * Delta for Delta in points.axes()["Delta"]]
    np.testing.assert_allclose(lines(adc)["Ref, fit"].get_ydata(), expected, rtol=1e-6)
    np.testing.assert_allclose(lines(adc)["Ref"].get_ydata(), expected)
    assert drawing.data["adc"].units == "um2 ms-1"
    np.testing.assert_allclose(drawing.data["fitted_adc"].values[0], expected, rtol=1e-6)
    said = " ".join(texts(drawing.figure))
    assert "lines: exact" in said
    assert "as in the paper" not in said
    assert "0.10 Ref, 0.20 R0, 0.30 R2" in said
    # The ADC of R0 changes with Delta in these files.
    assert "at every" not in said


@pytest.mark.parametrize(("largest", "as_there"), [(1.0, True), (2.0, False)])
def test_exact_values_at_one_time_are_bars(largest, as_there, tmp_path):
    points = sweep(Deltas=(20.0,), b=(0.0, 0.25 * largest, 0.5 * largest, largest))
    signals = write_signals(tmp_path / "s", points, MODELS, signal)
    files = FigureFiles(
        {
            "kurtosis": {"s": write_kurtosis(signals)},
            "signals": {"s": signals},
            "cumulants": {"s": write_cumulants(signals, points, MODELS)},
        }
    )
    drawing = draw_checked("kl23_fig7", files, tmp_path)
    for ax in drawing.figure.axes:
        for label in ("Ref", "R0", "R2"):
            assert lines(ax)[label].get_marker() == "_"
            assert lines(ax)[f"{label}, fit"].get_marker() != "_"
    said = " ".join(texts(drawing.figure))
    assert "bars: exact" in said
    assert f"{1000 * largest:g} s/mm" in said
    assert ("as in the paper" in said) == as_there
    assert "at every" not in said
    assert overlapping_texts(drawing.figure) == []


def test_lumped_models_are_drawn_beside_the_others(tmp_path):
    points = sweep(kappas=(0.3, 0.6), Deltas=(5.0, 10.0), b=B)
    files = {"s": write_signals(tmp_path / "s", points, ALL_MODELS, signal)}
    drawing = draw_checked("kl23_fig8", FigureFiles({"signals": files}), tmp_path)
    order = [(5.0, 0.3), (5.0, 0.6), (10.0, 0.3), (10.0, 0.6)]
    for ax, beside, (Delta, kappa) in zip(*pairs(drawing), order, strict=True):
        assert set(lines(ax)) == {"Ref", "R0", "R2", "lumped R0", "lumped R2"}
        assert set(lines(beside)) == {"_zero", "R0", "R2", "lumped R0", "lumped R2"}
        expected = [np.log10(signal("lumped-R2", 2.0, kappa, Delta, b)) for b in B]
        np.testing.assert_allclose(lines(ax)["lumped R2"].get_ydata(), expected, atol=1e-12)
    # Once beside each panel of differences, and once in the legend.
    assert texts(drawing.figure).count("lumped R0") == 5
    assert overlapping_texts(drawing.figure) == []


def pairs(drawing: Drawing) -> tuple[list[Axes], list[Axes]]:
    """Panels of signals, and those of differences beside them."""
    return drawing.figure.axes[::2], drawing.figure.axes[1::2]


def test_differences_from_the_reference_tell_models_apart(tmp_path):
    points = sweep(kappas=(0.3,), Deltas=(5.0,), b=B)
    error = 1e-4
    files = {"s": write_signals(tmp_path / "s", points, ALL_MODELS, signal, error=error)}
    drawing = draw_checked("kl23_fig8", FigureFiles({"signals": files}), tmp_path)
    ((_,), (beside,)) = pairs(drawing)
    assert beside.get_ylabel().endswith("(%)")
    # In the files R0 is 0.4 % too low, R2 0.016 %, and the lumped ones half of that.
    wrong = {"R0": -0.4, "R2": -0.016, "lumped R0": -0.2, "lumped R2": -0.008}
    for label, percent in wrong.items():
        np.testing.assert_allclose(lines(beside)[label].get_ydata(), percent, rtol=1e-9)
    exact = np.array([signal("reference", 2.0, 0.3, 5.0, b) for b in B])
    drawn = drawing.data["difference_error"]
    assert drawn.units == "percent"
    # Models have an error of 1e-10 here; that of the reference grows as its signal falls.
    found = np.asarray(drawn.values)[0, ALL_MODELS.index("R0")]
    np.testing.assert_allclose(found, 100.0 * (0.996 * error + 1e-10) / exact, rtol=1e-6)


def test_large_periods_have_an_order_of_their_own(tmp_path):
    def bent(model: str, period: float, *where: float) -> float:
        """Errors of order 2 below 3 um and of order 1 above."""
        exact = signal("reference", period, *where)
        change = {"R0": 1e-3, "R2": 1e-4}.get(model, 0.0) * min(period**2, 3.0 * period)
        return exact * (1.0 + change) if model != "reference" else exact

    periods = (1.0, 1.7, 3.0, 5.0, 8.0)
    path = write_signals(tmp_path / "s", sweep(periods), MODELS, bent)
    files = {"s": write_convergence(path, ["R0", "R2"])}
    drawing = draw_checked("kl23_fig5", FigureFiles({"convergence": files}), tmp_path)
    np.testing.assert_allclose(drawing.data["upper_order"].values, 1.0, atol=1e-6)
    written = "\n".join(texts(drawing.figure))
    assert "R0: 1.00, published 1.8; R2: 1.00, published 3.5" in written
    np.testing.assert_allclose(drawing.data["local_order"].values, 2.0, atol=1e-6)


def test_eigenvalues_of_both_models(tmp_path):
    points = sweep(kappas=(0.3, 0.6), Deltas=(5.0, 10.0), b=(0.0, 1.0, 2.0, 3.0, 4.0))
    counts = {"R0": 5, "R2": 5, "lumped-R0": 2, "lumped-R2": 2}
    path = write_eigenvalues(tmp_path / "eigenvalues.nc", points, counts)
    drawing = draw_checked("kl23_fig9", FigureFiles({"eigenvalues": {"s": path}}), tmp_path)
    shown = np.asarray(drawing.data["b"].values)
    assert shown[-1] == 4.0
    assert list(drawing.data["model"].values) == ["lumped-R2", "R2"]
    axes = drawing.figure.axes
    assert len(axes) == 8
    for smallest, others in zip(axes[::2], axes[1::2], strict=True):
        assert "(ms$^{-1}$)" in smallest.get_ylabel()
        assert smallest.get_ylim()[0] < 0 < smallest.get_ylim()[1]
        curves = [line for line in smallest.lines if line.get_label() == "R2"]
        np.testing.assert_allclose([c.get_ydata()[0] for c in curves], 0.1 * shown)
        # All but the smallest of each model, at each b-value.
        assert len(others.lines) == len(shown) * (4 + 1)
    assert "4000" in texts(drawing.figure)
    assert drawing.data["eigenvalue_real"].units == "ms-1"
    assert overlapping_texts(drawing.figure) == []
