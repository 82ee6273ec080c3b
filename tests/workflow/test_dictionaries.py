"""Dictionaries from end to end: right signals, and only missing blocks after a kill."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from support.project import Project

import torrey as tr

CONFIG = """\
geometries:
  cell:
    kind: discs
    cells: [{center: [0.5, 0.5], radius: 0.3}]
    mesh: {size: 0.25, refinements: 1}
dictionaries:
  mine:
    geometry: cell
    diffusivities:
      outside: 3e-3 mm^2/s
      inside: [1e-3 mm^2/s, 2e-3 mm^2/s]
    period: {start: 2 um, stop: 4 um, num: 6}
    permeability: [1e-5 m/s, 5e-5 m/s]
    waveform: {kind: pgse, delta: 2 ms, Delta: {start: 5 ms, stop: 9 ms, num: 2}}
    b: {start: 0 s/mm^2, stop: 1000 s/mm^2, num: 4}
    directions: [[1, 0]]
    models: [reference, R2]
    tolerance: 1e-2
"""
TABLE = "results/dictionaries/mine/signals.nc"
BLOCKS = "results/dictionaries/mine/batches"


def jobs(run, rule: str) -> int:
    return sum(name == rule for name in run.rules)


@pytest.mark.slow
def test_a_killed_dictionary_makes_the_blocks_that_are_missing(origin, tmp_path):
    whole = Project.create(tmp_path / "whole", CONFIG, origin)
    run = whole.run("--cores=2", "dictionary_mine")
    assert run.code == 0, run.text
    assert (jobs(run, "solve_dictionary"), jobs(run, "evaluate_dictionary")) == (2, 2)
    assert whole.plan("dictionaries") == set()
    log = next(whole.path("results/logs/solve_dictionary/mine").glob("*.log")).read_text()
    assert "96 of 96 signals in" in log
    assert "s left" in log
    killed = Project.create(tmp_path / "killed", CONFIG, origin)

    def blocks() -> int:
        return len(list(killed.path(BLOCKS).rglob("[!.]*.nc")))

    killed.kill_when(lambda: blocks() >= 2, "--cores=1", "dictionaries")
    there = blocks()
    assert 2 <= there < 4
    again = killed.run("--cores=2", "dictionaries")
    assert again.code == 0, again.text
    # One job was killed, perhaps with its block just written; those before it stay.
    made = jobs(again, "solve_dictionary") + jobs(again, "evaluate_dictionary")
    assert made in (4 - there, 5 - there)
    assert killed.path(TABLE).read_bytes() == whole.path(TABLE).read_bytes()
    check_signals(whole)
    check_edits(whole)


def check_signals(project: Project) -> None:
    """Signals of the table against those of the cell by itself, and how the file lies."""
    table = tr.open_dataset(project.path(TABLE))
    assert (table.validity.sel(model="reference") == 0).all()
    shape = tr.Discs([tr.Disc((0.5, 0.5), 0.3)])
    for place in ((0, 0, 0, 1, 3, 0), (1, 5, 1, 1, 3, 0), (1, 3, 0, 0, 2, 0)):
        inside, period, kappa, late, b, direction = place
        at = {"diffusivity_outside": 0, "diffusivity_inside": inside, "period": period}
        at |= {"permeability": kappa, "delta": 0, "Delta": late, "b": b, "direction": direction}
        there = table.isel(at)
        cell = tr.Cell(
            shape,
            {"outside": 3.0, "inside": there.diffusivity_inside.item()},
            there.period.item(),
            there.permeability.item(),
            mesh=tr.MeshOptions(0.25, 1),
        )
        pulses = tr.Pgse(2.0, there.Delta.item())
        vector = there.direction_vector.values
        models = ["reference", "R2"]
        found = cell.signal(
            pulses, b=there.b.item(), direction=vector, model=models, tolerance=1e-2, method="full"
        )
        apart = np.abs(there.signal_real.values - found.values.real)
        assert (apart <= there.numerical_error.values + found.numerical_error.values).all()
        assert apart[1] <= 1e-12
    with netCDF4.Dataset(project.path(TABLE)) as file:
        signal = file["signal_real"]
        assert signal.filters()["zlib"]
        assert signal.chunking() == [1, 1, 1, 6, 2, 1, 2, 4, 1]


def check_edits(project: Project) -> None:
    """A value at the end touches the blocks that it lies in; damage is seen."""
    rules = [job.rule for job in project.plan("dictionaries")]
    assert rules == []
    project.edit("tiny.yaml", "inside: [1e-3 mm^2/s, 2e-3", "inside: [1e-3 mm^2/s, 1.5e-3")
    rules = sorted(job.rule for job in project.plan("dictionaries"))
    assert rules.count("solve_dictionary") == rules.count("evaluate_dictionary") == 1
    project.edit("tiny.yaml", "inside: [1e-3 mm^2/s, 1.5e-3", "inside: [1e-3 mm^2/s, 2e-3")
    block = sorted(project.path(BLOCKS).rglob("*.nc"))[0]
    content = bytearray(block.read_bytes())
    content[len(content) // 2] ^= 1
    block.write_bytes(content)
    assert project.run("--cores=1", "verify").code != 0
    rules = [job.rule for job in project.plan("dictionaries")]
    assert sorted(set(rules)) in (
        ["evaluate_dictionary", "gather_dictionary"],
        ["gather_dictionary", "solve_dictionary"],
    )
