"""What is wrong with a command is said before Snakemake reads or plans anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from torrey.config.problems import ConfigError
from torrey.workflow.opening import (
    TARGETS,
    asks_for_report,
    check_files,
    configuration_files,
    read_configuration,
    unknown_target,
)
from torrey.workflow.runs import RunError, begin_run

ROOT = Path(__file__).parents[3]
RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
FILES = [
    "results/studies/first/signals.nc",
    "results/studies/second/signals.nc",
    "results/studies/first/kurtosis.nc",
    "results/figures/plot.pdf",
]


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("-n figures", []),
        ("-j8 studies --configfile a.yaml", ["a.yaml"]),
        ("-j 8 --configfiles a.yaml b.yaml -- studies", ["a.yaml", "b.yaml"]),
        ("--configfile=a.yaml studies", ["a.yaml"]),
        ("studies -- --configfile a.yaml", []),
        ("studies --configfile", []),
    ],
)
def test_configuration_files_are_found_among_the_words(words, files):
    assert configuration_files(words.split()) == [Path(file) for file in files]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"studies:\n\tmine: 3\n", "m.yaml:2: found a tab"),
        (b"studies:\n  caf\xe9: 1\n", "m.yaml:2: found text that is not UTF-8"),
        (b"", "m.yaml:1: found nothing"),
        (None, "m.yaml: found No such file"),
    ],
)
def test_files_that_cannot_be_read_stop_the_program(tmp_path, monkeypatch, content, said):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("m.yaml").write_bytes(content)
    with pytest.raises(SystemExit) as stop:
        check_files(["studies", "--configfile", "m.yaml"])
    assert str(stop.value.code).startswith(said)


def test_a_target_that_is_taken_for_a_file_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="studies: a target stands before --configfile"):
        check_files(["--configfile", "m.yaml", "studies"])


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("figres", 'found the target "figres" (did you mean "figures"?), accepted: '),
        ("results/studies/firs/signals.nc", f'(did you mean "{FILES[0]}"?)'),
        ("results/studys/second/signal.nc", f'(did you mean "{FILES[1]}"?)'),
        ("results/studies/xyz/signals.nc", "results/studies/ with first, second"),
    ],
)
def test_a_target_that_nothing_makes_is_told_with_the_nearest(target, said):
    assert said in unknown_target(target, ["figures", "studies"], FILES)


def test_results_that_are_a_file_are_refused(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(RunError, match="results: found a file, accepted: a folder"):
        begin_run(tmp_path / ".snakemake", tmp_path / "results", dry=True)


@pytest.mark.parametrize("words", [["--report", "r.html"], ["-j2", "--report=r.html", "figures"]])
def test_a_report_is_asked_for(words):
    assert asks_for_report(words)


@pytest.mark.parametrize("name", ["draw_figure", "kl23", "studies", "solve_projected_2"])
def test_a_figure_on_request_has_no_name_of_a_target(tmp_path, name):
    file = tmp_path / "mine.yaml"
    text = (ROOT / "config/minimal.yaml").read_text(encoding="utf-8")
    figure = "{kind: geometry, geometries: one_cell, on_request: true}"
    file.write_text(f"{text.partition('# Pictures')[0]}figures:\n  {name}: {figure}\n")
    with pytest.raises(ConfigError, match=rf"figures.{name}: found on_request .* of a target"):
        read_configuration([file])


def test_all_targets_are_rules_of_the_snakefile():
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "Snakefile", *RULES))
    assert [name for name in TARGETS if f"rule {name}:" not in rules] == []


def test_other_commands_ask_for_no_report():
    assert not asks_for_report(["-j2", "--report-metadata", "m.yaml", "figures"])


def test_a_report_after_a_run_is_refused_with_the_way_to_have_one():
    with pytest.raises(SystemExit) as end:
        asks_for_report(["--report=r.html", "--report-after-run", "figures"])
    assert "accepted: two commands, the run and then `make report`" in str(end.value.code)
