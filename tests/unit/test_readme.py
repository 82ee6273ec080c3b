"""What the README shows is what happens."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import torrey as tr
from torrey.config import load
from torrey.figures.catalogue import CATALOGUE
from torrey.workflow import layout

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str, text: str = README) -> list[str]:
    """Code blocks of a document, the README for one, in one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def run(example: str, names: dict[str, object]) -> None:
    """Run an example, and compare what it prints with what its comments say."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, names)
    said = re.findall(r"^print\(.*\)\s*#\s*(.*)$", example, flags=re.M)
    assert printed.getvalue().splitlines() == [line.strip() for line in said]


def test_the_study_in_the_readme_is_a_valid_configuration(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(blocks("yaml")[0])
    study = load([file]).studies["mine"]
    assert len(study.points()) == 2 * 2 * 9 * 2


def test_the_library_example_prints_what_the_readme_says() -> None:
    (example,) = (block for block in blocks("python") if "tr.Cell" in block)
    assert "# 0.178721 +- 0.000004" in example
    run(example, {})


def test_the_page_of_the_library_shows_what_happens() -> None:
    names: dict[str, object] = {}
    examples = blocks("python", (ROOT / "docs" / "library.md").read_text())
    assert len(examples) >= 4
    for example in examples:
        run(example, names)


def test_the_page_of_the_library_names_all_that_the_door_offers() -> None:
    page = (ROOT / "docs" / "library.md").read_text()
    assert [name for name in tr.__all__ if f"tr.{name}" not in page] == []
    questions = [name for name in vars(tr.Cell) if name[0] != "_"]
    assert [name for name in questions if f"cell.{name}" not in page] == []


def test_every_command_of_the_readme_names_something_that_exists() -> None:
    commands = "\n".join(blocks("sh"))
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", commands):
        assert re.search(rf"^[\w -]*\b{target}\b[\w -]*:", makefile, flags=re.M), target
    assert layout.SIGNALS.format(study="mine") in commands


def test_the_default_configuration_asks_for_every_figure_that_is_drawn() -> None:
    config = load([ROOT / "config" / "default.yaml"])
    # Those of measured signals have nothing to show without data of the user's.
    measured = {
        name
        for name, entry in CATALOGUE.items()
        if entry.needs.fits is not None and entry.needs.fits.kind in ("measured", "volumes")
    }
    assert set(config.figures) == set(CATALOGUE) - measured
