"""Which measurement a figure of the magnetisation shows, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from torrey.config import Config, ConfigError, load
from torrey.figures.catalogue import problems
from torrey.workflow.layout import Layout
from torrey.workflow.pictured import pictured

TEXT = """\
geometries: {{cell: {{kind: discs, cells: [{{center: [0.5, 0.5], radius: 0.3}}]}}}}
studies:
  mine: &mine
    geometry: cell
    diffusivity: {{outside: 3e-3 mm^2/s, inside: 1.7e-3 mm^2/s}}
    period: 8 um
    permeability: 5e-5 m/s
    waveform: {{kind: pgse, delta: 2 ms, Delta: 10 ms}}
    b: [500 s/mm^2, 900 s/mm^2]
    directions: [[1, 0], [0, 1]]
    models: [R0]
  one: {{<<: *mine, b: 500 s/mm^2, directions: [[1, 0]]}}
figures:
  my_own: {{kind: magnetisation, {figure}}}
"""


def read(folder: Path, figure: str) -> Config:
    path = folder / "mine.yaml"
    path.write_text(TEXT.format(figure=figure), encoding="utf-8")
    return load([path])


def test_the_measurement_and_the_times_are_found(tmp_path):
    config = read(tmp_path, "studies: mine, at: {b: 900 s/mm^2, direction: [0, 1]}")
    assert list(problems(config)) == []
    assert dict(config.figures["my_own"].settings) == {
        "at": {"mine": {"b": 1, "direction": 1}},
        "times": (0.0, 2.0, 6.0, 10.0, 12.0),
        "value": "modulus",
    }
    found = pictured(config, config.figures["my_own"])
    assert found is not None
    assert found.point.b == pytest.approx(0.9)
    assert found.point.direction == (0.0, 1.0)
    # Pictures need no smaller tolerance than this.
    assert found.tolerance == 1e-3
    assert config.studies["mine"].tolerance < found.tolerance


def test_what_has_one_value_needs_no_choice(tmp_path):
    config = read(tmp_path, "studies: one, times: 12 ms, value: real")
    settings = dict(config.figures["my_own"].settings)
    assert settings == {"at": {"one": {}}, "times": (12.0,), "value": "real"}


def test_figures_of_other_times_have_files_of_their_own(tmp_path):
    places = [
        Layout(config).sources(("magnetisation", "mesh"), config.figures["my_own"])
        for figure in ("studies: one", "studies: one, value: real", "studies: one, times: 3 ms")
        for config in [read(tmp_path, figure)]
    ]
    assert places[0] == places[1]
    assert places[0][0].endswith("_b0.5_n1_0_tol0.001/magnetisation.nc")
    assert places[2][0].endswith("_b0.5_n1_0_tol0.001_t3/magnetisation.nc")


@pytest.mark.parametrize(
    ("figure", "place", "found", "accepted"),
    [
        ("studies: mine", "", "2 values of b", "one of them, such as at: {b: 500 s/mm^2}"),
        ("studies: mine", "", "2 values of direction", "such as at: {direction: [1, 0]}"),
        ("studies: [mine, one]", ".studies", "2 studies", "one study"),
        ("studies: mine, at: {b: 9 s/mm^2, direction: [1, 0]}", ".at.b", "no value of b", "one of"),
        ("studies: one, at: {bb: 9 s/mm^2}", ".at.bb", 'did you mean "b"', "an axis of study one"),
        ("studies: one, times: [1 ms, 13 ms]", ".times[1]", "13 ms", "0 ms to the echo at 12 ms"),
        ("studies: one, times: [-1 ms]", ".times[0]", '"-1 ms"', "at least zero"),
        ("studies: one, times: [" + ", ".join(f"{i} ms" for i in range(9)) + "]", ".times",
         "a list of 9", "up to 8 times"),
        ("studies: one, value: phase", ".value", '"phase"', "modulus for |m|, or real"),
        ("studies: one, x: b", ".x", 'unknown key "x"', "the keys kind, studies, at, times"),
    ],
)  # fmt: skip
def test_what_it_cannot_show_is_refused(tmp_path, figure, place, found, accepted):
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, figure)
    lines = [m for m in str(refused.value).splitlines() if f"my_own{place}: found " in m]
    parts = [line.split(", accepted: ") for line in lines]
    assert any(found in before and accepted in after for before, after in parts), lines
