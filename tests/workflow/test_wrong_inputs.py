"""A wrong input is answered by its message, first and alone, without lines of the program."""

from __future__ import annotations

import pytest
from support.project import TINY, Project

CASES = {
    "tab": (TINY.replace("  cell:", "\tcell:", 1), "studies", "found a tab at the beginning"),
    "bare number": (TINY.replace("[2 um,", "[1e3,"), "studies", 'found "1e3" (a bare number)'),
    "target": (TINY, "studeis", 'found the target "studeis" (did you mean "studies"?)'),
}


@pytest.mark.parametrize(("text", "target", "said"), CASES.values(), ids=CASES.keys())
def test_the_message_comes_first_and_alone(origin, tmp_path, text, target, said):
    project = Project.create(tmp_path / "project", text, origin)
    run = project.dry_run(target)
    assert run.code == 1
    assert "Traceback" not in run.text
    assert "common.smk" not in run.text
    # Snakemake names its profile before anything of the project is read.
    lines = [line for line in run.text.splitlines() if "specific profile" not in line]
    assert said in lines[0]
    assert len(lines) == 1
