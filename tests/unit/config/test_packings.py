"""Random packings in a configuration: what is read, and what is refused where it stands."""

from __future__ import annotations

import pytest
from support.configurations import line_of

from torrey.geometry import Gamma, RadiusLaw, RandomPacking
from torrey.geometry.balls import random_packing

TEXT = """\
geometries:
  tissue:
    kind: packing
    box: 60 um
    radius: {uniform: [1 um, 5 um]}
    fraction: 0.29
    mesh: {size: 0.1, refinements: 1}
studies:
  mine:
    geometry: tissue
    diffusivity: {outside: 3 um^2/ms, inside: 2 um^2/ms}
    period: 60 um
    permeability: 1e-5 m/s
    waveform: {kind: pgse, delta: 5 ms, Delta: 10 ms}
    b: 1 ms/um^2
    directions: [[1, 0]]
    models: [reference, R0]
    tolerance: 1e-4
"""
RADIUS = "radius: {uniform: [1 um, 5 um]}"
FRACTION = "fraction: 0.29"
GAMMA = "radius: {gamma: {mean: 3 um, sd: 1 um, least: 1 um, most: 6 um}}"
THOUSANDS = TEXT.replace("box: 60 um", "box: 1500 um").replace(FRACTION, "count: 20000")


@pytest.fixture(autouse=True)
def _nobody_places_discs(monkeypatch):
    def place(*_):
        raise AssertionError("discs were placed while a configuration was read")

    monkeypatch.setattr(random_packing, "place_discs", place)


def edited(old: str, new: str) -> str:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


def test_a_packing_is_read_and_fills_its_study(read):
    study = read(TEXT).studies["mine"]
    assert study.shape == RandomPacking(60.0, RadiusLaw(uniform=(1.0, 5.0)), fraction=0.29)
    assert study.shape.n_compartments == 1 + len(study.shape.radii) == 33
    assert study.material.diffusivity == (3.0, *[2.0] * 32)
    assert study.notes == ()


def test_every_key_is_read(read):
    text = edited(FRACTION, "count: 20\n    seed: 7\n    gap: 0.2 um\n    interior: obstacle")
    text = text.replace(RADIUS, GAMMA).replace(", inside: 2 um^2/ms", "")
    shape = read(text.replace("1e-5 m/s", "0 m/s")).studies["mine"].shape
    law = RadiusLaw(gamma=Gamma(3.0, 1.0, 1.0, 6.0))
    assert shape == RandomPacking(60.0, law, 20, None, 7, 0.2, "obstacle")


def test_spheres_are_read(read):
    text = edited(FRACTION, "fraction: 0.29\n    dimension: 3").partition("studies:")[0]
    shape = read(text).geometries["tissue"].shape
    law = RadiusLaw(uniform=(1.0, 5.0))
    assert shape == RandomPacking(60.0, law, fraction=0.29, dimension=3)
    assert shape.dimension == 3


def test_another_period_scales_the_packing_and_says_so(read):
    text = edited("period: 60 um", "period: [30 um, 60 um]")
    assert read(text).studies["mine"].notes == (
        "periods of 30 um scale tissue, whose box is 60 um",
    )


def test_twenty_thousand_discs_are_read_at_once(read):
    text = THOUSANDS.partition("studies:")[0]
    shape = read(text).geometries["tissue"].shape
    assert len(shape.radii) == 20_000
    assert len(str(shape.to_dict())) < 300
    assert "placement" not in vars(shape)


REFUSED = [
    (edited(FRACTION, "fraction: 0.29\n    dimension: 4"), "dimension", "found 4", "2 or 3"),
    (
        edited(FRACTION, "fraction: 0.6\n    dimension: 3"),
        "fraction",
        "found 0.6",
        "above 0 and at most 0.55",
    ),
    (edited("box: 60 um", "box: 60"), "box", '"60"', "a length with its unit"),
    (edited("box: 60 um", "box: 18 um"), "box", "up to 5 um in a box of 18 um", "than 20.1 um"),
    (edited("    box: 60 um\n", ""), "box", "nothing", "side of the square"),
    (edited(RADIUS, "radius: 3 um"), "radius", '"3 um"', "one distribution, such as {uniform"),
    (edited(RADIUS, "radius: {}"), "radius", "no distribution", "one of uniform, gamma"),
    (
        edited(RADIUS, "radius: {uniform: [1 um, 5 um], list: [1 um]}"),
        "radius",
        "uniform and list",
        "one of uniform, gamma, lognormal, list",
    ),
    (
        edited(RADIUS, "radius: {normal: [1 um, 5 um]}"),
        "radius.normal",
        'did you mean "lognormal"',
        "the keys uniform, gamma, lognormal, list",
    ),
    (edited("[1 um, 5 um]", "[5 um, 1 um]"), "radius.uniform", "found 5 um, 1 um", "for equal"),
    (edited("[1 um, 5 um]", "3 um"), "radius.uniform", '"3 um"', "a list, each a length with its"),
    (edited(RADIUS, "radius: {list: 3 um}"), "radius.list", '"3 um"', "a list, each a length with"),
    (
        edited(RADIUS, "radius: {list: [24 um, 1 um]}")
        .replace("box: 60 um", "box: 100 um")
        .replace(FRACTION, "fraction: 0.01"),
        "fraction",
        "a fraction of 0.01, to which 1 disc with 0.181 of the area comes nearest",
        "a larger box, smaller discs, another seed, or a count",
    ),
    (
        edited(
            RADIUS, GAMMA.replace("least: 1 um, most: 6 um", "least: 2.9999999 um, most: 3 um")
        ).replace("sd: 1 um", "sd: 300 um"),
        "radius.gamma",
        "draws between 2.9999999 and 3 um",
        "a wider range",
    ),
    (edited("[1 um, 5 um]", "[1 um]"), "radius.uniform", "a list of 1", "the least and the most"),
    (edited("[1 um, 5 um]", "[1, 5 um]"), "radius.uniform[0]", '"1"', "a length with its unit"),
    (
        edited(RADIUS, GAMMA.replace("mean: 3 um", "mean: 9 um")),
        "radius.gamma.mean",
        "9 um",
        "a mean between the least and the most, 1 to 6 um",
    ),
    (edited(RADIUS, GAMMA.replace(", most: 6 um", "")), "radius.gamma.most", "nothing", "drawn"),
    (
        edited(RADIUS, GAMMA.replace("gamma", "lognormal").replace("6 um", "1 um")),
        "radius.lognormal.most",
        "1 um",
        "a length above the least, 1 um",
    ),
    (edited(RADIUS, GAMMA.replace("sd: 1", "sd: 0")), "radius.gamma.sd", '"0 um"', "above zero"),
    (
        edited(
            RADIUS, GAMMA.replace("least: 1 um, most: 6 um", "least: 2.99 um, most: 3 um")
        ).replace("sd: 1 um", "sd: 300 um"),
        "radius.gamma",
        "draws between 2.99 and 3 um",
        "a wider range",
    ),
    (edited(FRACTION, "fraction: 0.7"), "fraction", "0.7", "at most 0.65"),
    (edited(FRACTION, "fraction: 0"), "fraction", "0", "above 0 and at most 0.65"),
    (edited(FRACTION, "fraction: much"), "fraction", '"much"', "a number above 0"),
    (edited(FRACTION, "count: 0"), "count", "0", "1 to 50,000 discs"),
    (edited(FRACTION, "count: 2.5"), "count", '"2.5"', "a whole number of discs"),
    (edited(FRACTION, "fraction: 0.3\n    count: 9"), "fraction", "count and fraction", "one of"),
    (edited(f"    {FRACTION}\n", ""), "", "neither count nor fraction", "taken once each"),
    (edited(FRACTION, "count: 90"), "", "90 discs that fill 0.8", "at most 0.75 with the gaps"),
    (edited("box: 60 um", "box: 4500 um"), "fraction", "more than 50,000 discs", "larger radii"),
    (edited(FRACTION, f"{FRACTION}\n    seed: -1"), "seed", "-1", "a whole number from 0"),
    (edited(FRACTION, f"{FRACTION}\n    gap: 0.1"), "gap", '"0.1"', "a length with its unit"),
    (edited(FRACTION, f"{FRACTION}\n    gap: 9 um"), "", "with half of the gap", "a smaller gap"),
    (
        edited("box: 60 um", "box: 6000 um").replace(FRACTION, "count: 9"),
        "",
        "a gap of 0.05 um",
        "one of at least 0.06 um",
    ),
    (edited(FRACTION, f"{FRACTION}\n    interior: air"), "interior", '"air"', "water (the insides"),
    (edited(FRACTION, f"{FRACTION}\n    cells: []"), "cells", 'unknown key "cells"', "keys kind"),
]


@pytest.mark.parametrize(("text", "key", "found", "accepted"), REFUSED)
def test_packings_that_cannot_be_are_refused(messages, text, key, found, accepted):
    place = f": geometries.tissue{'.' if key else ''}{key}: found "
    (message,) = [m for m in messages(text) if place in m]
    before, after = message.split(", accepted: ")
    assert found in before
    assert accepted in after
    assert int(message.split(":")[1]) >= line_of(text, "tissue:")


def test_a_study_of_thousands_of_discs_is_refused(messages):
    (message,) = messages(THOUSANDS)
    assert (
        "studies.mine.geometry: found tissue, with 20,000 discs, accepted: a packing of " in message
    )
    assert "at most 1,000 discs" in message


def test_a_mesh_that_no_machine_can_make_is_refused(messages, read):
    text = edited("box: 60 um", "box: 180 um").replace(FRACTION, "count: 300")
    assert len(read(text).studies["mine"].shape.radii) == 300
    (message,) = messages(text.replace("refinements: 1", "refinements: 2"))
    assert (
        "300 discs and mesh.refinements of 2, 1,056,000 elements, accepted: at most 1,0" in message
    )


def bloch_of(text: str, period: str = "60 um") -> str:
    """A run of bloch in the geometry of a text, in the place of its study."""
    return f"""{text.partition("studies:")[0]}\
bloch:
  mine:
    kind: spectrum
    geometry: tissue
    diffusivity: 2 um^2/ms
    period: {period}
    direction: [1, 0]
    strengths: [1, 10]
    count: 4
"""


def test_a_bloch_run_of_thousands_of_discs_is_refused_as_a_study_is(messages):
    (message,) = messages(bloch_of(THOUSANDS))
    assert (
        "bloch.mine.geometry: found tissue, with 20,000 discs, accepted: a packing of " in message
    )
    assert "at most 1,000 discs" in message
    text = edited("box: 60 um", "box: 180 um").replace(FRACTION, "count: 300")
    (message,) = messages(bloch_of(text.replace("refinements: 1", "refinements: 2")))
    assert "bloch.mine.geometry: found tissue, with 300 discs and mesh.refinements of 2" in message


def test_a_bloch_run_says_that_its_period_scales_the_packing(read):
    assert read(bloch_of(TEXT)).bloch["mine"].notes == ()
    assert read(bloch_of(TEXT, "30 um")).bloch["mine"].notes == (
        "periods of 30 um scale tissue, whose box is 60 um",
    )
