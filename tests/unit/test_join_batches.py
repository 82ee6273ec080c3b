"""A graph of rules has one node for all batches of a rule."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "tools" / "join_batches.py"

GRAPH = """\
digraph snakemake_dag {
\t0[label = "figures", color = "red"];
\t1[label = "solve_projected", color = "red"];
\t2[label = "solve_projected_2", color = "blue"];
\t3[label = "build_basis", color = "red"];
\t1 -> 0
\t2 -> 0
\t3 -> 1
\t3 -> 2
}
"""


def test_batches_of_one_rule_are_one_node():
    spec = importlib.util.spec_from_file_location("join_batches", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.joined(GRAPH)
    assert made.count("solve_projected") == 1
    assert "blue" not in made
    assert made.count("->") == 2
    assert "\t1 -> 0" in made
    assert "\t3 -> 1" in made
