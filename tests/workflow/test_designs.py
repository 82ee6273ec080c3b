"""Derivatives and designs from end to end: right numbers, and what an edit makes anew."""

from __future__ import annotations

import numpy as np
import pytest
from support.project import Job, Project

import torrey as tr
from torrey.inversion import design

CONFIG = """\
geometries:
  walls: {kind: layers, thicknesses: [0.6, 0.4], mesh: {size: 0.25, refinements: 2}}
studies:
  sweep:
    geometry: walls
    diffusivity: {outside: 2e-3 mm^2/s, inside: 1e-3 mm^2/s}
    period: 6 um
    permeability: [5e-5 m/s, 1e-4 m/s]
    waveform: {kind: pgse, delta: 2 ms, Delta: 8 ms}
    b: [0 s/mm^2, 400 s/mm^2, 1000 s/mm^2, 2000 s/mm^2]
    directions: [[1]]
    models: [reference, R0, P2]
    reference: {method: projected}
    derivatives: [kappa, L]
    tolerance: 1e-2
designs:
  best: {study: sweep, sigma: 0.02, choose: 2, of: kappa}
"""
DERIVATIVES = "results/studies/sweep/derivatives.nc"
DESIGN = "results/designs/best/design.nc"


@pytest.mark.slow
def test_a_design_is_made_from_derivatives_of_its_study(origin, tmp_path):
    project = Project.create(tmp_path / "project", CONFIG, origin)
    run = project.run("--cores=1", "design_best")
    assert run.code == 0, run.text
    assert "Study sweep: no derivatives of R0" in run.text
    # Bases that are kept are enough, and models of no use are left alone.
    assert run.rules.count("derive_signals") == 1
    assert "evaluate_models" not in run.rules
    assert project.plan("designs", DERIVATIVES) == set()
    check_numbers(project)
    check_edits(project)


def check_numbers(project: Project) -> None:
    """Derivatives are those of the door, and the choice is the best of all pairs."""
    table = tr.open_dataset(project.path(DERIVATIVES))
    found = tr.open_dataset(project.path(DESIGN))
    for k, kappa in enumerate((0.05, 0.1)):
        cell = tr.Cell(tr.Layers((0.6, 0.4)), [2.0, 1.0], 6.0, kappa, mesh=tr.MeshOptions(0.25, 2))
        one = cell.signal(
            tr.Pgse(2.0, 8.0),
            b=[0.0, 0.4, 1.0, 2.0],
            model=["reference", "P2"],
            derivatives=["kappa", "L"],
            tolerance=1e-2,
        )
        for name in ("kappa", "L"):
            there = table[f"dS_d{name}_real"].isel(permeability=k).squeeze().values
            np.testing.assert_allclose(there, one[f"dS_d{name}"].values, rtol=1e-8, atol=1e-11)
        reference = one.sel(model="reference")
        dS = np.stack([kappa * reference.dS_dkappa, 6.0 * reference.dS_dL], axis=1)
        pairs = [(i, j) for i in range(4) for j in range(i)]
        values = [design.bound(dS[list(pair)], 0.02, "D", 0) for pair in pairs]
        best = pairs[int(np.argmin(values))]
        here = found.isel(permeability=k).squeeze()
        assert set(here.chosen.values.tolist()) == set(best)
        bounds = design.cramer_rao(dS, 0.02)
        np.testing.assert_allclose(here.bound_relative, bounds, rtol=1e-6)
        np.testing.assert_allclose(here.bound_L, 6.0 * bounds[1], rtol=1e-6)
    lines = project.path("results/designs/best/design.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * 2


def check_edits(project: Project) -> None:
    """A question costs no derivative, and damage to a CSV is seen."""
    bounds, derived = Job("bound_parameters", "design=best"), Job("derive_signals", "study=sweep")
    project.edit("tiny.yaml", "sigma: 0.02", "sigma: 0.01")
    assert project.plan("designs", DERIVATIVES) == {bounds}
    project.edit("tiny.yaml", "sigma: 0.01", "sigma: 0.02")
    project.edit("tiny.yaml", "derivatives: [kappa, L]", "derivatives: [kappa, L, b]")
    assert project.plan("designs", DERIVATIVES) == {bounds, derived}
    project.edit("tiny.yaml", "derivatives: [kappa, L, b]", "derivatives: [kappa, L]")
    csv = project.path("results/designs/best/design.csv")
    csv.write_text(csv.read_text().replace("pgse", "page"))
    verified = project.run("--cores=1", "verify")
    assert verified.code != 0
    assert "design" in verified.text
