"""The figure of a voxel says what it shows, and keeps its data."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import group_of
from torrey.figures.chl14_voxel import fig6_1
from torrey.figures.drawing import FigureFiles
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.voxel.exchange import Homogenised
from torrey.voxel.files import VoxelMesh, gather_voxel, write_mesh, write_signal
from torrey.voxel.medium import DiscMedium
from torrey.voxel.results import VoxelSignal
from torrey.voxel.triangulation import Triangles

PULSES = Pgse(80.0, 80.0)
B = (0.0, 0.5, 1.0)


@pytest.fixture
def gathered(tmp_path):
    """Makes the file of a voxel of a few discs in a box of some size (um)."""

    def gathered(side: float) -> str:
        rng = np.random.default_rng(1)
        points = [Point(side, 0.01, PULSES, PULSES.q_of_b(b), (1.0, 0.0)) for b in B]
        meshes, numbers, signals = [], [], []
        for domain, width in (("box", side), ("voxel", side / 2)):
            centres = rng.uniform(0.0, width, (9, 2))
            medium = DiscMedium(width, centres, np.full(9, 3.0), 0.2, 2 if domain != "box" else 0)
            empty = np.zeros((1, 3), dtype=np.int64)
            mesh = VoxelMesh(
                medium, Triangles(np.zeros((1, 3, 2)), empty, empty, np.array([True]), 1)
            )
            meshes.append(str(tmp_path / f"{domain}_mesh.nc"))
            write_mesh(meshes[-1], mesh, Provenance("test"))
            values = {f.name: 0.3 for f in fields(Homogenised)}
            values |= {"class_fraction": np.full(2, 0.15), "class_surface": np.full(2, 0.6)}
            numbers.append(str(tmp_path / f"{domain}_numbers.nc"))
            artifacts.write(numbers[-1], group_of(Homogenised(**values)), Provenance("test"))
            for point in points:
                value = float(np.exp(-point.b)) - (0.01 if domain != "box" else 0.0)
                found = VoxelSignal(value, 1e-4, 2e-4, value, 100, 10, 20)
                signals.append(str(tmp_path / f"{domain}_{point.b:.2f}.nc"))
                write_signal(signals[-1], found, point, Provenance("test"))
        group = gather_voxel(("box", "voxel"), meshes, numbers, signals, points, B, side / 2)
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


@pytest.mark.parametrize(("side", "stands_in"), [(300.0, True), (1500.0, False)])
def test_a_small_box_says_what_it_stands_for(gathered, side, stands_in):
    drawing = fig6_1(FigureFiles({"signals": {"mine": gathered(side)}}))
    texts = " ".join(text.get_text() for text in drawing.figure.texts)
    assert ("stands in for the paper's" in texts) == stands_in
    assert "less 2 that met another one" in texts
    assert drawing.data["signal_real"].values.shape == (2, 3)
