"""``torrey check`` says all that is wrong, or what will run and about what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.project import TINY

from torrey.command.main import main
from torrey.workflow.places import program


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Exit code, output and errors of a check of a text."""
    monkeypatch.chdir(tmp_path)

    def check(text: str) -> tuple[int, str, str]:
        Path("mine.yaml").write_text(text)
        code = main(["check", "mine.yaml"])
        shown = capsys.readouterr()
        return code, " ".join(shown.out.split()), shown.err

    return check


def test_all_that_is_wrong_is_said_with_its_line(check):
    text = TINY.replace("[2 um, 3 um]", "[2, 3 um]").replace("kl23_fig1:", "kl23_fig11:")
    code, out, _ = check(text.replace("[2, 3 um]", "[2 um, 3 um]"))
    assert (code, out) == (1, "")
    code, out, err = check(text)
    assert (code, out) == (1, "")
    line = text[: text.index("period: [2, 3 um]")].count("\n") + 1
    assert err.startswith(f'mine.yaml:{line}: studies.sweep.period[0]: found "2" (a bare number)')


def test_what_a_figure_cannot_show_has_its_line(check):
    text = TINY.replace("kl23_fig1:", "kl23_fig11:")
    _, _, err = check(text)
    line = text[: text.index("kl23_fig11")].count("\n") + 1
    said = 'figures.kl23_fig11: found a figure that nobody draws (did you mean "kl23_fig1"?)'
    assert err.startswith(f"mine.yaml:{line}: {said}, accepted: ")


def test_what_will_run_is_said_with_how_rough_the_guess_is(check):
    code, out, err = check(TINY)
    assert (code, err) == (0, "")
    assert out.startswith(
        "mine.yaml: nothing is wrong. It has 2 geometries, 4 studies, 2 figures, 1 table, "
        "1 inversion and 1 Bloch run."
    )
    for said in (
        "18 solve_reference",
        "Solve one point in full",
        "cell 2,200 unknowns",
        "This is a guess from measurements on another machine",
        "The largest job needs about 0.2",
        "nothing is known beforehand: fit_inversion, solve_bloch.",
        f"snakemake -j8 studies figures --snakefile {program()}/Snakefile --configfile mine.yaml",
    ):
        assert said in out


def test_a_file_that_asks_for_nothing_is_told_so(check):
    code, out, _ = check(TINY[: TINY.index("studies:")])
    assert code == 0
    assert "It asks for nothing: add a study" in out


def test_in_the_folder_of_the_workflow_its_file_needs_no_name(monkeypatch, capsys):
    monkeypatch.chdir(program())
    assert main(["check", "config/minimal.yaml"]) == 0
    assert "  snakemake -j8 studies --configfile config/minimal.yaml" in capsys.readouterr().out
