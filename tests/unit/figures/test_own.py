"""The project's own figures show the errors of their files, and no more than is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from support import figure_files
from support.figure_checks import draw_checked, labels_of, lines, overlapping_texts, texts
from support.figure_files import sweep, write_signals

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.cell.material import Material
from torrey.figures.catalogue import CATALOGUE, paper_of
from torrey.figures.drawing import Drawing, FigureFiles, draw

PERIODS = (1.0, 2.0, 4.0, 8.0)
KAPPAS = (0.001, 0.01, 0.1, 1.0)
B = (0.1, 1.0, 10.0)

SERIES = ("R0", "R2", "R4")
PROJECTED = ("P1", "P2", "P3", "P4", "P5")
ERRORS = dict(
    zip((*SERIES, *PROJECTED), (3e-2, 3e-3, 1e-3, 1e-2, 5e-4, 1e-5, 1e-7, 1e-13), strict=True)
)
FLOOR = 0.1 * figure_files.NUMERICAL_ERROR
DIFFUSIVITY = 2.5


def reference(kappa: float, b: float) -> float:
    return float(np.exp(-(0.5 + 0.1 * kappa) * b))


def signal(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
    """Errors are proportional to the period, and a series is lost in the largest cells."""
    if model in ("R2", "R4") and period >= 8.0:
        return {"R2": np.inf, "R4": 1e3}[model]
    return steady(model, period, kappa, Delta, b)


def steady(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
    """The same, and nothing is lost."""
    return reference(kappa, b) - ERRORS.get(model, 0.0) * period


# ---- errors of series and projected models ----


def write_sweeps(
    directory: Path, unstable: Sequence[str] = (), signal: figure_files.Signal = signal
) -> FigureFiles:
    sweeps = {
        "own_period": sweep(PERIODS),
        "own_permeability": sweep(kappas=KAPPAS),
        "own_b": sweep(b=B),
    }
    models = ("reference", *SERIES, *PROJECTED)
    return FigureFiles(
        {
            "signals": {
                name: write_signals(directory / name, points, models, signal, unstable)
                for name, points in sweeps.items()
            }
        }
    )


@pytest.fixture
def sweeps(tmp_path: Path) -> FigureFiles:
    return write_sweeps(tmp_path / "studies", unstable=["R2"])


pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered")


def test_errors_are_those_of_the_files(sweeps, tmp_path):
    drawing = draw_checked("projected_vs_order", sweeps, tmp_path)
    axes = drawing.figure.axes
    assert [labels_of(ax)[0] for ax in axes] == [
        r"$L$ ($\mu$m)",
        r"$\kappa$ (m/s)",
        r"$b$ (s/mm$^2$)",
    ]
    assert axes[0].get_ylabel() == r"$|S_{\mathrm{model}} - S_{\mathrm{Ref}}|$"
    swept = [np.array(PERIODS), 1e-3 * np.array(KAPPAS), 1e3 * np.array(B)]
    for ax, x in zip(axes, swept, strict=True):
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        period = x if ax is axes[0] else 2.0
        for model in ("R0", "P1", "P2", "P3", "P4"):
            line = lines(ax)[model]
            np.testing.assert_allclose(line.get_xdata(), x)
            expected = np.broadcast_to(ERRORS[model] * period, x.shape)
            np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-6)
    assert overlapping_texts(drawing.figure) == []


def test_every_panel_says_what_it_holds_fixed(sweeps):
    axes = draw(CATALOGUE["projected_vs_order"], sweeps).figure.axes
    period, kappa, b = axes[1].get_title(loc="left"), axes[2].get_title(loc="left"), "1000 s/mm"
    assert r"$L$ = 2 $\mu$m" in period
    assert b in period
    assert r"$\kappa$ = $5\times10^{-5}$ m/s" in kappa
    assert b not in kappa
    assert "$L$" not in axes[0].get_title(loc="left")


def test_data_have_an_axis_for_every_panel(sweeps, tmp_path):
    drawing = draw_checked("projected_vs_order", sweeps, tmp_path)
    data = artifacts.open_dataset(tmp_path / "projected_vs_order.nc")
    for swept, size in {"period": 4, "permeability": 4, "b": 3}.items():
        assert data[f"error_against_{swept}"].dims == ("model", swept)
        assert data.sizes[swept] == size
    assert data.model.values.tolist() == [*SERIES, *PROJECTED]
    assert drawing.data["error_against_b"].units == "1"
    np.testing.assert_allclose(data.error_floor_against_b, FLOOR)
    assert np.isinf(data.error_against_period.sel(model="R2", period=8.0))
    assert data.unstable_against_period.sel(model="R4", period=8.0) == 1
    assert data.unstable_against_b.sel(model="R2").values.tolist() == [1, 1, 1]
    assert not data.unstable_against_b.drop_sel(model="R2").any()


def test_the_two_families_are_told_apart_at_a_glance(sweeps):
    figure = draw(CATALOGUE["projected_vs_order"], sweeps).figure
    curves = lines(figure.axes[1])
    assert {curves[model].get_linestyle() for model in SERIES} == {"--"}
    assert {curves[model].get_linestyle() for model in PROJECTED} == {"-"}
    colors = [curves[model].get_color() for model in ERRORS]
    assert len(set(colors)) == len(ERRORS)
    red_of, blue_of = (lambda c: int(c[1:3], 16)), (lambda c: int(c[5:7], 16))
    assert all(red_of(color) > blue_of(color) for color in colors[:3])
    assert all(red_of(color) < blue_of(color) for color in colors[3:])
    assert {"truncated series", "projected models"} <= set(texts(figure))


def test_errors_above_one_leave_the_axes(sweeps):
    ax = draw(CATALOGUE["projected_vs_order"], sweeps).figure.axes[0]
    assert ax.get_ylim()[1] == 1.0
    for model in ("R2", "R4"):
        y = np.asarray(lines(ax)[model].get_ydata())
        assert np.isfinite(y).all()
        assert y[-1] > 1.0
    assert all(np.nanmax(marks) <= 1.0 for marks in marks_of(ax))


def marks_of(ax: Axes) -> list[np.ndarray]:
    """Heights of the marks of each model that has any."""
    found = [np.asarray(line.get_ydata()) for line in ax.lines if line.get_label() == "_marks"]
    return [y for y in found if np.isfinite(y).any()]


def test_unstable_points_are_hollow(sweeps, tmp_path):
    figure = draw(CATALOGUE["projected_vs_order"], sweeps).figure
    hollow = [line for line in figure.axes[0].lines if line.get_label() == "_hollow"]
    assert [line.get_xdata().tolist() for line in hollow] == [[1.0, 2.0, 4.0]]
    assert "unstable in a part of the waveform" in texts(figure)
    stable = draw(
        CATALOGUE["projected_vs_order"], write_sweeps(tmp_path / "stable", signal=steady)
    ).figure
    assert all("unstable" not in text for text in texts(stable))


def test_what_is_below_the_numerical_error_is_hidden(sweeps):
    figure = draw(CATALOGUE["projected_vs_order"], sweeps).figure
    for ax in figure.axes:
        assert all(np.nanmin(marks) > FLOOR for marks in marks_of(ax))
        assert len(marks_of(ax)) == len(ERRORS) - 1
        (band,) = ax.collections
        assert band.get_zorder() > max(lines(ax)[model].get_zorder() for model in ERRORS)
        low, high = ax.get_xlim()
        box = band.get_paths()[0].get_extents()
        np.testing.assert_allclose([box.x0, box.x1, box.y1], [low, high, FLOOR])
    assert texts(figure).count("below: P5") == 3
    assert "P5" not in texts(figure)
    assert "P4" in texts(figure)


def test_one_study_over_each_quantity_is_needed(sweeps):
    studies = dict(sweeps.files["signals"])
    swapped = {name: studies[name] for name in ("own_b", "own_permeability", "own_period")}
    with pytest.raises(ValueError, match="3 values of b, the figure shows one"):
        draw(CATALOGUE["projected_vs_order"], FigureFiles({"signals": swapped}))
    del studies["own_b"]
    with pytest.raises(ValueError, match="2 studies, accepted: one over each of period"):
        draw(CATALOGUE["projected_vs_order"], FigureFiles({"signals": studies}))


# ---- the map ----


def write_map(
    directory: Path,
    patch: pytest.MonkeyPatch,
    material: Material | None = None,
    unstable: Sequence[str] = ("R2",),
    error: float = figure_files.NUMERICAL_ERROR,
    signal: figure_files.Signal = signal,
) -> FigureFiles:
    """Files of a study whose table of signals says which material it is made with."""
    material = material or Material((DIFFUSIVITY, 1.0))
    patch.setattr(figure_files, "PROVENANCE", Provenance("test", material.to_dict()))
    points = sweep(PERIODS, KAPPAS, b=(0.4, 1.6))
    models = ("reference", "R0", "R2", "P2")
    signals = write_signals(directory, points, models, signal, unstable, error)
    return FigureFiles({"signals": {"own_validity": signals}})


@pytest.fixture
def plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FigureFiles:
    return write_map(tmp_path / "own_validity", monkeypatch)


def maps_of(drawing: Drawing) -> list[Axes]:
    """Axes of the maps, without the scale of colours."""
    return drawing.figure.axes[:6]


def test_maps_are_named_and_labelled(plane):
    drawing = draw(CATALOGUE["validity_map"], plane)
    maps = maps_of(drawing)
    titles = [ax.get_title(loc="left") for ax in maps]
    named = [(b, model) for b in ("1", "4") for model in ("R0", "R2", "P2")]
    for title, letter, (b, model) in zip(titles, "abcdef", named, strict=True):
        assert title == rf"$\bf{{({letter})}}$  {model},  $bD$ = {b}"
    assert maps[5].get_xlabel() == r"$\delta D\,/\,L^2$"
    assert maps[0].get_ylabel() == r"$\kappa L\,/\,D$"
    (top,) = maps[1].child_axes
    assert top.get_xlabel() == r"$L$ ($\mu$m)"
    scale = drawing.figure.axes[6]
    assert scale.get_ylabel() == r"$|S_{\mathrm{model}} - S_{\mathrm{Ref}}|$"
    written = "\n".join(texts(drawing.figure))
    times = r"$\delta$ = 5 ms, $\Delta$ = 20 ms"
    assert (
        rf"{times}, $\mathbf{{n}} = \mathbf{{e}}_y$, $D$ = 2.5 $\mu$m$^2$/ms (outside)" in written
    )
    assert {"1 %", "0.1 %"} <= set(texts(drawing.figure))
    assert overlapping_texts(drawing.figure) == []


def test_data_are_the_errors_and_their_place_in_the_plane(plane, tmp_path):
    drawing = draw(CATALOGUE["validity_map"], plane)
    artifacts.write(tmp_path / "map.nc", drawing.data, Provenance("test"))
    data = artifacts.open_dataset(tmp_path / "map.nc")
    assert data.error.dims == ("b", "model", "period", "permeability")
    assert float(data.diffusivity) == DIFFUSIVITY
    np.testing.assert_allclose(data.b_ratio, [1.0, 4.0])
    np.testing.assert_allclose(data.time_ratio.isel(b=0), 5.0 * DIFFUSIVITY / data.period**2)
    expected = np.outer(PERIODS, KAPPAS) / DIFFUSIVITY
    np.testing.assert_allclose(data.exchange_ratio.transpose("period", "permeability"), expected)
    found = data.error.sel(model="P2", permeability=0.1)
    np.testing.assert_allclose(found, np.broadcast_to(5e-4 * data.period, (2, 4)), rtol=1e-6)
    assert all(variable.long_name for variable in drawing.data.values())


def test_limits_are_those_of_the_largest_rectangle_that_is_filled(plane):
    for ax in maps_of(draw(CATALOGUE["validity_map"], plane)):
        np.testing.assert_allclose(ax.get_xlim(), np.array([1 / 64, 1.0]) * 5.0 * DIFFUSIVITY)
        np.testing.assert_allclose(ax.get_ylim(), np.array([0.008, 1.0]) / DIFFUSIVITY)


def test_the_diffusivity_is_that_along_the_gradient(tmp_path, monkeypatch):
    material = Material((((2.0, 0.0), (0.0, 0.5)), 1.0))
    files = write_map(tmp_path / "s", monkeypatch, material)
    assert draw(CATALOGUE["validity_map"], files).data["diffusivity"].values == 0.5


def test_unstable_points_are_hatched_and_explained(plane, tmp_path, monkeypatch):
    drawing = draw(CATALOGUE["validity_map"], plane)
    hatched = [ax for ax in maps_of(drawing) if hatches_of(ax)]
    assert hatched == maps_of(drawing)[1::3]
    assert "unstable in a part of the waveform" in texts(drawing.figure)
    stable = write_map(tmp_path / "stable", monkeypatch, unstable=[], signal=steady)
    drawing = draw(CATALOGUE["validity_map"], stable)
    assert not any(hatches_of(ax) for ax in maps_of(drawing))
    assert all("unstable" not in text for text in texts(drawing.figure))


def hatches_of(ax: Axes) -> list[str]:
    found = [getattr(collection, "hatches", []) for collection in ax.collections]
    return [hatch for hatches in found for hatch in hatches if hatch]


def test_no_colour_promises_more_than_is_known(tmp_path, monkeypatch):
    files = write_map(tmp_path / "s", monkeypatch, error=0.5)
    for ax in maps_of(draw(CATALOGUE["validity_map"], files)):
        filled = next(c for c in ax.collections if getattr(c, "filled", False))
        # Floors of 0.05: nothing has a colour of less, and an infinite error one of its own.
        assert filled.zmin == pytest.approx(np.log10(0.05))
        assert np.isfinite(filled.zmax)


def test_a_map_shows_one_study(plane):
    twice = {kind: {**files, "other": files["own_validity"]} for kind, files in plane.files.items()}
    with pytest.raises(ValueError, match="2 studies, the figure shows one"):
        draw(CATALOGUE["validity_map"], FigureFiles(twice))


def test_own_figures_belong_to_no_paper():
    assert paper_of("projected_vs_order") == paper_of("validity_map") == "torrey"
    assert paper_of("kl23_fig1") == "kl23"
