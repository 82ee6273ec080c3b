"""Figures of CHL14 and KHM19 show the numbers of their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.figure_checks import draw_checked, labels_of, lines, overlapping_texts, texts
from support.figure_files import disc_mesh, signal, sweep, write_disc, write_signals

from torrey.figures.drawing import FigureFiles
from torrey.figures.style import direction_text

B = (0.0, 1.0, 2.0, 3.0)
PERIODS = (1.0, 2.0, 4.0, 8.0)
KHM19 = ("reference", "R0", "R2", "Pade")
LABELS = {"reference": "Ref", "R0": "order 0", "R2": "order 2", "Pade": "Padé"}
LOOKS = {"reference": "Ref", "R0": "R0", "R2": "R2", "Pade": "Padé"}


def test_chl14_signals_against_b(tmp_path):
    Deltas = (5.0, 15.0, 25.0, 35.0)
    points = sweep(Deltas=Deltas, b=B)
    path = write_signals(tmp_path / "s", points, ("reference", "R0"), signal)
    drawing = draw_checked("chl14_fig4_1", FigureFiles({"signals": {"s": path}}), tmp_path)
    assert len(drawing.figure.axes) == 4
    for ax, Delta in zip(drawing.figure.axes, Deltas, strict=True):
        assert f"{Delta:g} ms" in ax.get_title(loc="left")
        for model in ("reference", "R0"):
            x, y = lines(ax)[LOOKS[model]].get_data()
            np.testing.assert_allclose(x, 1000 * np.array(B))
            expected = [np.log(signal(model, 2.0, 0.05, Delta, b)) for b in B]
            np.testing.assert_allclose(y, expected, atol=1e-12)
    assert {"Ref", "R0 (ODE)"} <= set(texts(drawing.figure))
    assert overlapping_texts(drawing.figure) == []


def test_chl14_signals_stand_beside_their_cell(tmp_path):
    path = write_signals(tmp_path / "s", sweep(b=B), ("reference", "R0"), signal)
    mesh = write_disc(tmp_path / "mesh.nc")
    files = FigureFiles({"signals": {"s": path}, "mesh": {"s": mesh}})
    drawing = draw_checked("chl14_fig4_2", files, tmp_path)
    curves, picture = drawing.figure.axes
    x, y = lines(curves)["R0"].get_data()
    np.testing.assert_allclose(x, 1000 * np.array(B))
    expected = [np.log(signal("R0", 2.0, 0.05, 20.0, b)) for b in B]
    np.testing.assert_allclose(y, expected, atol=1e-12)
    assert r"\mathbf{e}_y" in curves.get_title(loc="left")
    assert "the cell" in picture.get_title(loc="left")
    (shared,) = (text for text in texts(drawing.figure) if r"$L$ = 2 $\mu$m" in text)
    assert shared.startswith("disc, R = 0.25, ")
    cell = disc_mesh()
    facets = drawing.data["membrane_facet"].values
    np.testing.assert_allclose(facets, cell.points[cell.membrane_outside])
    assert overlapping_texts(drawing.figure) == []


@pytest.mark.parametrize(
    ("vector", "text"), [((1.0, 0.0), r"\mathbf{e}_x$"), ((0.6, -0.8), "(0.6, -0.8)")]
)
def test_directions_are_written(vector, text):
    assert direction_text(np.array(vector)).endswith(text)


def test_khm19_boxes_and_sizes(tmp_path):
    paths = {name: write_disc(tmp_path / f"{name}.nc") for name in ("one", "two")}
    drawing = draw_checked("khm19_fig1", FigureFiles({"mesh": paths}), tmp_path)
    unknowns = len(np.unique(disc_mesh().periodic))
    for ax in drawing.figure.axes:
        title = ax.get_title(loc="left")
        assert "disc, R = 0.25" in title
        assert f"coarsest (drawn): 12 triangles, {unknowns} unknowns" in title
    assert drawing.data["triangles"].values.tolist() == [[12, 12]] * 2
    assert overlapping_texts(drawing.figure) == []


def studies(directory: Path, points, unstable=()) -> dict[str, str]:
    names = ("a", "b")
    return {
        name: write_signals(directory / name, points, KHM19, signal, unstable) for name in names
    }


def test_khm19_exponents_against_the_period(tmp_path):
    signals = studies(tmp_path, sweep(PERIODS), ["R2"])
    mesh = write_disc(tmp_path / "mesh.nc")
    files = FigureFiles({"signals": signals, "mesh": dict.fromkeys(signals, mesh)})
    drawing = draw_checked("khm19_fig2", files, tmp_path)
    panels = [ax for ax in drawing.figure.axes if ax.get_ylabel()]
    assert len(panels) == 2
    for ax, name in zip(panels, "ab", strict=True):
        # Both are the same in words but for the name of the study.
        assert ax.get_title(loc="left").endswith(name)
        assert labels_of(ax)[1] == r"$-\log S$ (natural)"
        assert len(ax.child_axes) == 1
        for model, label in LOOKS.items():
            x, y = lines(ax)[label].get_data()
            np.testing.assert_allclose(x, PERIODS)
            expected = [-np.log(signal(model, L, 0.05, 20.0, 1.0)) for L in PERIODS]
            np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert set(LABELS.values()) <= set(texts(drawing.figure))
    assert any(text.startswith("hollow: order 2 unstable") for text in texts(drawing.figure))
    (shared,) = (text for text in texts(drawing.figure) if "1000 s/mm" in text)
    assert shared.startswith("disc, R = 0.25, ")
    np.testing.assert_allclose(drawing.data["epsilon"].values, np.array(PERIODS) / 1000)


def test_khm19_signals_against_b(tmp_path):
    Deltas = (20.0, 40.0)
    path = write_signals(tmp_path / "s", sweep(Deltas=Deltas, b=B), KHM19, signal)
    drawing = draw_checked("khm19_fig3", FigureFiles({"signals": {"s": path}}), tmp_path)
    for ax, Delta in zip(drawing.figure.axes, Deltas, strict=True):
        assert f"{Delta:g} ms" in ax.get_title(loc="left")
        for model, label in LOOKS.items():
            x, y = lines(ax)[label].get_data()
            np.testing.assert_allclose(x, 1000 * np.array(B))
            expected = [signal(model, 2.0, 0.05, Delta, b) for b in B]
            np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert set(LABELS.values()) <= set(texts(drawing.figure))
    assert overlapping_texts(drawing.figure) == []


def test_what_blows_up_does_not_squash_the_signals_that_mean_something(tmp_path):
    def lost(model: str, *where: float) -> float:
        return 50.0 * where[-1] if model == "R2" and where[-1] > 1.0 else signal(model, *where)

    files = FigureFiles(
        {
            "signals": {"s": write_signals(tmp_path / "s", sweep(b=B), KHM19, lost)},
            "mesh": {"s": write_disc(tmp_path / "mesh.nc")},
        }
    )
    drawing = draw_checked("khm19_fig5", files, tmp_path)
    ax = drawing.figure.axes[0]
    low, high = ax.get_ylim()
    sound = [signal(model, 2.0, 0.05, 20.0, b) for model in KHM19 for b in B]
    assert 0.5 * min(sound) < low < min(sound)
    assert max(sound) < high < 1.5
    assert f"order 2 (to {50.0 * B[-1]:.3g})" in texts(drawing.figure)
    hollow = lines(ax)["_hollow"].get_xdata()
    np.testing.assert_allclose(hollow, [1000.0 * b for b in B if b > 1.0])
