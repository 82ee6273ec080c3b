"""Names of rules in a command stand for all that the rule makes, or are refused."""

from __future__ import annotations

import pytest

from torrey.workflow.targets import part_of_rule

RULES = {"build_mesh", "solve", "solve_2", "solve_3", "write", "write_2", "figure_7"}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["solve"], "found solve, one of 3 parts of this rule, accepted: all of them: "
                    "solve solve_{2..3}"),
        (["solve_2"], "found solve_2, one of 3 parts"),
        (["build_mesh", "solve", "solve_3"], "found solve, one of 3 parts"),
        (["write"], "all of them: write write_2"),
    ],
)  # fmt: skip
def test_a_part_of_a_rule_is_refused(names, said):
    assert said in (part_of_rule(names, RULES) or "")


@pytest.mark.parametrize(
    "names",
    [[], ["build_mesh"], ["solve", "solve_2", "solve_3"], ["figure_7"], ["results/solve_2"]],
)
def test_whole_rules_and_files_are_taken(names):
    assert part_of_rule(names, RULES) is None
