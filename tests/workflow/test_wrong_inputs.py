"""A wrong input is answered by one clear message: where, what was found, what is accepted.

All of them go through what the workflow calls to read a configuration; `test_wrong_commands` has
some that go through the whole program.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from torrey.config import ConfigError
from torrey.workflow.opening import check_files, read_configuration

GOOD = """\
geometries:
  tissue:
    kind: discs
    cells:
      - {center: [0.30, 0.35], radius: 0.21}
      - {center: [0.72, 0.66], radius: 0.17}
    mesh: {size: 0.05}
  layers: {kind: layers, thicknesses: [0.6, 0.4]}
studies:
  mine:
    geometry: tissue
    diffusivity: {outside: 2.5e-3 mm2/s, inside: 1.2e-3 mm2/s}
    period: [6 um, 12 um]
    permeability: 8e-5 m/s
    waveform: {kind: pgse, delta: 4 ms, Delta: [12 ms, 20 ms]}
    b: [500 s/mm2, 1000 s/mm2]
    directions: [[1, 0]]
    models: [reference, R0, R2]
    tolerance: 1e-5
figures:
  plot: {kind: signals, studies: [mine]}
"""
PLOT = "plot: {kind: signals, studies: [mine]}"


@dataclass(frozen=True)
class Case:
    """An edit of the good file, and what is said of it: the beginning, and what is accepted."""

    old: str
    new: str
    said: str
    accepted: str


CASES = {
    # ---- not YAML ----
    "tab": Case("  tissue:", "\ttissue:", "2: found a tab at the beginning", "blanks in the place"),
    "indentation": Case(
        "    period:", "   period:", '13: found "period: [6 um, 12 um]" with 3 blanks', "4 here"
    ),
    "no colon": Case("    permeability: 8e-5 m/s", "    permeability 8e-5 m/s", "14: ", "a colon"),
    "no blank": Case("tolerance: 1e-5", "tolerance:1e-5", '19: found "tolerance:1e-5"', "a blank"),
    "open list": Case("[6 um, 12 um]", "[6 um, 12 um", "13: found a list", '"]" at its end'),
    "key twice": Case(
        "tolerance: 1e-5",
        "tolerance: 1e-5\n    period: 3 um",
        "20: studies.mine.period: found the key a second time (first in line 13)",
        "once",
    ),
    "no unit sign": Case("1000 s/mm2]", "%]", '16: found a text that begins with "%"', "quotation"),
    # ---- units ----
    "bare number": Case(
        "[6 um, 12 um]",
        "1e3",
        '13: studies.mine.period: found "1e3" (a bare number)',
        'a length with its unit, such as "6 um"',
    ),
    "bare b": Case(
        "[500 s/mm2, 1000 s/mm2]",
        "1000",
        '16: studies.mine.b: found "1000" (a bare number)',
        'a b-value with its unit, such as "850 s/mm^2"',
    ),
    "another quantity": Case(
        "12 um]",
        "12 ms]",
        '13: studies.mine.period[1]: found "12 ms" (a time)',
        "a length with its unit",
    ),
    "diffusivity for permeability": Case(
        "8e-5 m/s",
        "8e-5 m2/s",
        '14: studies.mine.permeability: found "8e-5 m2/s" (a diffusivity)',
        "a permeability with its unit",
    ),
    "unknown unit": Case(
        "12 um]",
        "12 umm]",
        '13: studies.mine.period[1]: found "12 umm" (unknown unit "umm")',
        "a length with its unit",
    ),
    "two values in one": Case(
        "[6 um, 12 um]",
        "6um;12um",
        '13: studies.mine.period: found "6um;12um" (unknown unit "um;12um")',
        "a length with its unit",
    ),
    "a thousand times too large": Case(
        "2.5e-3 mm2/s",
        "2.5 mm2/s",
        '12: studies.mine.diffusivity.outside: found "2.5 mm2/s"',
        "from 1e-6 to 1000 um^2/ms",
    ),
    "s/m2 for s/mm2": Case(
        "1000 s/mm2]",
        "1e10 s/mm2]",
        '16: studies.mine.b[1]: found "1e10 s/mm2"',
        "from 1e-6 to 1000 ms/um^2",
    ),
    "decimal comma": Case(
        "4 ms", '"4,5 ms"', '15: studies.mine.waveform.delta: found "4,5', "time"
    ),
    "negative": Case(
        "8e-5 m/s", "-8e-5 m/s", '14: studies.mine.permeability: found "-8e-5', "at least zero"
    ),
    "zero period": Case(
        "12 um]", "0 um]", '13: studies.mine.period[1]: found "0 um"', "above zero"
    ),
    "same value twice": Case(
        "12 um]", "0.006 mm]", "13: studies.mine.period[1]: found 6 um, the same as entry 0", "once"
    ),
    # ---- names and keys ----
    "misspelt section": Case(
        "studies:\n  mine", "study:\n  mine", '9: study: found the unknown key "study"', "studies"
    ),
    "misspelt key": Case(
        "period:",
        "perid:",
        '13: studies.mine.perid: found the unknown key "perid" (did you mean "period"?)',
        "the keys geometry, ",
    ),
    "capital letter": Case(
        "geometry: tissue",
        "geometry: Tissue",
        '11: studies.mine.geometry: found "Tissue" (did you mean "tissue"?)',
        "an entry of geometries: tissue, layers",
    ),
    "blank in a name": Case(
        "  layers:",
        "  my layers:",
        '8: geometries.my layers: found the name "my layers"',
        "letters, digits, _ and - in a name",
    ),
    "key left out": Case(
        "kind: pgse, delta: 4 ms, ",
        "kind: pgse, ",
        "15: studies.mine.waveform.delta: found nothing",
        "a time with its unit",
    ),
    "no strength": Case(
        "    b: [500 s/mm2, 1000 s/mm2]\n",
        "",
        "10: studies.mine: found none of b, q,",
        "exactly one",
    ),
    "two strengths": Case(
        "    b: ",
        "    q: 0.2 rad/um\n    b: ",
        "10: studies.mine: found b and q",
        "exactly one of b",
    ),
    "two permeabilities": Case(
        "    permeability:",
        "    sigma0: 1e-3 m/s\n    permeability:",
        "10: studies.mine: found permeability and sigma0",
        "exactly one of permeability, sigma0",
    ),
    "unknown part of the cell": Case(
        "{outside: 2.5e-3",
        "{axon: 2e-3 mm2/s, outside: 2.5e-3",
        '12: studies.mine.diffusivity.axon: found the unknown key "axon"',
        "the keys outside, inside, cell_1, cell_2",
    ),
    "one diffusivity for all": Case(
        "{outside: 2.5e-3 mm2/s, inside: 1.2e-3 mm2/s}",
        "2e-3 mm2/s",
        '12: studies.mine.diffusivity: found "2e-3 mm2/s"',
        "a mapping, such as {outside: 3e-3 mm^2/s, inside: ",
    ),
    "a diffusivity too many": Case(
        "inside: 1.2e-3 mm2/s",
        "inside: [1 um2/ms, 2 um2/ms, 3 um2/ms]",
        "12: studies.mine.diffusivity.inside: found 3 diffusivities",
        "one value, or a list of 2: one per compartment inside",
    ),
    "range without its number": Case(
        "[500 s/mm2, 1000 s/mm2]",
        "{start: 0 s/mm2, stop: 1000 s/mm2}",
        "16: studies.mine.b.num: found nothing",
        "a whole number of values",
    ),
    # ---- cells ----
    "kind of geometry": Case(
        "kind: discs",
        "kind: disc",
        '3: geometries.tissue.kind: found "disc" (did you mean "discs"?)',
        "discs, spheres, layers",
    ),
    "radius in um": Case(
        "radius: 0.21",
        "radius: 2 um",
        '5: geometries.tissue.cells[0].radius: found "2 um"',
        "a number above 0 and below 0.5, in units of the cell",
    ),
    "radius too large": Case(
        "radius: 0.21",
        "radius: 0.6",
        "5: geometries.tissue.cells[0].radius: found 0.6",
        "so that the disc does not touch its own periodic image",
    ),
    "discs that overlap": Case(
        "radius: 0.17",
        "radius: 0.4",
        "4: geometries.tissue.cells: found the centres",
        "discs that neither overlap nor touch",
    ),
    "centre of one number": Case(
        "[0.30, 0.35]",
        "[0.30]",
        "5: geometries.tissue.cells[0].center: found a list of 1",
        "two numbers in [0, 1[, such as [0.5, 0.5]",
    ),
    "centre in another cell": Case(
        "[0.30, 0.35]",
        "[1.3, 0.35]",
        "5: geometries.tissue.cells[0].center: found [1.3, 0.35]",
        "two numbers in [0, 1[",
    ),
    "thicknesses beyond the cell": Case(
        "[0.6, 0.4]",
        "[0.6, 0.6]",
        "8: geometries.layers.thicknesses: found thicknesses with sum 1.2",
        "with sum 1",
    ),
    "elements too small": Case(
        "size: 0.05",
        "size: 1e-5",
        "7: geometries.tissue.mesh: found size 1e-05 with 1 refinement",
        "at most 1,000,000 elements",
    ),
    # ---- acquisition, models, tolerance ----
    "kind of waveform": Case(
        "kind: pgse",
        "kind: PGSE",
        '15: studies.mine.waveform.kind: found "PGSE" (did you mean "pgse"?)',
        "pgse, trapezoid",
    ),
    "waveform without its times": Case(
        "{kind: pgse, delta: 4 ms, Delta: [12 ms, 20 ms]}",
        "pgse",
        '15: studies.mine.waveform: found "pgse"',
        "a mapping, such as {kind: pgse, delta: 5 ms, Delta: 15 ms}",
    ),
    "pulses that overlap": Case(
        "[12 ms, 20 ms]",
        "2 ms",
        "15: studies.mine.waveform.delta: found delta = 4 ms with Delta = 2 ms",
        "delta not longer than Delta",
    ),
    "direction of length zero": Case(
        "[[1, 0]]",
        "[[0, 0]]",
        "17: studies.mine.directions[0]: found a vector of length 0",
        "a direction such as [1, 0]",
    ),
    "name of a direction": Case(
        "[[1, 0]]", "x", '17: studies.mine.directions: found "x"', "a list of vectors, such as"
    ),
    "no such model": Case(
        "R0, R2]",
        "R0, R21]",
        '18: studies.mine.models[2]: found "R21"',
        "reference, R0, R1, ..., R20",
    ),
    "models without brackets": Case(
        "[reference, R0, R2]", "R0 R2", '18: studies.mine.models: found "R0 R2"', "reference, R0"
    ),
    "model of other cells": Case(
        "R0, R2]",
        "R0, Pade]",
        "18: studies.mine.models[2]: found Pade",
        "R2: Pade is for impermeable membranes, 0 m/s",
    ),
    "tolerance of zero": Case(
        "1e-5", "0", '19: studies.mine.tolerance: found "0"', "a number from 1e-8 to 1e-1"
    ),
    "tolerance in per cent": Case(
        "1e-5", "1 %", '19: studies.mine.tolerance: found "1 %"', "a number from 1e-8 to 1e-1"
    ),
    "method alone": Case(
        "tolerance: 1e-5",
        "reference: projected",
        '19: studies.mine.reference: found "projected"',
        "a mapping: {method: full} or {method: projected}",
    ),
    "one T2 for all": Case(
        "tolerance: 1e-5",
        "T2: 80 ms",
        '19: studies.mine.T2: found "80 ms"',
        "a mapping, such as {outside: 80 ms, inside: 40 ms}",
    ),
    "no such file of a waveform": Case(
        "{kind: pgse, delta: 4 ms, Delta: [12 ms, 20 ms]}",
        "{kind: file, path: gradient.csv}",
        "15: studies.mine.waveform.path: found gradient.csv: No such file or directory",
        "a text file that can be read",
    ),
    "no such file of a scan": Case(
        "    b: [500 s/mm2, 1000 s/mm2]\n    directions: [[1, 0]]",
        "    acquisition: {bval: dwi.bval, bvec: dwi.bvec}",
        "16: studies.mine.acquisition: found dwi.bval: No such file or directory",
        "a text file that can be read",
    ),
    # ---- figures, tables, inversions ----
    "figure without a kind": Case(
        PLOT,
        "plot: {studies: [mine]}",
        "21: figures.plot: found a figure that nobody draws",
        "any name with a kind (signals, ",
    ),
    "misspelt figure": Case(
        PLOT,
        "kl23_fg6: {studies: [mine]}",
        '21: figures.kl23_fg6: found a figure that nobody draws (did you mean "kl23_fig6"?)',
        "kl23_fig6",
    ),
    "kind of figure": Case(
        "kind: signals",
        "kind: signal",
        '21: figures.plot.kind: found "signal" (did you mean "signals"?)',
        "signals, ",
    ),
    "figure of no study": Case(
        "studies: [mine]", "studies: [yours]", '21: figures.plot.studies[0]: found "yours"', "mine"
    ),
    "axis that there is not": Case(
        "studies: [mine]",
        "studies: [mine], x: T2",
        '21: figures.plot.x: found "T2"',
        "an axis of study mine: period, permeability, delta, Delta, b, direction",
    ),
    "study for a figure of cells": Case(
        PLOT,
        "kl23_fig1: {studies: [mine]}",
        "21: figures.kl23_fig1: found no geometries",
        "geometries: [...], which this figure shows",
    ),
    "misspelt table": Case(
        PLOT,
        f"{PLOT}\ntables:\n  khm19_tensors: {{studies: [mine]}}",
        "23: tables.khm19_tensors: found a table that nobody makes (did you mean "
        '"khm19_table_tensors"?)',
        "khm19_table_tensors",
    ),
    "no such data": Case(
        PLOT,
        f"{PLOT}\ndata:\n  scan: {{table: scan.csv}}",
        "23: data.scan.table: found scan.csv: No such file or directory",
        "a text file that can be read",
    ),
}


def test_there_are_as_many_as_promised():
    assert len(CASES) >= 36
    assert [name for name, case in CASES.items() if GOOD.count(case.old) != 1] == []


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """What is said of a file, by what the profile and the Snakefile call."""
    monkeypatch.chdir(tmp_path)

    def answer(content: bytes | None) -> str:
        if content is not None:
            Path("mine.yaml").write_bytes(content)
        try:
            check_files(["studies", "--configfile", "mine.yaml"])
            read_configuration([Path("mine.yaml")])
        except SystemExit as stop:
            return str(stop.code)
        except ConfigError as error:
            return str(error)
        raise AssertionError("nothing was said")

    return answer


def test_the_good_file_is_accepted(tmp_path):
    (tmp_path / "mine.yaml").write_text(GOOD)
    assert set(read_configuration([tmp_path / "mine.yaml"]).studies) == {"mine"}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_wrong_input_gives_one_message(answer, case):
    message = answer(GOOD.replace(case.old, case.new).encode())
    # A misspelt key is one that is unknown, and perhaps one that is missing.
    (line,) = (one for one in message.splitlines() if one.startswith(f"mine.yaml:{case.said}"))
    assert case.accepted in line.partition(", accepted: ")[2]
    assert "Traceback" not in message
    assert "Error" not in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD.replace("tissue", "tiss\xfc").encode("latin-1"), "2: found text that is not UTF-8"),
        (GOOD.encode("utf-16"), "1: found text that is not UTF-8 but UTF-16"),
        (b"", "1: found nothing"),
        (b"- 1\n- 2\n", "1: found a list of 2, accepted: a mapping with the keys geometries,"),
        (None, " found No such file or directory, accepted: a YAML file"),
    ],
)
def test_what_is_no_text_of_a_configuration_gives_one_message(answer, content, said):
    message = answer(content)
    assert message.startswith(f"mine.yaml:{said}")
    assert len(message.splitlines()) == 1
