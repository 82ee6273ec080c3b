"""What is wrong with a command, or with the file that it names, comes first and alone.

The whole program adds neither a traceback nor lines of its own files.
"""

from __future__ import annotations

import pytest
from support.project import TINY, Project

WHOLE = {
    "tab": (TINY.replace("  cell:", "\tcell:", 1), "studies", "found a tab at the beginning"),
    "bare number": (TINY.replace("[2 um,", "[1e3,"), "studies", 'found "1e3" (a bare number)'),
    "figure": (TINY.replace("kl23_fig1:", "kl23_fg1:"), "figures", '(did you mean "kl23_fig1"?)'),
    "target": (TINY, "studeis", 'found the target "studeis" (did you mean "studies"?)'),
    "file of no study": (
        TINY,
        "results/studies/sweep/check.nc",
        'found the target "results/studies/sweep/check.nc"',
    ),
}


@pytest.mark.parametrize(("text", "target", "said"), WHOLE.values(), ids=WHOLE.keys())
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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--forcerun=build_mehs"],
            '-R: found the target "build_mehs" (did you mean "build_mesh"?)',
        ),
        (["--until=results/studies/swep/signals.nc"], '(did you mean "results/studies/sweep/'),
        (
            ["--omit-from=fit_order"],
            '-O: found the target "fit_order" (did you mean "fit_orders"?)',
        ),
        (["--until=evaluate_models"], "-U: found evaluate_models, one of "),
        (["evaluate_models"], 'found the target "evaluate_models"'),
    ],
)
def test_names_of_rules_in_options_are_looked_at(origin, tmp_path, words, said):
    # So many that its slabs are made in several batches.
    many = TINY.replace("[2 um, 3 um]", "{start: 2 um, stop: 9 um, num: 999}")
    project = Project.create(tmp_path / "project", many, origin)
    run = project.dry_run(*words)
    assert run.code == 1
    lines = [line for line in run.text.splitlines() if "specific profile" not in line]
    assert said in lines[0]
    assert len(lines) == 1


def test_targets_that_are_offered_are_those_that_one_asks_for(origin, tmp_path):
    project = Project.create(tmp_path / "project", TINY, origin)
    offered = project.dry_run("nothing").text.split("one of ")[1].strip().split(", ")
    assert {"figures", "studies", "dictionaries", "designs", "verify", "kl23"} <= set(offered)
    assert {"build_mesh", "solve_reference", "evaluate_models", "write_maps"} & set(
        offered
    ) == set()


def test_a_file_beside_another_is_a_target(origin, tmp_path):
    project = Project.create(tmp_path / "project", TINY, origin)
    run = project.dry_run("results/figures/kl23_fig1.png", "results/geometry/cell/elements.pdf")
    assert run.code == 0
    assert {"draw_figure", "draw_cell"} <= set(run.rules)
