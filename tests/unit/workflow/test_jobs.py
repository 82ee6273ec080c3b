"""A job checks what it is given, and says how it went: in words that name the point."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import torrey
from torrey.workflow.jobs import LIBRARY_VARIABLE, batch, job
from torrey.base import artifacts, seals
from torrey.base.provenance import Provenance, library_digest, script_digest
from torrey.base.stored import Variable
from torrey.cell.krylov import ConvergenceError
from torrey.cell.material import Material
from torrey.geometry.mesh import MeshError
from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import ToleranceError
from torrey.workflow.progress import Teller
from torrey.workflow.stages import FitOrders, SolveReference

KEY, UPSTREAM = "0123456789abcdef", "fedcba9876543210"
SCRIPTS = Path(torrey.__file__).parents[2] / "workflow" / "scripts"


@pytest.fixture
def rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What Snakemake gives to a script."""
    monkeypatch.setenv(LIBRARY_VARIABLE, library_digest())
    mesh = tmp_path / "mesh.nc"
    x = Variable(("i",), np.arange(100.0), "1", "x")
    artifacts.write(mesh, {"x": x}, Provenance("build_mesh", key=UPSTREAM))
    code = script_digest(SCRIPTS / "solve_reference.py")
    return SimpleNamespace(
        rule="solve_reference",
        wildcards={"geometry": "cell", "point": "L5_b1"},
        input=[str(mesh)],
        scriptdir=str(SCRIPTS),
        params=SimpleNamespace(
            recipe={**STAGE.to_params(), "code": code, "key": KEY, "upstream": UPSTREAM}
        ),
        output=["made.nc"],
        log=[str(tmp_path / "logs" / "deep" / "point.log")],
    )


STAGE = SolveReference(
    material=Material((3.0, 1.7)),
    point=Point(5.0, 0.05, Pgse(2.0, 5.0), 0.2, (1.0, 0.0)),
    tolerance=1e-4,
)
WHERE = "solve_reference (geometry cell, point L5_b1)"


def test_the_provenance_is_that_of_the_rule(rule):
    before = dict(rule.params.recipe)
    with job(rule, SolveReference) as work:
        pass
    provenance = work.provenance
    assert work.stage == STAGE
    assert work.output == "made.nc"
    assert provenance.stage == "solve_reference"
    assert provenance.code == before["code"]
    assert provenance.key == KEY
    assert provenance.parameters == STAGE.to_params()
    assert provenance.inputs == {rule.input[0]: seals.check(rule.input[0]).content}
    assert rule.params.recipe == before


def test_a_batch_has_one_work_for_each_file(rule):
    code = script_digest(SCRIPTS / "fit_orders.py")
    recipes = {
        f"{model}.nc": {"models": model, "code": code, "key": f"{i:016}", "upstream": UPSTREAM}
        for i, model in enumerate(("R0", "R2"))
    }
    rule.params = SimpleNamespace(batch=json.dumps(recipes))
    with batch(rule, FitOrders) as works:
        assert [work.output for work in works] == ["R0.nc", "R2.nc"]
        assert [work.stage.models for work in works] == [("R0",), ("R2",)]
        assert [work.provenance.key for work in works] == [f"{i:016}" for i in range(2)]
        assert works[1].provenance.parameters == {"models": "R2"}
    assert_tells_time(Path(rule.log[0]).read_text(), "fit_orders (R0.nc and 1 more)")


def assert_tells_time(log: str, of: str) -> None:
    assert re.fullmatch(rf"{re.escape(of)}: \d+\.\d\d s wall time\n", log), log


def test_the_log_tells_the_wall_time(rule):
    with job(rule, SolveReference):
        pass
    assert_tells_time(Path(rule.log[0]).read_text(), WHERE)


def test_remarks_are_in_the_log_and_before_the_eyes_of_whoever_watches(rule, capsys):
    with job(rule, SolveReference) as work:
        work.remarks.append("R2: 2 of 3 signals mean nothing")
    remark = f"{WHERE}: R2: 2 of 3 signals mean nothing\n"
    assert_tells_time(Path(rule.log[0]).read_text(), f"{remark}{WHERE}")
    assert capsys.readouterr().err == remark


@pytest.mark.parametrize("error", [ToleranceError, MeshError, ConvergenceError])
def test_a_result_that_cannot_be_had_ends_the_job_with_its_reason(rule, error):
    with pytest.raises(SystemExit) as end, job(rule, SolveReference):
        raise error("choose a larger tolerance")
    assert end.value.code == f"{WHERE}: choose a larger tolerance"
    assert Path(rule.log[0]).read_text() == f"{WHERE}: choose a larger tolerance\n"


@pytest.mark.parametrize("error", [TypeError, ValueError, ArithmeticError])
def test_a_mistake_in_the_code_leaves_its_traceback_in_the_log(rule, error):
    with pytest.raises(error, match="unexpected"), job(rule, SolveReference):
        raise error("unexpected")
    log = Path(rule.log[0]).read_text()
    assert log.startswith(f"{WHERE}:\nTraceback")
    assert f"{error.__name__}: unexpected" in log


def test_an_input_that_is_missing_is_an_error_in_the_log(rule):
    rule.input.append("nowhere.nc")
    rule.params.recipe["upstream"] += f" {UPSTREAM}"
    with pytest.raises(FileNotFoundError), job(rule, SolveReference):
        pass
    assert "nowhere.nc" in Path(rule.log[0]).read_text()


def refusal(rule: Any) -> str:
    """What a job says that does not begin."""
    with pytest.raises(SystemExit) as end, job(rule, SolveReference):
        pytest.fail("the job began")
    return str(end.value.code)


def test_a_damaged_input_is_refused(rule):
    content = bytearray(Path(rule.input[0]).read_bytes())
    content[len(content) // 2] ^= 1
    Path(rule.input[0]).write_bytes(content)
    assert f"{rule.input[0]} is damaged" in refusal(rule)


def test_an_input_that_was_made_otherwise_is_refused(rule):
    rule.params.recipe["upstream"] = KEY
    assert f"{rule.input[0]} was made with other parameters or other code" in refusal(rule)


def test_other_code_than_that_of_the_run_is_refused(rule, monkeypatch):
    monkeypatch.setenv(LIBRARY_VARIABLE, "another")
    with job(rule, SolveReference):
        pass  # the library is another one, but not what is behind this script
    rule.params.recipe["code"] = "another"
    assert "the code behind solve_reference was changed after this run began" in refusal(rule)


EDIT = """
import os, sys
from pathlib import Path
from types import SimpleNamespace
from torrey.workflow.jobs import LIBRARY_VARIABLE, job
from torrey.base.provenance import library_digest
import torrey.base.keys
from torrey.workflow.stages import FitKurtosis

os.environ[LIBRARY_VARIABLE] = library_digest()
recipe = {"code": "abc", "key": "", "upstream": ""}
rule = SimpleNamespace(
    rule="test", wildcards={}, input=[], scriptdir="", params=SimpleNamespace(recipe=recipe),
    log=["job.log"], output=[],
)
with job(rule, FitKurtosis):
    edited = Path(torrey.__file__).parent / sys.argv[1]
    text = edited.read_text()
    edited.write_text(text + "X = 1")
    edited.write_text(text)
"""


@pytest.mark.parametrize(
    ("module", "noticed"), [("base/keys.py", True), ("models/kurtosis.py", False)]
)
def test_an_edit_that_is_taken_back_is_noticed_where_it_matters(tmp_path, module, noticed):
    shutil.copytree(Path(torrey.__file__).parent, tmp_path / "torrey")
    done = subprocess.run(
        [sys.executable, "-c", EDIT, module],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == noticed, done.stderr
    assert ("keys.py was changed while this job ran" in done.stderr) == noticed


def test_progress_stays_in_the_log_and_that_of_an_earlier_job_does_not(rule):
    log = Path(rule.log[0])
    for _ in range(2):
        with job(rule, SolveReference) as work:
            work.teller.say("goes on after 37 s of an earlier job")
            # Whoever else writes in this job loses nothing either.
            Teller(log).say("all runs: 41 s")
        first, second, last = log.read_text().splitlines()
        assert (first, second) == ("goes on after 37 s of an earlier job", "all runs: 41 s")
        assert_tells_time(f"{last}\n", WHERE)


def test_the_log_tells_how_far_the_job_is_while_it_runs(rule):
    log = Path(rule.log[0])
    with job(rule, SolveReference) as work:
        assert log.read_text() == ""
        work.teller(0.0, "mesh 1")
        assert log.read_text() == "mesh 1: begins\n"
    assert log.read_text().startswith("mesh 1: begins\n")
