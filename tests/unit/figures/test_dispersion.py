"""The figure of dispersion shows what its files say, pale where the mesh does not resolve it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.figure_checks import draw_checked, labels_of, lines, overlapping_texts, texts
from support.figure_files import write_disc

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.bloch.dispersion import Dispersion
from torrey.cell.material import Material
from torrey.figures.catalogue import paper_of
from torrey.figures.drawing import Drawing, FigureFiles

TIMES = np.geomspace(0.01, 1000.0, 31)
PLAIN = Material((3.0, 1.7))
FREQUENCIES = np.geomspace(1e-4, 10.0, 21)


def write(
    path: Path,
    kappa: float,
    slow: float,
    times: np.ndarray = TIMES,
    frequencies: np.ndarray = FREQUENCIES,
    fast: float = 2.0,
    wall_slope: float = 0.7,
    rates: int = 1,
    material: Material = PLAIN,
) -> str:
    fade = 1.0 / (1.0 + times)
    high = frequencies / (0.1 + frequencies)
    of_time, of_frequency = slow + (fast - slow) * fade, slow + (fast - slow) * high
    kurtosis = times / (1.0 + times) * (0.4 * np.exp(-times / 50.0) if kappa else 1.0)
    path.parent.mkdir(parents=True)
    found = Dispersion(
        direction=np.array([[1.0, 0.0]]),
        time=times,
        frequency=frequencies,
        D_time=of_time[None],
        D_time_error=1e-3 * of_time[None],
        K_time=kurtosis[None],
        K_time_error=1e-3 * kurtosis[None],
        D_frequency=of_frequency[None],
        D_frequency_error=1e-3 * of_frequency[None],
        time_resolved=(times > 0.1).astype(np.int8),
        frequency_resolved=(frequencies < 1.0).astype(np.int8),
        D_slow=np.array([slow]),
        D_slow_error=np.array([1e-4]),
        D_fast=np.array([fast]),
        wall_slope=wall_slope,
        rate=np.array([0.048 if kappa else 0.0] * rates),
        rate_error=np.array([1e-6] * rates),
        karger_rate=np.array([0.05 if kappa else 0.0] * rates),
        period=10.0,
        permeability=kappa,
    )
    artifacts.write(path, group_of(found), Provenance("test", material.to_dict()))
    return str(path)


def test_both_cells_with_their_limits(tmp_path):
    files = {
        "one": write(tmp_path / "one" / "dispersion.nc", 0.05, 1.3),
        "two": write(tmp_path / "two" / "dispersion.nc", 0.0, 0.9),
    }
    drawing = draw_checked("dispersion", FigureFiles({"dispersion": files}), tmp_path)
    of_time, of_frequency, kurtosis = drawing.figure.axes
    assert labels_of(of_time) == ("$t$ (ms)", r"$D(t)$ ($\mu$m$^2$/ms)")
    for label, slow in (("permeable", 1.3), ("impermeable", 0.9)):
        x, y = map(np.asarray, lines(of_time)[label].get_data())
        np.testing.assert_allclose(x, TIMES)
        np.testing.assert_array_equal(np.isnan(y), TIMES <= 0.1)
        assert y[-1] == pytest.approx(slow, abs=1e-2)
        x, y = map(np.asarray, lines(of_frequency)[label].get_data())
        np.testing.assert_allclose(x, 1000.0 * FREQUENCIES)
        np.testing.assert_array_equal(np.isnan(y), FREQUENCIES >= 1.0)
    law = np.asarray(lines(of_time)["law"].get_ydata())
    np.testing.assert_allclose(law, 2.0 - 0.7 * np.sqrt(TIMES[: len(law)]))
    said = " ".join(texts(drawing.figure))
    assert "0.0480/ms" in said
    assert "0.0500/ms" in said
    assert overlapping_texts(drawing.figure) == []
    np.testing.assert_allclose(drawing.data["D_slow"].values, [1.3, 0.9])
    assert drawing.data["K_time"].dims == ("cell", "time")
    assert kurtosis.get_ylim()[0] == 0.0
    assert paper_of("dispersion") == "torrey"


def test_runs_of_other_times_are_refused(tmp_path):
    files = {
        "one": write(tmp_path / "one" / "dispersion.nc", 0.05, 1.3),
        "two": write(tmp_path / "two" / "dispersion.nc", 0.0, 0.9, 2.0 * TIMES),
    }
    with pytest.raises(ValueError, match="the same times"):
        draw_checked("dispersion", FigureFiles({"dispersion": files}), tmp_path)


def drawn(tmp_path: Path, **runs: tuple[float, float, dict[str, Any]]) -> Drawing:
    """The figure of runs with a permeability, a slow diffusivity and more."""
    files = {
        name: write(tmp_path / name / "dispersion.nc", kappa, slow, **more)
        for name, (kappa, slow, more) in runs.items()
    }
    drawing = draw_checked("dispersion", FigureFiles({"dispersion": files}), tmp_path)
    drawing.figure.draw_without_rendering()
    return drawing


def test_a_run_on_obstacles_has_no_exchange(tmp_path):
    figure = drawn(tmp_path, stones=(0.0, 1.3, {"rates": 0})).figure
    assert not any("exchange" in text for text in texts(figure))
    assert overlapping_texts(figure) == []


def test_a_second_material_lies_within_the_axes(tmp_path):
    fast = {"fast": 3.0, "wall_slope": 1.1}
    figure = drawn(tmp_path, one=(0.05, 1.3, {}), two=(0.0, 0.9, fast)).figure
    for ax in figure.axes[:2]:
        assert ax.get_ylim()[1] > 3.0
        levels = [line.get_ydata()[0] for line in ax.lines if len(line.get_ydata()) == 2]
        assert {2.0, 3.0, 1.3, 0.9} <= set(levels)
    laws = [line for line in figure.axes[0].lines if line.get_label() == "law"]
    assert sorted(float(law.get_ydata()[0]) for law in laws) == pytest.approx(
        [2.0 - 0.7 * 0.1, 3.0 - 1.1 * 0.1]
    )
    assert overlapping_texts(figure) == []


def test_four_runs_are_named_and_their_rates_do_not_overlap(tmp_path):
    figure = drawn(
        tmp_path,
        large=(0.05, 1.3, {}),
        small_one=(0.05, 1.2, {}),
        leaky=(0.2, 1.1, {}),
        closed=(0.0, 0.9, {}),
    ).figure
    names = ["large", "small one", "leaky", "closed"]
    assert set(names) <= set(lines(figure.axes[0]))
    said = texts(figure)
    assert set(names) <= set(said)
    assert " ".join(said).count("0.0480/ms") == 3
    (below,) = [text for text in figure.texts if "solid:" in text.get_text()]
    assert figure.bbox.x0 <= below.get_window_extent().x0
    assert below.get_window_extent().x1 <= figure.bbox.x1
    assert overlapping_texts(figure) == []


def test_a_single_time_and_frequency_are_marks(tmp_path):
    one = {"times": np.array([10.0]), "frequencies": np.array([0.05])}
    figure = drawn(tmp_path, one=(0.05, 1.3, one)).figure
    for ax in figure.axes:
        assert lines(ax)["permeable"].get_marker() == "o"
    assert overlapping_texts(figure) == []


@pytest.mark.parametrize("slope", [1.0, 2.5, 4.0])
def test_the_name_of_the_law_stays_within_the_axes(tmp_path, slope):
    figure = drawn(tmp_path, one=(0.05, 1.3, {"wall_slope": slope})).figure
    ax = figure.axes[0]
    (name,) = [text for text in ax.texts if "sqrt" in text.get_text()]
    assert name.get_window_extent().x0 >= ax.get_window_extent().x0
    assert overlapping_texts(figure) == []


def said_below(tmp_path: Path, *materials: Material) -> list[str]:
    """Lines below the panels, of cells that are permeable, impermeable, ..."""
    files = {
        f"m{i}": write(tmp_path / f"m{i}" / "dispersion.nc", kappa, slow, material=material)
        for i, (kappa, slow, material) in enumerate(
            zip((0.05, 0.0), (1.3, 0.9), materials, strict=True)
        )
    }
    mesh = dict.fromkeys(files, write_disc(tmp_path / "mesh.nc"))
    drawing = draw_checked("dispersion", FigureFiles({"dispersion": files, "mesh": mesh}), tmp_path)
    (below,) = [text for text in drawing.figure.texts if "solid:" in text.get_text()]
    assert overlapping_texts(drawing.figure) == []
    return below.get_text().split("\n")[:-1]


def test_cell_diffusivities_and_period_are_named(tmp_path):
    shared, permeable = said_below(tmp_path, PLAIN, PLAIN)
    assert shared.startswith("disc, R = 0.25, $D$ = 3 outside, 1.7 inside ")
    assert shared.endswith(r"$L$ = 10 $\mu$m")
    assert permeable.startswith(r"permeable: $\kappa$ = ")


def test_diffusivities_that_differ_are_those_of_each_cell(tmp_path):
    tensor = ((2.0, 0.0), (0.0, 1.0))
    shared, *each = said_below(tmp_path, Material((3.0, 3.0)), Material((3.0, tensor)))
    assert "$D$" not in shared
    assert r"$D$ = 3 $\mu$m$^2$/ms" in each[0]
    assert "$D$ = 3 outside, [2 0; 0 1] inside" in each[1]


def test_the_name_of_a_rising_kurtosis_is_above_all_curves_and_not_struck_through(tmp_path):
    figure = drawn(tmp_path, one=(0.05, 1.3, {}), two=(0.0, 0.9, {})).figure
    ax = figure.axes[2]
    (name,) = [text for text in ax.texts if text.get_text() == "impermeable"]
    box = name.get_window_extent()
    assert ax.get_window_extent().y1 >= box.y1
    for line in ax.lines:
        if line.get_zorder() < name.get_zorder():
            continue
        points = ax.transData.transform(np.column_stack(line.get_data()))
        points = points[np.isfinite(points).all(axis=1)]
        assert not any(box.contains(x, y) for x, y in points)
    patch = name.get_bbox_patch()
    assert patch is not None
    assert patch.get_facecolor()[3] == 1.0


def test_what_is_said_of_four_cells_fits_the_page(tmp_path):
    tensor = ((2.0, 0.125), (0.125, 1.0))
    files = {
        f"a_long_name_{i}": write(
            tmp_path / f"m{i}" / "dispersion.nc",
            0.05,
            1.3 - 0.1 * i,
            material=Material((3.0 + i, tensor)),
        )
        for i in range(4)
    }
    mesh = dict.fromkeys(files, write_disc(tmp_path / "mesh.nc"))
    drawing = draw_checked("dispersion", FigureFiles({"dispersion": files, "mesh": mesh}), tmp_path)
    (below,) = [text for text in drawing.figure.texts if "solid:" in text.get_text()]
    drawing.figure.draw_without_rendering()
    assert drawing.figure.bbox.x0 <= below.get_window_extent().x0
    assert below.get_window_extent().x1 <= drawing.figure.bbox.x1
    assert overlapping_texts(drawing.figure) == []


@pytest.mark.parametrize("rises", [True, False])
def test_the_note_on_exchange_lies_beside_the_curve(tmp_path, rises):
    times = np.geomspace(0.5, 50.0, 31) if rises else np.geomspace(200.0, 2000.0, 31)
    figure = drawn(tmp_path, permeable=(0.05, 0.9, {"times": times})).figure
    figure.draw_without_rendering()
    ax = figure.axes[2]
    (note,) = [text for text in ax.texts if "thin line" in text.get_text()]
    box = note.get_window_extent()
    curve = ax.transData.transform(lines(ax)["_unresolved"].get_xydata())
    assert not any(box.contains(x, y) for x, y in curve)
    assert overlapping_texts(figure) == []
