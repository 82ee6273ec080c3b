"""The tables of the documentation are those of the kinds there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from torrey.config.documentation import updated

CONFIGURATION = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_tables_in_the_documentation_are_those_of_the_registry():
    text = CONFIGURATION.read_text(encoding="utf-8")
    assert updated(text) == text, "run: python -m torrey.config.documentation docs/configuration.md"


def test_tables_are_written_between_their_marks_and_nowhere_else():
    begin, end = "<!-- geometries: made by torrey.config.documentation -->", "<!-- /geometries -->"
    others = [
        f"<!-- {name}: made by torrey.config.documentation -->\n<!-- /{name} -->\n"
        for name in ("models", "waveforms", "readers", "figures")
    ]
    made = updated(f"{''.join(others)}before\n{begin}\nstale words\n{end}\nafter\n")
    assert f"before\n{begin}\n\n| kind |" in made
    assert made.endswith(f"|\n\n{end}\nafter\n")
    assert "stale words" not in made


@pytest.mark.parametrize("text", ["", "<!-- /geometries -->"])
def test_a_document_without_the_marks_is_refused(text):
    with pytest.raises(ValueError, match="found no .*geometries: made by"):
        updated(text)
