"""A job says how it went: where its log is looked for, and in words that name the point."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from torrey.geometry.mesh import MeshError
from torrey.jobs import job
from torrey.krylov import ConvergenceError
from torrey.propagation import ToleranceError
from torrey.provenance import file_digest


@pytest.fixture
def rule(tmp_path: Path) -> Any:
    """What Snakemake gives to a script."""
    mesh = tmp_path / "mesh.nc"
    mesh.write_bytes(b"mesh")
    return SimpleNamespace(
        rule="solve_reference",
        wildcards={"geometry": "cell", "point": "L5_b1"},
        input=[str(mesh)],
        params=SimpleNamespace(recipe={"period": 5.0, "code": "abc"}),
        log=[str(tmp_path / "logs" / "deep" / "point.log")],
    )


WHERE = "solve_reference (geometry cell, point L5_b1)"


def test_the_provenance_is_that_of_the_rule(rule):
    with job(rule) as provenance:
        pass
    assert provenance.stage == "solve_reference"
    assert provenance.code == "abc"
    assert provenance.parameters == {"period": 5.0}
    assert provenance.inputs == {rule.input[0]: file_digest(rule.input[0])}
    assert rule.params.recipe == {"period": 5.0, "code": "abc"}


def test_the_log_tells_the_wall_time(rule):
    with job(rule):
        pass
    log = Path(rule.log[0]).read_text()
    assert log.startswith(f"{WHERE}: 0.")
    assert log.endswith(" s wall time\n")


@pytest.mark.parametrize("error", [ToleranceError, MeshError, ConvergenceError])
def test_a_result_that_cannot_be_had_ends_the_job_with_its_reason(rule, error):
    with pytest.raises(SystemExit) as end, job(rule):
        raise error("choose a larger tolerance")
    assert end.value.code == f"{WHERE}: choose a larger tolerance"
    assert Path(rule.log[0]).read_text() == f"{WHERE}: choose a larger tolerance\n"


@pytest.mark.parametrize("error", [TypeError, ValueError, ArithmeticError])
def test_a_mistake_in_the_code_leaves_its_traceback_in_the_log(rule, error):
    with pytest.raises(error, match="unexpected"), job(rule):
        raise error("unexpected")
    log = Path(rule.log[0]).read_text()
    assert log.startswith(f"{WHERE}:\nTraceback")
    assert f"{error.__name__}: unexpected" in log


def test_an_input_that_is_missing_is_an_error_in_the_log(rule):
    rule.input.append("nowhere.nc")
    with pytest.raises(FileNotFoundError), job(rule):
        pass
    assert "nowhere.nc" in Path(rule.log[0]).read_text()
