"""The table of kurtoses holds W's form beside the exact value, and the order of the difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions, Shape
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.gradients.waveforms import Pgse
from torrey.models.kurtosis import compartment_kurtosis
from torrey.models.tensor_files import write_tensors
from torrey.models.tensors import papers_tensors
from torrey.study.cumulants import cumulant_table
from torrey.tables.khm19_kurtosis import table_kurtosis
from torrey.tables.writing import TableFiles

PROVENANCE = Provenance("test")
SHAPE = Discs((Disc((0.5, 0.5), 0.2),), "obstacle")
WATER = Discs(())
N = (0.0, 1.0)


def write(
    directory: Path,
    models: tuple[str, ...] = ("reference", "R2"),
    kind: str = "pgse",
    shape: Shape = SHAPE,
    h: float = 0.2,
) -> TableFiles:
    operators = levels(shape, MeshOptions(h, 1), Material((3.0,)))
    times = (("delta", (2.5,)), ("Delta", (2.5, 10.0)))
    if kind == "trapezoid":
        times = (*times[:1], ("Delta", (5.0, 10.0)), ("rise_time", (0.1,)))
    grid = WaveformGrid(kind, times)
    sweep = Sweep((1.0, 2.0, 4.0), "permeability", (0.0,), Product(grid, "b", (1.0,), (N,)))
    (directory / "box" / "De3").mkdir(parents=True)
    tensors, table = directory / "box" / "De3" / "tensors.nc", directory / "cumulants.nc"
    mesh = directory / "mesh.nc"
    names = {"compartment": Variable(("compartment",), np.array(["outside"]), "", "compartment")}
    artifacts.write(mesh, names, Provenance("test", shape.to_dict()))
    write_tensors(tensors, papers_tensors(operators[1]), mesh, PROVENANCE)
    artifacts.write(table, cumulant_table(operators, sweep, models, 1e-6), PROVENANCE)
    files = {"cumulants": table, "tensors": tensors, "mesh": mesh}
    return TableFiles({kind: {"s": str(path)} for kind, path in files.items()})


def test_the_difference_is_a_share_of_the_fourth_order(tmp_path):
    table = table_kurtosis(write(tmp_path))
    columns = {column.name: np.array(column.values) for column in table.columns}
    assert set(columns["box"]) == {"disc, R = 0.2, no water inside"}
    operators = levels(SHAPE, MeshOptions(0.2, 1), Material((3.0,)))
    tensors = papers_tensors(operators[1])
    for i, (Delta, period) in enumerate(zip(columns["Delta"], columns["period"], strict=True)):
        form = compartment_kurtosis(tensors, Pgse(2.5, float(Delta)), float(period))
        assert columns["of_tensors"][i] == pytest.approx(form.apparent_kurtosis(N), rel=1e-9)
    assert np.all(np.abs(columns["share"]) < 0.1)
    np.testing.assert_allclose(columns["order"][[1, 4]], 4.0, atol=0.15)
    assert np.isnan(columns["order"][[0, 3]]).all()


def test_the_difference_is_known_better_than_the_kurtoses(tmp_path):
    coarse, fine = (
        {column.name: np.array(column.values) for column in table_kurtosis(files).columns}
        for files in (write(tmp_path / "coarse"), write(tmp_path / "fine", h=0.07))
    )
    known = coarse["error"] / coarse["exact"]
    assert np.all(np.abs(fine["share"] - coarse["share"]) < 0.01 * known)


def test_water_without_a_kurtosis_has_no_difference(tmp_path):
    table = table_kurtosis(write(tmp_path, shape=WATER))
    columns = {column.name: np.array(column.values) for column in table.columns}
    np.testing.assert_allclose(columns["adc"], 3.0)
    assert np.isnan(columns["share"]).all()
    assert np.isnan(columns["order"]).all()


def test_other_waveforms_and_no_reference_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no reference"):
        table_kurtosis(write(tmp_path / "one", models=("R2",)))
    with pytest.raises(ValueError, match="rectangular pulses"):
        table_kurtosis(write(tmp_path / "two", kind="trapezoid"))
