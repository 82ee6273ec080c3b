"""Where KHM19's model of order two holds, drawn from tensors that are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from support.figure_checks import draw_checked, lines, texts
from support.figure_files import PROVENANCE, signal, sweep, write_disc, write_signals

from torrey.base import artifacts
from torrey.base.stored import Variable
from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import FigureFiles, draw
from torrey.gradients.sweep import Sweep
from torrey.gradients.waveforms import Pgse

#: D:nn and B::nnnn of two compartments; only those along the gradients, y, count.
D, B = (2.0, 1.0), (-0.01, -0.02)


def closed(**values) -> Sweep:
    """Points of a sweep without exchange."""
    return sweep(kappas=(0.0,), **values)


def write_tensors(path: Path, D: tuple[float, float] = D) -> str:
    values = {"D": np.zeros((2, 2, 2)), "B": np.zeros((2, 2, 2, 2, 2))}
    values["D"][:, 1, 1], values["D"][:, 0, 0] = D, 7.0
    values["B"][:, 1, 1, 1, 1], values["B"][:, 0, 0, 0, 0] = B, -9.0
    axes = ["axis", "axis_2", "axis_3", "axis_4"]
    group = {
        name: Variable(("compartment", *axes[: x.ndim - 1]), x, "um2 ms-1", name)
        for name, x in values.items()
    }
    artifacts.write(path, group, PROVENANCE)
    return str(path)


def files_of(directory: Path, **sweeps) -> FigureFiles:
    names = list(sweeps)
    signals = {
        name: write_signals(directory / name, points, ("reference", "R0"), signal)
        for name, points in sweeps.items()
    }
    tensors = write_tensors(directory / "tensors.nc")
    mesh = write_disc(directory / "mesh.nc")
    return FigureFiles(
        {
            "signals": signals,
            "tensors": dict.fromkeys(names, tensors),
            "mesh": dict.fromkeys(names, mesh),
        }
    )


def of_signals(ax: Axes) -> list[Line2D]:
    return [line for line in ax.lines if line.get_label() == "_signals"]


def test_limits_are_those_of_the_compartment_that_leaves_first(tmp_path: Path) -> None:
    files = files_of(
        tmp_path,
        a=closed(Deltas=(5.0, 20.0), b=(0.5, 1.0)),
        b=closed(periods=(2.0, 8.0), Deltas=(20.0,)),
    )
    drawing = draw_checked("khm19_domain", files, tmp_path)
    data = artifacts.open_dataset(tmp_path / "khm19_domain.nc")
    assert data.Delta.values.tolist() == [5.0, 20.0]
    for Delta in data.Delta.values:
        waveform = Pgse(5.0, Delta)
        # K = b D + L^2 q^4 B int F^4 is zero there, and D g^2 + L^2 B g^4 on the plateau.
        b = data.positive.sel(study="a", Delta=Delta).item() / 3.0**2
        fourth = Delta - 3 * 5.0 / 5
        q = waveform.q_of_b(b)
        assert b * D[1] + 9.0 * q**4 * B[1] * fourth == pytest.approx(0.0, abs=1e-9 * b)
        g = waveform.q_of_b(data.dissipative.sel(study="a", Delta=Delta).item() / 9.0)
        assert D[1] + 9.0 * B[1] * g**2 == pytest.approx(0.0, abs=1e-9)
    first, second = drawing.figure.axes[:2]
    assert [len(of_signals(ax)) for ax in (first, second)] == [1, 2]
    assert "below, $K > 0$" in " ".join(texts(drawing.figure))
    assert "_growth" in lines(first)


def test_signals_lie_in_all_of_a_rectangle(tmp_path: Path) -> None:
    wide = closed(periods=(2.0, 8.0), b=(0.5, 1.0))
    drawing = draw_checked("khm19_domain", files_of(tmp_path, a=wide), tmp_path)
    (line,) = of_signals(drawing.figure.axes[0])
    corners = {(float(x), float(y)) for x, y in zip(*line.get_data(), strict=True)}
    assert corners == {(2.0, 500.0), (8.0, 500.0), (8.0, 1000.0), (2.0, 1000.0)}


def test_a_single_signal_is_a_mark(tmp_path: Path) -> None:
    drawing = draw_checked("khm19_domain", files_of(tmp_path, a=closed()), tmp_path)
    (line,) = of_signals(drawing.figure.axes[0])
    assert line.get_marker() == "o"


def test_water_that_leaves_its_compartment_is_refused(tmp_path: Path) -> None:
    files = files_of(tmp_path, a=closed(), b=sweep(kappas=(0.0, 0.05)))
    with pytest.raises(ValueError, match="study b: permeability above zero"):
        draw(CATALOGUE["khm19_domain"], files)


def test_confined_water_is_refused(tmp_path: Path) -> None:
    files = files_of(tmp_path, a=closed())
    confined = {"a": write_tensors(tmp_path / "confined.nc", (2.0, 1e-15))}
    with pytest.raises(ValueError, match="study a: .* not confined"):
        draw(CATALOGUE["khm19_domain"], FigureFiles({**files.files, "tensors": confined}))


def test_pulses_of_several_durations_are_refused(tmp_path: Path) -> None:
    files = files_of(tmp_path, a=closed())
    table = dict(artifacts.read(files.files["signals"]["a"]))
    group = {
        "delta": Variable(("delta",), [4.0, 5.0], "ms", "delta"),
        "Delta": Variable(("Delta",), table["Delta"], "ms", "Delta"),
        "direction_vector": Variable(("direction", "axis"), [[0.0, 1.0]], "1", "direction"),
    }
    artifacts.write(tmp_path / "signals.nc", group, PROVENANCE)
    changed = {**files.files, "signals": {"a": str(tmp_path / "signals.nc")}}
    with pytest.raises(ValueError, match="several delta"):
        draw(CATALOGUE["khm19_domain"], FigureFiles(changed))
