"""Words of `snakemake verify`; what it finds is tested with whole runs in tests/workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from torrey.config import load
from torrey.workflow.recipes import Recipes
from torrey.workflow.verification import _shortened, verify

ROOT = Path(__file__).parents[3]

SWEEP = '{"periods": [8.0], "permeabilities": [0.02], "strengths": [0.0, 0.5, 1.0], "models": []}'


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        (1e-3, 1e-4, ("0.001", "0.0001")),
        (None, "R2", ("nothing", "R2")),
        (
            SWEEP,
            SWEEP.replace("1.0", "1.2"),
            (
                '...: [0.0, 0.5, 1.0], "models": []}',
                '...: [0.0, 0.5, 1.2], "models": []}',
            ),
        ),
        (SWEEP, "[" + SWEEP, (SWEEP[:40] + "...", "[" + SWEEP[:39] + "...")),
    ],
)
def test_values_are_cut_where_they_differ(before, now, shown):
    assert _shortened(before, now) == shown


def test_a_report_is_no_foreign_file(tmp_path):
    for name in ("report.html", "other.html"):
        (tmp_path / "results").mkdir(exist_ok=True)
        (tmp_path / "results" / name).write_text("<html></html>", encoding="utf-8")
    recipes = Recipes(load([ROOT / "config" / "minimal.yaml"]), ROOT / "workflow" / "scripts")
    found = verify(recipes, tmp_path)
    assert [one.path for one in found.findings] == ["results/other.html"]
    # Of the minimal configuration: what nobody asks for is not missing.
    assert all("kurtosis" not in path and "tensors" not in path for path in found.missing)
    assert "results/studies/first/overview.nc" in found.missing
