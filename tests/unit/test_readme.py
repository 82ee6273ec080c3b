"""What the README shows is what happens."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from torrey.config import load
from torrey.figures.catalogue import CATALOGUE
from torrey.workflow import layout

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Code blocks of the README in one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)


def test_the_study_in_the_readme_is_a_valid_configuration(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(blocks("yaml")[0])
    study = load([file]).studies["mine"]
    assert len(study.points()) == 2 * 2 * 9 * 2


def test_the_library_example_prints_what_the_readme_says() -> None:
    example = next(block for block in blocks("python") if "reference_signal" in block)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {})
    said = re.search(r"print\(.*#\s*(.*)", example)
    assert said is not None
    assert printed.getvalue().strip() == said[1].strip()


def test_every_command_of_the_readme_names_something_that_exists() -> None:
    commands = "\n".join(blocks("sh"))
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", commands):
        assert re.search(rf"^[\w -]*\b{target}\b[\w -]*:", makefile, flags=re.M), target
    assert layout.SIGNALS.format(study="mine") in commands


def test_the_default_configuration_asks_for_every_figure_that_is_drawn() -> None:
    config = load([ROOT / "config" / "default.yaml"])
    assert set(config.figures) == set(CATALOGUE)
