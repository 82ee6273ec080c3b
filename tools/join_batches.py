"""Join the batches of a rule in a graph: snakemake --rulegraph dot | this | dot -Tsvg."""

from __future__ import annotations

import re
import sys

NODE = re.compile(r'\s*(\d+)\[label = "([a-z_]+?)(?:_\d+)?",')
EDGE = re.compile(r"\s*(\d+) -> (\d+)")


def joined(graph: str) -> str:
    """The graph with one node for each rule, however many batches it has."""
    first: dict[str, str] = {}
    node: dict[str, str] = {}
    edges: set[tuple[str, str]] = set()
    lines = []
    for line in graph.splitlines():
        if found := NODE.match(line):
            number, rule = found.groups()
            node[number] = first.setdefault(rule, number)
            if node[number] != number:
                continue
            line = re.sub(r'"([a-z_]+?)_\d+"', r'"\1"', line)
        elif found := EDGE.match(line):
            edge = (node[found[1]], node[found[2]])
            if edge in edges:
                continue
            edges.add(edge)
            line = f"\t{edge[0]} -> {edge[1]}"
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(joined(sys.stdin.read()))
