"""Runs of bloch are read with their units, or refused with their place."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from support.configurations import GOOD

from torrey.bloch.runs import KINDS
from torrey.config.bloch import AnyBloch

SPECTRUM = """\
bloch:
  mine:
    kind: spectrum
    geometry: stones
    diffusivity: 2e-3 mm^2/s
    period: 10 um
    direction: [1, 0]
    strengths: {start: 1, stop: 100, num: 3, scale: log}
    count: 4
"""
MAPS = """\
bloch:
  mine:
    kind: maps
    geometry: tissue
    diffusivity: 2e-3 mm^2/s
    permeability: 1e-5 m/s
    period: 10 um
    directions: [[1, 0], [1, 1]]
    gradient_lengths: [0.25, 0.1]
    ratio: 2
"""


def test_what_can_be_asked_for_can_be_run():
    models = get_args(get_args(AnyBloch)[0])
    kinds = {get_args(model.model_fields["kind"].annotation)[0]: model for model in models}
    assert set(kinds) == set(KINDS)
    assert {name for name, model in kinds.items() if model.two_meshes} == {
        "schemes", "spectrum", "modes", "dispersion",
    }  # fmt: skip
    *first, last = KINDS
    for model in models:
        assert model.model_fields["kind"].description == f"{', '.join(first)} or {last}"


def test_a_spectrum_is_read(read):
    run = read(GOOD + SPECTRUM).bloch["mine"]
    assert (run.kind, run.geometry, run.period, run.permeability) == ("spectrum", "stones", 10.0, 0)
    assert run.material.diffusivity == (2.0,)
    assert dict(run.settings) == {"direction": (1, 0), "strengths": (1.0, 10.0, 100.0), "count": 4}


def test_every_compartment_has_the_one_diffusivity(read):
    run = read(GOOD + MAPS).bloch["mine"]
    assert run.material.diffusivity == (2.0, 2.0, 2.0)
    assert run.permeability == 0.01
    assert json.loads(json.dumps(dict(run.settings)))["directions"] == [[1, 0], [1, 1]]


SAMPLING = """\
bloch:
  mine:
    kind: sampling
    geometry: stones
    diffusivity: 2e-3 mm^2/s
    period: 10 um
    delta: 1 ms
    Delta: 2 ms
    turns: 3.3
    pulses: 1
"""
PLAIN = "  plain: {kind: discs, cells: [], mesh: {refinements: 0}}\nstudies:"

REFUSED = [
    (SPECTRUM, "kind: spectrum", "kind: spectra", "kind", '"spectra"', "maps, strengths, spectrum"),
    (SPECTRUM, "geometry: stones", "geometry: stone", "geometry", '"stones"?', "geometries"),
    (SPECTRUM, "2e-3 mm^2/s", "2e-3", "diffusivity", '"2e-3"', "a diffusivity with its unit"),
    (SPECTRUM, "[1, 0]", "[2, 0]", "direction", "[2, 0]", "without a common divisor"),
    (SPECTRUM, "[1, 0]", "[0, 0]", "direction", "[0, 0]", "2 whole numbers"),
    (SPECTRUM, "[1, 0]", "[1, 0, 0]", "direction", "[1, 0, 0]", "as many as the cell has"),
    (SPECTRUM, "start: 1,", "start: -1,", "strengths.start", '"-1"', "a number above zero"),
    (SPECTRUM, "count: 4", "count: 0", "count", '"0"', "a whole number of branches"),
    (SPECTRUM, "    count: 4", "    ratio: 2", "ratio", 'unknown key "ratio"', "count"),
    (SPECTRUM, "    count: 4\n", "", "count", "nothing", "a whole number of branches"),
    (
        SPECTRUM,
        "    count: 4",
        "    count: 4\n    permeability: 1e-5 m/s",
        "permeability",
        "a permeability above zero",
        "0 m/s: no membrane",
    ),
    (MAPS, "[0.25, 0.1]", "[0.25, nan]", "gradient_lengths[1]", '"nan"', "a number above zero"),
    (MAPS, "[[1, 0], [1, 1]]", "[[1, 0], [2, 2]]", "directions[1]", "[2, 2]", "common divisor"),
    (MAPS, "[0.25, 0.1]", "[0.25, 0.250]", "gradient_lengths[1]", "a second time", "each value"),
    (
        SPECTRUM,
        "geometry: stones",
        "geometry: plain",
        "geometry",
        "plain, with one mesh",
        "mesh.refinements of 1 or more",
    ),
    (
        SAMPLING,
        "Delta: 2 ms",
        "Delta: 0.5 ms",
        "delta",
        "delta = 1 ms with Delta = 0.5 ms",
        "delta not longer than Delta",
    ),
    (MAPS, "ratio: 2", "ratio: 2 um", "ratio", '"2 um"', "a number above zero"),
]


@pytest.mark.parametrize(("text", "old", "new", "key", "found", "accepted"), REFUSED)
def test_runs_that_cannot_be_are_refused(messages, text, old, new, key, found, accepted):
    assert text.count(old) == 1
    good = GOOD.replace("studies:", PLAIN, 1) + text.replace(old, new)
    (message,) = [m for m in messages(good) if f": bloch.mine.{key}:" in m]
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after


def test_figures_show_runs_that_exist(messages):
    text = (GOOD + SPECTRUM).replace("  plot: {studies: [mine]}", "  plot: {bloch: [yours]}")
    (message,) = messages(text)
    assert "figures.plot.bloch[0]" in message
    assert '"yours"' in message


DISPERSION = """\
bloch:
  mine:
    kind: dispersion
    geometry: tissue
    diffusivity: [2e-3 mm^2/s, 1e-3 mm^2/s, 1.5e-3 mm^2/s]
    permeability: 1e-5 m/s
    period: 10 um
    directions: [[1, 0]]
    times: [1 ms, 10 ms]
    frequencies: {start: 10 Hz, stop: 1 kHz, num: 3, scale: log}
"""


def test_a_dispersion_has_a_diffusivity_for_each_region_and_frequencies_in_hertz(read):
    run = read(GOOD + DISPERSION).bloch["mine"]
    assert run.material.diffusivity == (2.0, 1.0, 1.5)
    settings = dict(run.settings)
    assert settings["times"] == (1.0, 10.0)
    assert settings["frequencies"] == (0.01, 0.1, 1.0)
    one = DISPERSION.replace("[2e-3 mm^2/s, 1e-3 mm^2/s, 1.5e-3 mm^2/s]", "2e-3 mm^2/s")
    assert read(GOOD + one).bloch["mine"].material.diffusivity == (2.0, 2.0, 2.0)


def test_a_dispersion_with_too_few_diffusivities_is_refused(messages):
    (problem,) = messages(GOOD + DISPERSION.replace(", 1.5e-3 mm^2/s]", "]"))
    assert "bloch.mine.diffusivity" in problem
    assert "2 diffusivities" in problem
    assert "a list of 3" in problem


ON_LAYERS = DISPERSION.replace("geometry: tissue", "geometry: layers").replace(
    "[2e-3 mm^2/s, 1e-3 mm^2/s, 1.5e-3 mm^2/s]", "2e-3 mm^2/s"
)


@pytest.mark.parametrize("given", ["[[1]]", "[1]"])
def test_a_dispersion_across_layers_is_along_their_one_dimension(read, given):
    run = read(GOOD + ON_LAYERS.replace("[[1, 0]]", given)).bloch["mine"]
    assert dict(run.settings)["directions"] == ((1,),)
    assert run.shape.dimension == 1


@pytest.mark.parametrize("given", ["[[1, 0]]", "[[2]]", "[[0]]"])
def test_other_directions_across_layers_are_refused(messages, given):
    (problem,) = messages(GOOD + ON_LAYERS.replace("[[1, 0]]", given))
    assert "bloch.mine.directions[0]" in problem
    assert problem.endswith("accepted: [1] or [-1]: the cell has one dimension")


@pytest.mark.parametrize("given", ["[[1]]", "[[]]"])
def test_one_number_is_no_direction_in_a_plane(messages, given):
    (problem,) = messages(GOOD + DISPERSION.replace("[[1, 0]]", given))
    assert "bloch.mine.directions" in problem
    assert "whole numbers" in problem


def test_other_runs_are_not_across_layers(messages):
    (problem,) = messages(GOOD + MAPS.replace("geometry: tissue", "geometry: layers"))
    assert "bloch.mine.geometry" in problem
    assert "layers, in one dimension" in problem
