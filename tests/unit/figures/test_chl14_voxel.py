"""The figure of a voxel says what it shows, and keeps its data."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from matplotlib.text import Text

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.figures.chl14_voxel import fig6_1
from torrey.figures.drawing import Drawing, FigureFiles
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import DoublePgse, Pgse
from torrey.voxel.exchange import Homogenised
from torrey.voxel.files import VoxelMesh, gather_voxel, write_mesh, write_signal
from torrey.voxel.medium import DiscMedium
from torrey.voxel.results import VoxelSignal
from torrey.voxel.triangulation import Triangles

PULSES = Pgse(80.0, 80.0)
B = (0.0, 0.5, 1.0)


@pytest.fixture
def gathered(tmp_path):
    """Makes the file of a voxel of discs in a box of some size (um)."""

    def gathered(side: float, count=9, waveform=PULSES, domains=("box", "voxel"), D=(3, 3)) -> str:
        rng = np.random.default_rng(1)
        points = [Point(side, 0.01, waveform, waveform.q_of_b(b), (1.0, 0.0)) for b in B]
        meshes, numbers, signals = [], [], []
        window = side / len(domains)
        for domain, width in dict(zip(domains, (side, window), strict=False)).items():
            centres = rng.uniform(0.0, width, (count, 2))
            medium = DiscMedium(
                width, centres, np.full(count, 3.0), 0.2, 2 if domain != "box" else 0
            )
            empty = np.zeros((1, 3), dtype=np.int64)
            mesh = VoxelMesh(
                medium, Triangles(np.zeros((1, 3, 2)), empty, empty, np.array([True]), 1)
            )
            meshes.append(str(tmp_path / f"{domain}_mesh.nc"))
            write_mesh(meshes[-1], mesh, Provenance("test"))
            values = {f.name: 0.3 for f in fields(Homogenised)}
            values |= {
                "class_fraction": np.array([0.15, 0.15, 0.0]),
                "class_surface": np.array([0.6, 0.6, 0.0]),
            }
            numbers.append(str(tmp_path / f"{domain}_numbers.nc"))
            artifacts.write(numbers[-1], group_of(Homogenised(**values)), Provenance("test"))
            for point in points:
                value = float(np.exp(-point.b)) - (0.01 if domain != "box" else 0.0)
                found = VoxelSignal(value, 1e-4, 2e-4, unknowns=100, steps=10, iterations=20)
                signals.append(str(tmp_path / f"{domain}_{point.b:.2f}.nc"))
                write_signal(signals[-1], found, point, Provenance("test"))
        group = gather_voxel(domains, meshes, numbers, signals, points, B, window, D)
        path = str(tmp_path / "signals.nc")
        artifacts.write(path, group, Provenance("test"))
        return path

    return gathered


def test_gathered_signals_are_labelled(gathered):
    with artifacts.open_dataset(gathered(300.0)) as data:
        assert data.signal_real.dims == ("domain", "b")
        assert data.sel(domain=data.domain == "voxel").dropped.values.tolist() == [2]
        assert data.numerical_error.values == pytest.approx(3e-4)
        assert data.signal_real.values[1] == pytest.approx(np.exp(-np.array(B)) - 0.01)
        assert data.signal_real.attrs["units"] == "1"
        assert np.all(np.abs(data.disc_center) <= 150.0)


def drawn(path: str) -> tuple[Drawing, str]:
    """The figure, and all that is written in it."""
    drawing = fig6_1(FigureFiles({"signals": {"mine": path}}))
    return drawing, " | ".join(text.get_text() for text in drawing.figure.findobj(Text))


@pytest.mark.parametrize(
    ("side", "changed", "stands_in"),
    [
        (300.0, {}, True),
        (1500.0, {"count": 9}, False),
        (300.0, {"count": 700}, False),
        (300.0, {"D": (3, 1)}, False),
        (300.0, {"waveform": Pgse(5.0, 15.0)}, False),
    ],
)
def test_a_small_box_says_what_it_stands_for(gathered, side, changed, stands_in):
    drawing, texts = drawn(gathered(side, **{"count": 800, **changed}))
    assert ("stands in for the paper's" in texts) == stands_in
    assert "less 2 that met another one" in texts
    assert drawing.data["signal_real"].values.shape == (2, 3)


@pytest.mark.parametrize(
    ("waveform", "title"),
    [
        (PULSES, r"$\delta = \Delta$ = 80 ms"),
        (Pgse(5.0, 15.0), r"$\delta$ = 5 ms, $\Delta$ = 15 ms"),
        (DoublePgse(5.0, 15.0, 2.0, 0.0), r"double-pgse, $\delta$ = 5 ms, $\Delta$ = 15 ms"),
        (Pgse(5.0, 5.0), r"$\delta = \Delta$ = 5 ms"),
    ],
)
def test_the_title_has_the_pulses_of_the_data(gathered, waveform, title):
    drawing, texts = drawn(gathered(100.0, waveform=waveform))
    assert drawing.figure.axes[1].get_title("left").endswith(f"  {title}")
    assert "R0, 2 classes" in texts
    assert "16" not in texts


def test_a_box_without_a_voxel_is_compared_with_r0_alone(gathered):
    drawing, texts = drawn(gathered(100.0, domains=("box",)))
    assert "$V$" not in texts
    assert "met another" not in texts
    assert "$S - S$($B$)" in texts
    # Three of R0, and that of the box.
    assert len(drawing.figure.axes[1].lines) == 4
    assert drawing.data["signal_real"].values.shape == (1, 3)
