"""The tables of the documentation are those of the kinds there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from torrey.base.units import UNITS, parse
from torrey.config.documentation import updated

CONFIGURATION = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_tables_in_the_documentation_are_those_of_the_registry():
    text = CONFIGURATION.read_text(encoding="utf-8")
    assert updated(text) == text, "run: python -m torrey.config.documentation docs/configuration.md"


def test_tables_are_written_between_their_marks_and_nowhere_else():
    begin, end = "<!-- geometries: made by torrey.config.documentation -->", "<!-- /geometries -->"
    others = [
        f"<!-- {name}: made by torrey.config.documentation -->\n<!-- /{name} -->\n"
        for name in ("units", "models", "waveforms", "readers", "figures")
    ]
    made = updated(f"{''.join(others)}before\n{begin}\nstale words\n{end}\nafter\n")
    assert f"before\n{begin}\n\n| kind |" in made
    assert made.endswith(f"|\n\n{end}\nafter\n")
    assert "stale words" not in made


def test_what_the_documentation_says_of_a_quantity_is_read():
    section = CONFIGURATION.read_text(encoding="utf-8").split("<!-- units:")[1].split("<!-- /")[0]
    rows = [line.split(" | ") for line in section.splitlines() if "`" in line]
    kinds = {unit.noun.split(" ", 1)[1]: kind for kind, unit in UNITS.items()}
    assert [row[0].strip("| ") for row in rows] == list(kinds)
    for noun, ways, internal, _ in rows:
        kind = kinds[noun.strip("| ")]
        assert len({parse(way, kind) for way in re.findall("`(.+?)`", ways)}) == 1
        assert parse(f"1 {internal.strip('`')}", kind) == 1.0


@pytest.mark.parametrize("text", ["", "<!-- /geometries -->"])
def test_a_document_without_the_marks_is_refused(text):
    with pytest.raises(ValueError, match="found no .*units: made by"):
        updated(text)
