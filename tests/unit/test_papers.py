"""docs/papers.md names every figure and table of the four papers, and what is found of it here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from torrey.figures import catalogue as figures
from torrey.tables import catalogue as tables

ROOT = Path(__file__).parents[2]
PAPERS = {
    "kl23": [f"Figure {n}" for n in range(1, 10)],
    "chl14": [
        *(f"Figure {n}" for n in ("2.1", "2.2", "4.1", "4.2", "6.1")),
        *(f"Table 5.{n}" for n in range(1, 6)),
    ],
    "khm19": [f"Figure {n}" for n in range(1, 6)],
    "mmg20": [f"Figure {n}" for n in (*range(1, 12), "A1", "A2", "A3")],
}
"""All that each paper numbers."""
TARGETS = {name: figures.paper_of(name) for name in figures.CATALOGUE} | {
    name: tables.paper_of(name) for name in tables.CATALOGUE
}
RESULT = re.compile(r"\*\*(Reproduced|Deviates|Not attempted)\b")


@dataclass(frozen=True)
class Row:
    """A line of a table of the document."""

    paper: str
    item: str
    places: str
    result: str


def rows() -> list[Row]:
    found, paper = [], ""
    for line in (ROOT / "docs" / "papers.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            paper = line.removeprefix("## ").split(":")[0].lower()
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if line.startswith("|") and not cells[0].startswith(("-", "The paper")):
            found.append(Row(paper, *cells))
    return found


ROWS = rows()


def numbered(row: Row) -> list[str]:
    """``Figure 8`` of ``Figures 8 and 9: ...``, and ``Figure 9``."""
    head = re.split(r"[:(]", row.item)[0].replace("Figures", "Figure").replace("Tables", "Table")
    kind = re.match(r"(Figure|Table) ", head)
    if kind is None:
        return []
    first, *others = re.findall(r"A?\d+(?:\.\d+)?", head)
    listed = [first, *others]
    if " to " in head:
        stem, start, end = *first.split("."), others[0].split(".")[1]
        listed = [f"{stem}.{n}" for n in range(int(start), int(end) + 1)]
    return [f"{kind[1]} {number}" for number in listed]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_figure_and_table_of_a_paper_has_a_row(paper):
    told = {number for row in ROWS if row.paper == paper for number in numbered(row)}
    assert sorted(set(PAPERS[paper]) - told) == []
    assert sorted(told - set(PAPERS[paper])) == []


def test_every_row_says_where_it_is_and_what_came_out():
    for row in ROWS:
        assert row.places, f"{row.item}: where?"
        told = RESULT.match(row.result)
        assert told, f"{row.item}: {row.result[:40]}"
        if told[1] != "Reproduced":
            assert len(row.result) > 40, f"{row.item}: by how much, and why?"


@pytest.mark.parametrize("paper", PAPERS)
def test_every_target_of_a_paper_is_in_its_table_and_no_other(paper):
    own = {name for name, of in TARGETS.items() if of == paper}
    places = " ".join(row.places for row in ROWS if row.paper == paper)
    named = set(re.findall(r"`([a-z]\w+)`", places))
    assert sorted(own - named) == []
    assert sorted(named - set(TARGETS)) == []
    assert {TARGETS[name] for name in named} <= {paper, "torrey"}


def test_figures_of_a_paper_stand_beside_their_numbers():
    for row in ROWS:
        for number in numbered(row):
            stem = "table" if number.startswith("Table") else "fig"
            target = f"{row.paper}_{stem}{number.split()[1].replace('.', '_')}"
            if target in TARGETS:
                assert f"`{target}`" in row.places or " to " in row.item, f"{row.item}: {target}"
