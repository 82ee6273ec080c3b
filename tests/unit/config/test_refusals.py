"""What cannot be used is refused with its file, line and key, what was found and what would do."""

from __future__ import annotations

import pytest
from support.configurations import B_VALUES, edited, line_of

from torrey.config import ConfigError, load

WAVEFORM = "{kind: pgse, delta: [4 ms], Delta: [12 ms, 20 ms]}"
SECOND_CELL = "{center: [0.72, 0.66], radius: 0.17}"

# An edit of the good file; the start of the line, the key, what was found and what is accepted.
MALFORMED = [
    # quantities
    ("[6 um, 12 um]", "[6, 12 um]", "period:", "studies.mine.period[0]", '"6"', '"6 um"'),
    ("[6 um, 12 um]", "6", "period:", "studies.mine.period", '"6"', '"6 um"'),
    ("12 um]", "5 ms]", "period:", "studies.mine.period[1]", '"5 ms" (a time)', "a length"),
    ("12 um]", "5 umm]", "period:", "studies.mine.period[1]", 'unit "umm"', "a length"),
    ("12 um]", "0 um]", "period:", "studies.mine.period[1]", '"0 um"', "above zero"),
    ("12 um]", "[1 um]]", "period:", "studies.mine.period[1]", "a list of 1", "a length"),
    ("[4 ms]", "[.nan ms]", "waveform:", "studies.mine.waveform.delta[0]", ".nan ms", "a time"),
    ("[4 ms]", "-4 ms", "waveform:", "studies.mine.waveform.delta", "-4 ms", "above zero"),
    ("8e-5 m/s", "-8e-5 m/s", "permeability:", "studies.mine.permeability[0]", "-8e-5", "at least"),
    ("1000 s/mm^2", "-1 s/mm^2", "b:", "studies.mine.b[1]", "-1 s/mm^2", "at least zero"),
    (
        "2.5e-3 mm^2/s",
        "2.5e-3 m/s",
        "diffusivity:",
        "studies.mine.diffusivity.outside",
        '"2.5e-3 m/s" (a permeability)',
        'a diffusivity with its unit, such as "3e-3 mm^2/s"',
    ),
    (B_VALUES, "q: 15 rad/(mm ms)", "q:", "studies.mine.q", "(a gradient)", "a wave number"),
    (B_VALUES, "q: 0.2 um^-1", "q:", "studies.mine.q", "0.2 um^-1", "a wave number"),
    # lists
    ("[6 um, 12 um]", "[]", "period:", "studies.mine.period", "an empty list", "a length"),
    ("[6 um, 12 um]", "", "period:", "studies.mine.period", "nothing", "a length"),
    (
        "12 um]",
        "0.006 mm]",
        "period:",
        "studies.mine.period[1]",
        "6 um, the same as entry 0",
        "once",
    ),
    (
        "[0.5 ms/um^2, 1000 s/mm^2]",
        "[1 ms/um^2, 1000 s/mm^2]",
        "b:",
        "studies.mine.b[1]",
        "1 ms/um^2, the same as entry 0",
        "each value once",
    ),
    (
        "[6 um, 12 um]",
        "{start: 6 um, stop: 6 um, num: 2}",
        "period:",
        "studies.mine.period",
        "6 um, the same as entry 0",
        "each value once",
    ),
    (
        "[6 um, 12 um]",
        "{start: 6 um, stop: 7 um, num: 1}",
        "period:",
        "studies.mine.period.num",
        '"1"',
        "at least 2",
    ),
    (
        "[6 um, 12 um]",
        "{start: 6 um, stop: 7, num: 2}",
        "period:",
        "studies.mine.period.stop",
        '"7"',
        "a length",
    ),
    (
        "[6 um, 12 um]",
        "{start: 6 um, num: 2}",
        "period:",
        "studies.mine.period.stop",
        "nothing",
        "the last value",
    ),
    (
        B_VALUES,
        "b: {start: 0 s/mm^2, stop: 1 ms/um^2, num: 3, scale: log}",
        "b:",
        "studies.mine.b.start",
        "zero on a logarithmic scale",
        "above zero",
    ),
    (
        B_VALUES,
        "b: {start: 0 s/mm^2, stop: 1 ms/um^2, num: 3, scale: cubic}",
        "b:",
        "studies.mine.b.scale",
        '"cubic"',
        "linear or log",
    ),
    # keys
    ("period:", "perid:", "perid:", "studies.mine.perid", 'did you mean "period"?', "geometry, "),
    ("period:", "perid:", "mine:", "studies.mine.period", "nothing", "a length"),
    ("figures:", "figure:", "figure:", "figure", 'did you mean "figures"?', "studies, "),
    (
        "radius: 0.21",
        "radios: 0.21",
        "- {center: [0.30",
        "geometries.tissue.cells[0].radios",
        "",
        "",
    ),
    ("size: 0.05", "sice: 0.05", "mesh:", "geometries.tissue.mesh.sice", '"size"', "refinements"),
    ("delta: [4 ms]", "d: [4 ms]", "waveform:", "studies.mine.waveform.d", '"d"', "kind, delta"),
    (
        "tolerance:",
        "models:",
        "models: 1e-5",
        "studies.mine.models",
        "second time",
        "each key once",
    ),
    # one of several keys
    (
        B_VALUES,
        B_VALUES + "\n    q: 0.1 rad/um",
        "mine:",
        "studies.mine",
        "b and q",
        "exactly one of b, q, gradient",
    ),
    (f"    {B_VALUES}\n", "", "mine:", "studies.mine", "none of b, q, gradient", "exactly one"),
    (
        "period:",
        "sigma0: 1 m/s\n    period:",
        "mine:",
        "studies.mine",
        "permeability and sigma0",
        "exactly one of permeability, sigma0",
    ),
    # waveforms
    (
        "[12 ms, 20 ms]",
        "[12 ms, 3 ms]",
        "waveform:",
        "studies.mine.waveform.delta",
        "delta = 4 ms with Delta = 3 ms",
        "not longer than Delta",
    ),
    ("kind: pgse", "kind: ogse", "waveform:", "studies.mine.waveform.kind", '"ogse"', "pgse"),
    ("kind: pgse, ", "", "waveform:", "studies.mine.waveform.kind", "nothing", "pgse"),
    (WAVEFORM, "pgse", "waveform:", "studies.mine.waveform", '"pgse"', "{kind: pgse"),
    # directions, models, tolerance
    ("[[1, 0]]", "[[0, 0]]", "directions:", "studies.mine.directions[0]", "length 0", "[1, 0]"),
    (
        "[[1, 0]]",
        "[[1, 0, 0, 0]]",
        "directions:",
        "studies.mine.directions[0]",
        "4 numbers",
        "2, as many as the cell has dimensions, or 3, for a gradient in space",
    ),
    ("[[1, 0]]", "[[1, 0], [2, 0]]", "directions:", "studies.mine.directions[1]", "same", "once"),
    ("[[1, 0]]", "[[1, x]]", "directions:", "studies.mine.directions[0][1]", '"x"', "vectors"),
    ("[[1, 0]]", "[]", "directions:", "studies.mine.directions", "an empty list", "vectors"),
    ("R0, R2]", "R0, R-1]", "models:", "studies.mine.models[2]", '"R-1"', "lumped-R0"),
    ("R0, R2]", "R0, lumped-R1]", "models:", "studies.mine.models[2]", "lumped-R1", "lumped-R2"),
    ("R0, R2]", "R0, R0]", "models:", "studies.mine.models[2]", "R0, the same", "once"),
    ("[reference, R0, R2]", "[]", "models:", "studies.mine.models", "an empty list", "reference"),
    ("1e-5", "0.5", "tolerance:", "studies.mine.tolerance", '"0.5"', "1e-8 to 1e-1"),
    ("1e-5", "tight", "tolerance:", "studies.mine.tolerance", '"tight"', "1e-8 to 1e-1"),
    ("1e-5", "1e-5 ms", "tolerance:", "studies.mine.tolerance", '"1e-5 ms"', "a number"),
    # geometries
    (
        SECOND_CELL,
        "{center: [0.32, 0.95], radius: 0.21}",
        "cells:",
        "geometries.tissue.cells",
        "cell_1 and cell_2 are 0.4005 apart, the least is 0.4201",
        "neither overlap nor touch, periodic images included",
    ),
    (
        SECOND_CELL,
        "{center: [0.72, 1], radius: 0.17}",
        "- {center: [0.72",
        "geometries.tissue.cells[1].center",
        "[0.72, 1.0]",
        "[0, 1[",
    ),
    (
        SECOND_CELL,
        "{center: [0.72, 0.66], radius: 0.5}",
        "- {center: [0.72",
        "geometries.tissue.cells[1].radius",
        "0.5",
        "at most 0.49995",
    ),
    (
        SECOND_CELL,
        "{center: [0.72], radius: 0.17}",
        "- {center: [0.72",
        "geometries.tissue.cells[1].center",
        "a list of 1",
        "two numbers",
    ),
    ("size: 0.05", "size: 0", "mesh:", "geometries.tissue.mesh.size", "0", "above 0"),
    (
        "size: 0.05",
        "refinements: 1.5",
        "mesh:",
        "geometries.tissue.mesh.refinements",
        "1.5",
        "whole",
    ),
    ("obstacle", "rock", "stones:", "geometries.stones.interior", '"rock"', "obstacle"),
    ("kind: layers", "kind: cubes", "layers:", "geometries.layers.kind", '"cubes"', "discs, "),
    (
        "kind: layers, ",
        "",
        "layers:",
        "geometries.layers.kind",
        "nothing",
        "discs, spheres, layers, ",
    ),
    ("0.4]}", "0.5]}", "layers:", "geometries.layers.thicknesses", "sum 1.1", "sum 1"),
    ("0.4]}", "0.4], dimension: 4}", "layers:", "geometries.layers.dimension", "4", "1, 2 or 3"),
    ("layers: {", "flat layers: {", "flat", "geometries.flat layers", "flat layers", "letters"),
    # what belongs together
    (
        "geometry: tissue",
        "geometry: tisue",
        "geometry:",
        "studies.mine.geometry",
        '"tissue"?',
        "stones",
    ),
    (
        "inside: 1.2e-3 mm^2/s",
        "inside: [1 um^2/ms, 2 um^2/ms, 3 um^2/ms]",
        "diffusivity:",
        "studies.mine.diffusivity.inside",
        "3 diffusivities",
        "one value, or a list of 2",
    ),
    (
        ", inside: 1.2e-3 mm^2/s",
        "",
        "diffusivity:",
        "studies.mine.diffusivity",
        "no key inside",
        "a diffusivity",
    ),
    (
        "geometry: tissue",
        "geometry: stones",
        "diffusivity:",
        "studies.mine.diffusivity.inside",
        "a diffusivity inside",
        "obstacles hold no water",
    ),
    (
        "geometry: tissue",
        "geometry: stones",
        "permeability:",
        "studies.mine.permeability",
        "above zero",
        "0 m/s: the geometry has no permeable membrane",
    ),
    # figures
    ("studies: [mine]", "studies: [min]", "plot:", "figures.plot.studies[0]", '"min"', "mine"),
    ("studies: [mine]", "", "plot:", "figures.plot", "nothing to show", "either"),
    (
        "{studies: [mine]}",
        "{studies: [mine], geometries: [tissue]}",
        "plot:",
        "figures.plot",
        "both",
        "either geometries, studies, inversions, bloch or voxels",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "found", "accepted"), MALFORMED, ids=lambda value: str(value)[:30]
)
def test_malformed_configurations_are_refused(messages, old, new, line, key, found, accepted):
    text = edited(old, new)
    place = f"mine.yaml:{line_of(text, line)}: {key}: found "
    (message,) = [m for m in messages(text) if m.startswith(place) and found in m]
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


def test_all_problems_are_listed_in_the_order_of_the_file(messages):
    text = edited("radius: 0.21", "radius: 0.7").replace("[6 um", "[6").replace("1e-5", "2")
    text = text.replace("[mine]", "[mini]")
    lines = [int(message.split(":")[1]) for message in messages(text)]
    assert lines == sorted(lines)
    assert len(lines) == 4


def test_problems_are_found_in_every_file(messages):
    first, second = messages(edited("[6 um", "[6"), "figures:\n  plot: {studies: [yours]}\n")
    assert first.startswith("mine.yaml:15: studies.mine.period[0]:")
    assert second.startswith("more.yaml:2: figures.plot.studies[0]:")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "mine.yaml:1: found nothing, accepted: a mapping with the keys geometries"),
        ("- 1\n", "mine.yaml:1: found a list of 1, accepted: a mapping"),
        ("geometries: 3\n", 'mine.yaml:1: geometries: found "3", accepted: a mapping from names'),
        ("studies:\n  mine:\n", "mine.yaml:2: studies.mine: found nothing, accepted: a mapping"),
        ("studies: [\n", "mine.yaml:2: found"),
        ("studies:\n\tmine: 1\n", "mine.yaml:2: found"),
        ("studies: *nobody\n", "mine.yaml:1: found"),
        ("a: 1\n---\nb: 1\n", "mine.yaml:2: found"),
        ("studies: {[1]: 2}\n", "mine.yaml:1: studies: found a key that is not a word"),
        ("studies: {<<: 3}\n", 'mine.yaml:1: studies.<<: found "3", accepted: a mapping'),
        ("studies: &s\n  mine: *s\n", "found a value nested too deeply"),
        ("studies: \0\n", "mine.yaml:1: found"),
    ],
)
def test_files_that_are_not_configurations_are_refused(messages, text, found):
    assert found in messages(text)[0]


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: found No such file"):
        load([tmp_path / "none.yaml"])
    (tmp_path / "latin.yaml").write_bytes(b"studies: \xe9")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load([tmp_path / "latin.yaml"])
    with pytest.raises(ConfigError, match="at least one"):
        load([])
